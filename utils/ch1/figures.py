"""The figures of chapter 1 that are drawn from what the learner wrote; captions are computed from the same numbers."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.plot import Picture, bars, line
from utils.plot.figures import label


def spread(before: Tensor, after: Tensor) -> Picture:
    """Standard deviations of the positions of one text, before and after layer norm; (1, T, E) each."""
    picture = line(
        {name: vectors[0].std(-1) for name, vectors in {"before": before, "after": after}.items()},
        xs=range(before.shape[1]),
        title="Spread of four vectors before and after your layer norm",
        x="position",
        y="standard deviation",
        caption="Before, the vectors differ in size by a factor of a thousand. After layer norm each has a standard "
        "deviation of about 1. (The vertical axis is logarithmic.)",
        height=320,
    )
    picture.figure.update_yaxes(type="log", dtick=1).update_xaxes(dtick=1)
    return picture


def sharpness(widths: Sequence[int] = (1, 4, 16, 64, 256), keys: int = 16) -> Picture:
    """The largest attention weight among `keys` random keys, with and without the scaling by the root of H."""
    draws = torch.Generator().manual_seed(0)
    largest: dict[str, dict[str, float]] = {"not scaled": {}, "scaled by 1/√H": {}}
    for H in widths:
        q, k = torch.randn(500, H, generator=draws), torch.randn(keys, H, generator=draws)
        for name, scale in zip(largest, (1.0, H**-0.5), strict=True):
            largest[name][f"H = {H}"] = (q @ k.T * scale).softmax(-1).max(-1).values.mean().item()
    return bars(
        largest,
        title=f"The largest of {keys} attention weights, on average, for random queries and keys",
        y="attention weight",
        caption="Without scaling, a wide head gives nearly all of its attention to one key before it has learned "
        "anything; with scaling the width makes hardly any difference.",
    )


def nonlinearity(gelu: nn.Module) -> Picture:
    """The learner's GELU beside ReLU."""
    x = torch.linspace(-4, 4, 161)
    return line(
        {"GELU (yours)": gelu(x), "ReLU": F.relu(x)},
        xs=x.tolist(),
        title="Your GELU beside ReLU",
        x="x",
        y="output",
        height=320,
        caption="Far from zero the two agree. Near zero GELU is smooth, and slightly negative on the left.",
        alt="Line chart: GELU and ReLU agree far from zero; between -2 and 0 GELU dips slightly below zero.",
    )


def parameters(model: nn.Module) -> Picture:
    """How the parameters of a Transformer are divided among its parts."""
    parts = {
        "embeddings": [model.embedding, model.positional_embedding],
        "attention": [block.attention for block in model.blocks],
        "MLP": [block.mlp for block in model.blocks],
        "unembedding": [model.unembedding],
    }
    count = {name: sum(p.numel() for part in group for p in part.parameters()) for name, group in parts.items()}
    total = sum(p.numel() for p in model.parameters())
    return bars(
        count,
        title=f"The {total:,} parameters of your model",
        y="parameters",
        height=320,
        caption=f"The MLPs hold {count['MLP'] / total:.0%} of them, attention {count['attention'] / total:.0%}.",
    )


def learning_curve(losses: Sequence[float], checks: dict[int, float], levels: dict[str, float]) -> Picture:
    """Training loss at each step, held-out loss at some of them, and the levels of models that only count."""
    steps, end = list(checks), list(checks.values())[-1]
    beaten = [name for name in ("4-gram", "trigram", "bigram", "unigram") if end < levels[name]]
    left = [name for name in ("unigram", "bigram", "trigram", "4-gram") if end >= levels[name]]
    says = f"After {steps[-1]} steps the held-out loss is {end:.2f} nats a token"
    if not left:
        says += ", below all models that only count."
    else:
        says += f": below the {beaten[0]} ({levels[beaten[0]]:.2f}), and" if beaten else ":"
        says += f" above the {left[0]} ({levels[left[0]]:.2f})."
    return line(
        {"training batches": losses, "held-out text": list(checks.values())},
        xs={"held-out text": steps},
        levels={"log V" if name == "uniform" else name: level for name, level in levels.items()},
        smooth=10,
        title="Your model's loss against models that only count",
        x="training step",
        y="loss (nats a token)",
        height=430,
        caption=says,
    )


def overfitting(train: Sequence[float], held_out: Sequence[float], steps: Sequence[int]) -> Picture:
    """Loss on the few rows that a model trains on, and on rows that it never sees."""
    lowest = min(range(len(steps)), key=lambda i: held_out[i])
    return line(
        {"the rows it trains on": train, "held-out rows": held_out},
        xs=list(steps),
        title="Overfitting, made on purpose: the same few rows again and again",
        x="training step",
        y="loss (nats a token)",
        caption=f"On its own rows the loss falls to {train[-1]:.2f}. On held-out rows it is lowest at step "
        f"{steps[lowest]} ({held_out[lowest]:.2f}) and ends at {held_out[-1]:.2f}: a gap of "
        f"{held_out[-1] - train[-1]:.2f} nats.",
    )


def temperatures(
    logits: Tensor, tokenizer, apply_temperature: Callable, prompt: str, values: Sequence[float] = (0.3, 1.0, 3.0)
) -> Picture:
    """The eight likeliest next tokens at several temperatures."""
    likely = logits.topk(8).indices.tolist()
    shares = {}
    for value in values:
        probabilities = apply_temperature(logits, value).softmax(-1)
        shares[f"temperature {value}"] = {f"“{label(tokenizer.decode([n]))}”": probabilities[n].item() for n in likely}
    top = [next(iter(share.values())) for share in shares.values()]
    return bars(
        shares,
        title=f"What may follow “{label(prompt)}”",
        x="token",
        y="probability",
        caption=f"The likeliest token gets {top[0]:.0%} at temperature {values[0]}, {top[1]:.0%} at {values[1]}, and "
        f"{top[2]:.0%} at {values[2]}.",
    )


def kept(logits: Tensor, tokenizer, k: int, p: float) -> Picture:
    """How much probability top-k and top-p keep, and how many tokens, for one distribution."""
    probabilities = logits.softmax(-1).sort(descending=True).values
    within = int((probabilities.cumsum(-1) < p).sum()) + 1
    first = tokenizer.decode([int(logits.argmax())])
    return line(
        {"probability of the likeliest tokens together": probabilities.cumsum(-1)[:60]},
        levels={"p": p},
        title="How far down the list a sampler looks",
        x="number of tokens kept",
        y="probability",
        height=320,
        caption=f"The likeliest token is “{label(first)}” ({probabilities[0]:.0%}). Top-p with p = {p} keeps {within} "
        f"tokens here; top-k with k = {k} always keeps {k}, which hold {probabilities[:k].sum():.0%}.",
    )


def reading_and_writing(losses: dict[str, tuple[float, float]], floor: float) -> Picture:
    """Loss of each model with the whole text in view, and with only the text before the token."""
    seeing, without = losses.get("yours, unmasked", (0.0, 0.0))
    worse = ": later tokens only disturb a model that wasn't trained to use them" if seeing > without + 0.05 else ""
    last = f" Yours, unmasked, has {seeing:.2f} and {without:.2f}{worse}." if "yours, unmasked" in losses else ""
    return bars(
        {
            "whole text in view": {name: pair[0] for name, pair in losses.items()},
            "only the text before": {name: pair[1] for name, pair in losses.items()},
        },
        title="The same predictions, with and without the rest of the text in view",
        y="nats a token",
        caption="For the models that have the mask, both bars agree. The loss of no_mask is "
        f"{losses['no_mask'][0]:.2f} while the answer is in view and {losses['no_mask'][1]:.2f} when it is not; "
        f"knowing nothing at all gives log V = {floor:.2f}.{last}",
    )
