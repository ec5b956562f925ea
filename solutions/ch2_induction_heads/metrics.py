"""What is measured while a model of chapter 2 trains: losses, in-context accuracy, attention, memory recall.

A measurement over no position at all is None; a loss over none is 0.
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
    first, second = model.layers[0].attention, model.layers[1].attention
    if model.pe is not None and len(model.pe) > 1:
        found["wk0_acc"] = _previous(first, model.pe)
        found["wk0_64_acc"] = _previous(first, model.pe[:64])
    E, tokens = model.tok_embeddings.weight, task.probe_tokens
    chosen = E[tokens]
    scores = einsum(_query(second, chosen), second.wk(first.wo(first.wv(chosen))), "i d, j d -> i j")
    if len(tokens):
        found["wk1_acc"] = _diagonal(scores)
    found["wo1_acc"] = _diagonal(model.output(second.wo(second.wv(E))))
    if model.layers[1].ff is not None:
        others = torch.ones(len(E), dtype=torch.bool, device=E.device)
        if task.fixed_triggers is not None:
            others[task.fixed_triggers] = False
        log_p = model.output(model.layers[1].ff(E[others])).log_softmax(dim=-1)
        found["ff1_loss"] = F.kl_div(log_p, task.pi_b[others].to(log_p), reduction="batchmean").item()
    return found


def _query(attention: nn.Module, x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    return attention.wq(x) if hasattr(attention, "wq") else x


def _previous(attention: nn.Module, P: Float[Tensor, "T d"]) -> float:
    return _diagonal(einsum(_query(attention, P[1:]), attention.wk(P[:-1]), "t d, s d -> t s"))


def _diagonal(scores: Float[Tensor, "n n"]) -> float:
    """Share of rows whose largest entry is on the diagonal."""
    return (scores.argmax(dim=1) == torch.arange(len(scores), device=scores.device)).double().mean().item()


def norms(model: nn.Module) -> dict[str, float]:
    """Norm of each trainable parameter and of its gradient (0 before there is one)."""
    found = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            found[f"norm_{name}"] = parameter.norm().item()
            found[f"gradnorm_{name}"] = 0.0 if parameter.grad is None else parameter.grad.norm().item()
    return found


def recall_by_position(model: nn.Module, block: int = 16) -> list[float]:
    """The W_K^1 probe in blocks of positions: late ones are rarely needed, so they are learned late."""
    P: Int[Tensor, "T d"] = model.pe
    with torch.no_grad():
        scores = einsum(P[1:], model.layers[0].attention.wk(P[:-1]), "t d, s d -> t s")
    right = (scores.argmax(dim=1) == torch.arange(len(scores), device=P.device)).double()
    return [part.mean().item() for part in right.split(block)]
