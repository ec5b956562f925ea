"""What the causal mask and the positions are good for: the same model without each, at the same budget (chapter 1).

The held-out loss alone misleads. Without the mask it is the lowest of all, because the model reads the answer; without
positions it hardly rises, because the causal mask itself tells early from late (Haviv et al. 2022). So the mask is
judged where there is no future to read, and positions by probes that depend on order.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from utils.train import generator

from .checkpoints import load_checkpoint
from .evaluation import evaluate
from .generation import generate
from .text_data import TextData

NAMES = ("small", "no_positions", "no_mask")


@torch.no_grad()
def mask_experiment(model: nn.Module, rows: Int[Tensor, "rows T"], count: int = 32, new_tokens: int = 32) -> dict:
    """How the model does on text whose future it cannot see, as in generation, against text it sees whole.

    Reads `count` of the rows. Returns {"reading_loss", "reading_accuracy"} (the whole row is there, as in training),
    {"writing_loss", "writing_accuracy"} (the next token after a prefix, and nothing after it, for eight lengths), and
    {"distinct"}: the fraction of distinct tokens among the greedy continuations of eight prefixes.
    """
    rows = rows[:count].to(next(model.parameters()).device)
    reading = evaluate(model, rows)
    T = rows.shape[1]
    losses, right = [], []
    for end in torch.linspace(2, T - 1, 8).long().tolist():
        logits = model(rows[:, :end])[:, -1]
        losses.append(F.cross_entropy(logits, rows[:, end]).item())
        right.append((logits.argmax(dim=-1) == rows[:, end]).float().mean().item())
    half = T // 2
    written = [generate(model, row[:half], min(new_tokens, T - half))[half:] for row in rows[:8]]
    distinct = sum(len(text.unique()) / len(text) for text in written) / len(written)
    return {
        "reading_loss": reading["loss"],
        "reading_accuracy": reading["accuracy"],
        "writing_loss": sum(losses) / len(losses),
        "writing_accuracy": sum(right) / len(right),
        "distinct": distinct,
    }


@torch.no_grad()
def position_experiment(model: nn.Module, rows: Int[Tensor, "rows T"], count: int = 96, seed: int = 0) -> dict:
    """Two probes that depend on order.

    "position_r2": for the input of each block and of the final layer norm, how well a linear map tells the position
    (R^2 on rows it was not fitted to; half of `count` rows each). "loss_intact" and "loss_shuffled": loss of the last
    token of each row, with the tokens before the last three in order and in a random order; "order_gain" is the
    difference: what knowing the order of the far context is worth, in nats.
    """
    rows = rows[:count].to(next(model.parameters()).device)
    T = rows.shape[1]
    stream = residual_stream(model, rows)
    position = torch.arange(T, device=rows.device).float().expand(len(rows), T)
    half = len(rows) // 2
    r2 = [_probe(x[:half], position[:half], x[half:], position[half:]) for x in stream]

    draws = generator(seed)
    orders = torch.stack([torch.randperm(T - 4, generator=draws) for _ in rows]).to(rows.device)
    shuffled = torch.cat([rows[:, : T - 4].gather(1, orders), rows[:, T - 4 :]], dim=1)
    intact_loss, shuffled_loss = (F.cross_entropy(model(x[:, :-1])[:, -1], x[:, -1]).item() for x in (rows, shuffled))
    return {
        "position_r2": r2,
        "loss_intact": intact_loss,
        "loss_shuffled": shuffled_loss,
        "order_gain": shuffled_loss - intact_loss,
    }


def residual_stream(model: nn.Module, tokens: Int[Tensor, "B T"]) -> list[Float[Tensor, "B T E"]]:
    """The residual stream before each block and before the final layer norm: L + 1 tensors."""
    stream: list[Tensor] = []
    readers = [*model.blocks, model.final_layer_norm]
    hooks = [reader.register_forward_pre_hook(lambda _, inputs: stream.append(inputs[0])) for reader in readers]
    try:
        model(tokens)
    finally:
        for hook in hooks:
            hook.remove()
    return stream


def _probe(x: Tensor, y: Tensor, x_test: Tensor, y_test: Tensor, ridge: float = 1e-3) -> float:
    """R^2 on the test half of a ridge regression of y (B, T) on x (B, T, E)."""
    x, x_test = (a.flatten(0, 1).double() for a in (x, x_test))
    y, y_test = (a.flatten().double() for a in (y, y_test))
    mean, std = x.mean(dim=0), x.std(dim=0) + 1e-9
    x, x_test = (torch.cat([(a - mean) / std, torch.ones_like(a[:, :1])], dim=1) for a in (x, x_test))
    weights = torch.linalg.solve(x.T @ x + ridge * len(x) * torch.eye(x.shape[1]).to(x), x.T @ y)
    return (1 - (x_test @ weights - y_test).square().mean() / y_test.var(correction=0)).item()


def compare(data: TextData, checkpoints: dict[str, str] | None = None) -> dict[str, dict]:
    """Both experiments for the shipped small model and its two controls (or the checkpoints given by name and path).

    `data` must be tokenised by the checkpoints' tokenizer. Returns {name: {"reading_loss": ..., "order_gain": ...}}.
    """
    results = {}
    for name, path in (checkpoints or {name: name for name in NAMES}).items():
        model = load_checkpoint(path).model
        results[name] = {**mask_experiment(model, data.held_out), **position_experiment(model, data.held_out)}
    return results
