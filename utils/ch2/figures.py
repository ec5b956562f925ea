"""Figures of chapter 2: sequences with their triggers, attention beside what it should be, memories while they fill."""

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from utils.plot import (
    Explorer,
    Picture,
    bars,
    explore,
    heatmap,
    line_panels,
    matrix_panels,
    target_viewer,
    token_strip,
)

KINDS = {
    "from the table": "#EEEEEE",
    "trigger, first time": "#E69F00",
    "trigger, seen before": "#56B4E9",
    "output": "#CC79A7",
}
LOOK_BACK, MATCH, COPY = "W_K¹ looks back", "W_K² matches", "W_O² copies"


def visible(characters: Sequence[str]) -> list[str]:
    """Characters as they can stand in print: blanks and line breaks are made visible."""
    return [{" ": "␣", "\n": "⏎"}.get(character, character) for character in characters]


def successors(table: Float[Tensor, "V V"], characters: Sequence[str]) -> Picture:
    """Which character (column) comes after which (row)."""
    narrow = int((torch.as_tensor(table).topk(min(5, len(table)), dim=1).values.sum(dim=1) > 0.5).sum())
    return heatmap(
        table,
        title="Which character follows which in Shakespeare's plays",
        x="next",
        y="after",
        rows=characters,
        columns=characters,
        height=620,
        caption=f"Your pi_b for the {len(table)} most frequent characters. In {narrow} of the {len(table)} rows, the "
        "five likeliest of the successors shown have a probability above one half together.",
        alt=f"Heat map, {len(table)} by {len(table)}, with few bright cells in a row: after most letters a handful of "
        "others is likely.",
    )


def products(gram: Float[Tensor, "n n"], d: int, diagonal: float, spread: float, largest: float) -> Picture:
    """All inner products of n vectors of width d, with what was measured of them."""
    about = f"diagonal {diagonal:.2f}, off it: spread {spread:.3f} (1/√d = {d**-0.5:.3f}), largest {largest:.2f}"
    return heatmap(
        gram,
        title=f"d = {d}: {about}",
        x="vector",
        y="vector",
        limits=(-1, 1),
        diverging=True,
        height=460,
        caption=f"All inner products of {len(gram)} random vectors. The wider the vectors, the cleaner the background; "
        "choose d above.",
        alt=f"Heat map of {len(gram)} by {len(gram)} inner products for d = {d}: the diagonal is near 1, the rest is "
        f"noise of standard deviation {spread:.3f}.",
    )


def capacity(shares: Mapping[int, Sequence[float]], ns: Sequence[int]) -> Picture:
    """Fraction of the pairs recalled, by the width of the memory (rows) and the number of pairs (columns)."""
    narrow, wide = min(shares), max(shares)
    return heatmap(
        torch.tensor(list(shares.values())),
        title="How much a matrix remembers",
        x="pairs stored",
        y="width d",
        rows=[f"d = {d}" for d in shares],
        columns=[str(n) for n in ns],
        limits=(0, 1),
        show_values=True,
        height=340,
        caption=f"Fraction of the pairs recalled, mean of three seeds. With {ns[-1]} pairs, recall is "
        f"{shares[narrow][-1]:.2f} at d = {narrow} and {shares[wide][-1]:.2f} at d = {wide}: more pairs than "
        "dimensions fit, and then recall fades gradually.",
        alt="Heat map: recall is near 1 at the lower left, where the matrix is wide and the pairs are few, and falls "
        "towards the upper right.",
    )


def induction(scores: Float[Tensor, "L N"], even: float, control: float, step: int) -> Picture:
    """The induction score of each head of chapter 1's model after `step` steps, beside evenly spread attention's."""
    return heatmap(
        scores,
        title=f"Induction score of each head of chapter 1's model, after {step:,} steps",
        x="head",
        y="layer",
        rows=[str(n) for n in range(len(scores))],
        columns=[str(n) for n in range(scores.shape[1])],
        limits=(0, 1),
        show_values=True,
        height=330,
        caption=f"The highest score is {scores.max():.3f}, evenly spread attention gives {even:.3f}, and the head that "
        f"you wrote by hand {control:.2f}.",
    )


def sequences(x: Int[Tensor, "B T"], counts: Int[Tensor, "B T"], characters: Sequence[str]) -> Explorer:
    """Choose a sequence and see its triggers and outputs, with the occurrence counts below them."""
    T = x.shape[1]

    def draw(sequence: int) -> Picture:
        count = counts[sequence]
        after = F.pad(count[:-1] > 0, (1, 0))  # what comes right after a trigger is its output
        kinds = torch.where(count >= 2, 2, torch.where(count == 1, 1, torch.where(after, 3, 0))).tolist()
        known = int((count >= 2).sum())
        return token_strip(
            [characters[i] for i in x[sequence]],
            kinds,
            KINDS,
            notes=[str(c) if c else "" for c in count.tolist()],
            hover=[f"count {c}" if c else list(KINDS)[kind] for c, kind in zip(count.tolist(), kinds, strict=True)],
            title=f"Sequence {sequence}: at {known} of {T} positions the next character can be known",
            caption="The numbers are your occurrence counts. The output of one trigger may itself be another trigger.",
            alt=f"{T} characters with the triggers marked; at {known} of them the next character can be known.",
        )

    return explore(draw, sequence=range(len(x)))


def right_keys(x: Int[Tensor, "B T"], mask: Bool[Tensor, "B T"]) -> dict[str, Bool[Tensor, "B T T"]]:
    """The keys a query should find: in layer 1 the position before, in layer 2 what follows an earlier copy of it."""
    B, T = x.shape
    before = torch.eye(T, dtype=torch.bool).roll(-1, dims=1).tril()  # query t, key t - 1
    follows = F.pad(x[:, :, None] == x[:, None, :-1], (1, 0)).tril() & mask[:, :, None]
    return {"layer 1": before.expand(B, T, T), "layer 2": follows}


@torch.no_grad()
def look_inside(model, batch: tuple[Tensor, Tensor, Tensor], characters: Sequence[str], rows: int = 6) -> Explorer:
    """The attention patterns of both layers on some sequences, with the right keys outlined."""
    x, _, mask = (part[:rows] for part in batch)
    cache = model(x, return_cache=True)[1]
    patterns = {"layer 1": cache["A1"], "layer 2": cache["A2"]}
    return target_viewer(patterns, right_keys(x, mask), [[characters[i] for i in row] for row in x])


BETAS = (0, 0.5, 1, 2, 3, 5, 7, 10, 15, 20, 50)


def betas(
    build: Callable[[int, tuple], torch.nn.Module],
    recall: Callable[[torch.nn.Module], Mapping[str, float]],
    batch: tuple[Tensor, Tensor, Tensor],
    widths: Sequence[int],
) -> Explorer:
    """Choose the width and the three betas of a head written by hand: what the probes say, and what the head does.

    `build(d, betas)` gives the model, `recall(model)` its three probes.
    """
    x, y, mask = (part[:64] for part in batch)
    right = right_keys(x, mask)

    @torch.no_grad()
    def draw(d: int, beta_1: float, beta_2: float, beta_3: float) -> Picture:
        head = build(d, (beta_1, beta_2, beta_3))
        logits, cache = head(x, return_cache=True)
        found = {layer: (cache[A] * right[layer]).sum(dim=-1) for layer, A in (("layer 1", "A1"), ("layer 2", "A2"))}
        shares = {
            "layer 1 on right keys": found["layer 1"][:, 1:].mean().item(),
            "layer 2 on right keys": found["layer 2"][mask].mean().item(),
            "accuracy": (logits.argmax(dim=-1) == y)[mask].float().mean().item(),
        }
        probes = recall(head)
        return bars(
            {**probes, **shares},
            title=f"d = {d}, beta = ({beta_1}, {beta_2}, {beta_3}): accuracy {shares['accuracy']:.0%}",
            y="share",
            caption=f"From left to right: the probes of {', '.join(name.split()[0] for name in probes)} (the order of "
            "the betas), then the attention that each layer gives to right keys, and the accuracy.",
        )

    choices = {"d": list(widths), "beta_1": BETAS, "beta_2": BETAS, "beta_3": BETAS}
    return explore(draw, choices, {"d": min(widths), "beta_1": 10, "beta_2": 10, "beta_3": 10})


def training(history: Mapping[str, list]) -> Picture:
    """Accuracy, recall and losses of a run so far."""
    pick = lambda *names: {name: history.get(name, []) for name in names}  # noqa: E731
    return line_panels(
        {
            "accuracy": pick("accuracy"),
            "recall of the memories": pick(LOOK_BACK, MATCH, COPY),
            "loss": pick("in context", "elsewhere"),
        },
        xs=history["step"],
        title=f"Training, step {history['step'][-1] if history['step'] else 0}",
        x="step",
        y="",
        caption="Measured on 64 sequences that are never trained on: accuracy and loss where the context tells the "
        "answer, the loss at all other positions, and your three probes.",
    )


def compare_runs(
    runs: Mapping[str, Mapping[str, list]], title: str, caption: str, released: int | None = None
) -> Picture:
    """Accuracy and the three memories of several runs side by side; `released`: the step at which a matrix is freed."""
    return line_panels(
        {name: {curve: run[curve] for curve in ("accuracy", LOOK_BACK, MATCH, COPY)} for name, run in runs.items()},
        xs={name: run["step"] for name, run in runs.items()},
        marks=None if released is None else {name: {"released": released} for name in runs},
        title=title,
        x="step",
        y="share",
        limits=(0, 1.02),
        caption=caption,
    )


def memories(
    matrices: Callable[[int], Mapping[str, Tensor]],
    steps: Sequence[int],
    tokens: Sequence[str],
    says: Callable[[int], str],
) -> Explorer:
    """Choose a step and see the three matrices between the vectors they should connect; says(step): the title."""

    def draw(step: int) -> Picture:
        names = {LOOK_BACK: ("key position", "query position"), MATCH: ("token before", "query token")}
        return matrix_panels(
            matrices(step),
            title=f"Step {step}: {says(step)}",
            axes=names | {COPY: ("logit of", "attended token")},
            ticks={MATCH: list(tokens), COPY: list(tokens)},
            caption="Blue is positive, red negative, and each matrix has a scale of its own. W_K² was only ever asked "
            "for the five triggers, which are its first five rows.",
            alt=f"Three heat maps at step {step}; {says(step)}.",
        )

    return explore(draw, {"step": list(steps)}, {"step": list(steps)[len(steps) // 2]})
