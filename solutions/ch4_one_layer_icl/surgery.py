"""What a trained model has learned (chapter 4): where it looks, what each layer votes for, what surgery repairs."""

from copy import deepcopy

import torch
from jaxtyping import Int
from torch import Tensor, nn

from .data import POPULATION, draws, sample_batch
from .model import OneLayer, attend, embed


def surgery(model: nn.Module) -> nn.Module:
    """A copy of the model with V = c I and F = 0, c the mean of the learned diagonal of V on the outputs seen.

    The model has W, V, F, each (2N, 2N), and cfg. W stays, and the given model is left as it is.
    """
    # solution
    cfg = model.cfg
    repaired = deepcopy(model)
    with torch.no_grad():
        c = model.V.diagonal()[cfg.Q : cfg.Q + cfg.Y].mean()
        repaired.V.copy_(c * torch.eye(len(model.V)).to(model.V))
        repaired.F.zero_()
    return repaired
    # end solution


def layer_votes(model: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Int[Tensor, "B"], Int[Tensor, "B"]]:
    """Which token each layer alone would predict: (votes of the attention layer, votes of the feed-forward layer).

    `batch`: (tokens, labels, outputs); `model(tokens)` returns (xi, xi_A, xi_F). Shapes: two times (B,), token ids.
    """
    # solution
    tokens, _, _ = batch
    with torch.no_grad():
        _, xi_A, xi_F = model(tokens)
    return xi_A.argmax(dim=-1), xi_F.argmax(dim=-1)
    # end solution


@torch.no_grad()
def look(model: OneLayer, alpha: float, sentences: int = 512) -> dict[str, float]:
    """Numbers about a trained model, on sentences of its own kind.

    On unseen outputs the shares of sentences in which its largest weight is on a token after the trigger, attention
    votes y, and the feed-forward layer votes tau; then the loss on seen and unseen outputs, as trained and after
    surgery (the expectation over the label noise).
    """
    cfg, noisy = model.cfg, model.noisy
    inside, outside = (
        sample_batch(cfg, sentences, noisy, alpha, ood, draws((0, POPULATION, ood))) for ood in (False, True)
    )
    tokens, _, outputs = outside
    top = attend(embed(tokens, cfg), model.params()["W"], model.kind)[1].abs().argmax(dim=1)
    before = tokens.gather(1, (top - 1).clamp(min=0)[:, None])[:, 0]
    of_attention, of_feed_forward = layer_votes(model, outside)
    shares = {
        "looks at a token after the trigger": (before == tokens[:, -1]) & (top > 0),
        "attention votes y": of_attention == outputs,
        "the feed-forward layer votes tau": of_feed_forward == cfg.vocab_size - 1,
    }
    if not noisy:
        del shares["the feed-forward layer votes tau"]
    found = {name: share.double().mean().item() for name, share in shares.items()}
    for state, one in (("as trained", model), ("after surgery", surgery(model))):
        for where, (tokens, _, outputs) in (("seen", inside), ("unseen", outside)):
            log_p = one(tokens)[0].log_softmax(dim=-1)
            of_y = log_p.gather(1, outputs[:, None]).mean().item()
            found[f"loss on {where} outputs, {state}"] = -(1 - alpha) * of_y - alpha * log_p[:, -1].mean().item()
    return found
