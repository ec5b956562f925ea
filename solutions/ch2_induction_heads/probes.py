"""Memory recall, and everything else that is measured while a model trains (chapter 2).

A probe asks how much of its part of the induction head a matrix holds. The names are the paper's, which counts layers
from 1: W_K^1 is layers[0].attention.wk. Published code counts from 0 and calls the same probes wk0, wk1 and wo1. A
measurement over no position at all is None; a loss over none is 0.
"""

import torch
import torch.nn.functional as F
from einops import einsum
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from .data import Batch, BigramTask

PAPER_NAMES = {  # names in the metrics file, after the published code (layers from 0), and in the paper (from 1)
    "wk0_acc": "W_K^1",
    "wk0_64_acc": "W_K^1, first 64 positions",
    "wk1_acc": "W_K^2",
    "wo1_acc": "W_O^2",
    "ff1_loss": "W_F, KL to the bigram table",
}
START = 10  # positions that acc_start is about


def probe_wk1(model: nn.Module) -> float:
    """The share of positions t = 1 .. T-1 whose best key among s = 0 .. T-2 is s = t - 1; a score is p_t . W_K^1 p_s.

    Reads model.pe (T, d) and layers[0].attention.wk. Later positions are candidates, too. Source: Bietti et al. 2023.
    """
    # solution
    P, W_K1 = model.pe, model.layers[0].attention.wk.weight
    scores = einsum(P[1:], W_K1, P[:-1], "t i, i j, s j -> t s")
    right = scores.argmax(dim=1) == torch.arange(len(P) - 1, device=P.device)
    return right.float().mean().item()
    # end solution


def probe_wk2(model: nn.Module, tokens: Int[Tensor, "n"]) -> float:
    """The share of `tokens` whose best key is their own; the score is w_E(i) . W_K^2 w_1(j).

    w_1(j) = W_O^1 W_V^1 w_E(j) is what layer 1 writes where j was the token before. Queries i and
    candidates j both run over `tokens` (n,). Source: Bietti et al. 2023.
    """
    # solution
    E = model.tok_embeddings.weight[tokens]
    first, W_K2 = model.layers[0].attention, model.layers[1].attention.wk.weight
    w_1 = first.wo(first.wv(E))
    scores = einsum(E, W_K2, w_1, "i a, a b, j b -> i j")
    right = scores.argmax(dim=1) == torch.arange(len(tokens), device=E.device)
    return right.float().mean().item()
    # end solution


def probe_wo2(model: nn.Module) -> float:
    """The share of all V tokens that get the largest logit themselves when the second layer attends to them.

    Logits: U W_O^2 W_V^2 w_E(i). Source: Bietti et al. 2023.
    """
    # solution
    E, second = model.tok_embeddings.weight, model.layers[1].attention
    logits = model.output(second.wo(second.wv(E)))  # (V, V): row i, logits for an attended token i
    right = logits.argmax(dim=1) == torch.arange(len(E), device=E.device)
    return right.float().mean().item()
    # end solution


def share(right: Bool[Tensor, "..."], where: Bool[Tensor, "..."]) -> float | None:
    """The share of True among the chosen; None where nothing is chosen."""
    total = int(where.sum())
    return int((right & where).sum()) / total if total else None


def mean_loss(losses: Float[Tensor, "..."], where: Bool[Tensor, "..."]) -> Float[Tensor, ""]:
    """The mean of the chosen losses; 0 where nothing is chosen."""
    return (losses * where).sum() / where.sum().clamp(min=1)


@torch.no_grad()
def task_metrics(logits: Float[Tensor, "B T V"], batch: Batch) -> dict[str, float | None]:
    """Losses and accuracies of a batch. In context: at a trigger seen before; `nonrep`: target is not the trigger."""
    losses = F.cross_entropy(logits.flatten(0, 1), batch.y.flatten(), reduction="none").view_as(batch.y)
    right = logits.argmax(dim=-1) == batch.y
    trigger, known, repeat = batch.flags >= 1, batch.mask, batch.x == batch.y
    return {
        "loss": losses.mean().item(),
        "loss_bigram": mean_loss(losses, batch.flags == 0).item(),
        "loss_head": mean_loss(losses, known).item(),
        "acc_tot": share(right, trigger),
        "acc_start": share(right[:, :START], trigger[:, :START]),
        "acc_end": share(right, known),
        "acc_end_nonrep": share(right, known & ~repeat),
        "repeat_frac": share(repeat, trigger),
    }


@torch.no_grad()
def attention_metrics(
    A1: Float[Tensor, "B T T"], A2: Float[Tensor, "B T T"], logits: Float[Tensor, "B T V"], batch: Batch
) -> dict[str, float | None]:
    """Does layer 1 look one back after a trigger, and layer 2 to what followed the trigger before?"""
    x, y, flags, known = batch.x, batch.y, batch.flags, batch.mask
    T = x.shape[1]
    after, places = A1[:, 1:].argmax(dim=-1), torch.arange(T - 1, device=x.device)
    looks_back = after == places
    star = A2.argmax(dim=-1)  # where each position looks most
    inside = star >= 1
    before = (star - 1).clamp(min=0)
    same_trigger = inside & (x.gather(1, before) == x)
    looked_back_there = A1.argmax(dim=-1).gather(1, star) == star - 1
    seen = x.gather(1, star)
    repeat = known & (x == y)
    return {
        "score_acc": share(looks_back, flags[:, :-1] >= 1),
        "score_start_acc": share(looks_back, flags[:, :-1] == 1),
        "score2_acc": share(same_trigger, known),
        "score2_next_acc": share(seen == y, known),
        "score2_repeat_val_acc": share(seen == y, repeat),
        "score_cond_acc": share(looked_back_there, known & inside),
        "pred_attended_acc": share(seen == logits.argmax(dim=-1), known),
    }


@torch.no_grad()
def recall_probes(model: nn.Module, task: BigramTask) -> dict[str, float | None]:
    """How much each matrix has stored, for either model; None where the model has no such part.

    In the full model queries go through W_Q, heads are summed and LayerNorm is left out: a rough indicator only.
    """
    found: dict[str, float | None] = dict.fromkeys(PAPER_NAMES)
    if len(model.layers) < 2:
        return found
    simple = as_simplified(model)
    if len(simple.pe) > 1 and simple.pe.any():  # rotary positions leave no table to ask
        found["wk0_acc"] = probe_wk1(simple)
        found["wk0_64_acc"] = probe_wk1(_parts(pe=simple.pe.detach()[:64], layers=simple.layers))
    if len(task.probe_tokens):
        found["wk1_acc"] = probe_wk2(simple, task.probe_tokens)
    found["wo1_acc"] = probe_wo2(simple)
    ff = getattr(model.layers[1], "ff", None)
    if ff is not None:
        E = model.tok_embeddings.weight
        others = torch.ones(len(E), dtype=torch.bool, device=E.device)
        if task.fixed_triggers is not None:
            others[task.fixed_triggers] = False
        log_p = model.output(ff(E[others])).log_softmax(dim=-1)
        found["ff1_loss"] = F.kl_div(log_p, task.pi_b[others].to(log_p), reduction="batchmean").item()
    return found


def as_simplified(model: nn.Module) -> nn.Module:
    """The model with what the probes read: where there is a W_Q, W_Q^T W_K stands in for W_K."""
    if not hasattr(model.layers[0].attention, "wq"):
        return model
    layers = []
    for layer in model.layers:
        a = layer.attention
        wk = _parts(weight=a.wq.weight.T @ a.wk.weight)
        layers.append(_parts(attention=_parts(wk=wk, wv=a.wv, wo=a.wo)))
    return _parts(pe=model.pe, tok_embeddings=model.tok_embeddings, output=model.output, layers=layers)


def _parts(**parts) -> nn.Module:
    """A module that has these parts and no forward pass."""
    module = nn.Module()
    for name, part in parts.items():
        setattr(module, name, part)
    return module


def norms(model: nn.Module) -> dict[str, float]:
    """Norm of each trainable parameter and of its gradient (0 before there is one)."""
    found = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            found[f"norm_{name}"] = parameter.norm().item()
            found[f"gradnorm_{name}"] = 0.0 if parameter.grad is None else parameter.grad.norm().item()
    return found
