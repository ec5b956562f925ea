"""What the hidden tests of train and one_step share: a small model's weights, batches, and gradients of its loss."""

from pathlib import Path

import torch

from utils.grade.suite import load_file

ours = load_file(Path(__file__).with_name("_stand_in.py"))

B, T, D, V, ROWS = 3, 5, 8, 9, 7  # all different; ROWS positions, more than the tokens that come


def tables(draw):
    """A state dict; scores and logits have standard deviations of about 1."""
    weights = {name: draw.normal(D, D, std=0.8 / D**0.5) for name in ours.maps()}
    weights |= {"tok_embeddings.weight": draw.normal(V, D), "output.weight": draw.normal(V, D, std=0.4)}
    return weights | {"pe": draw.normal(ROWS, D)}


def batch(draw, masked):
    """x, y and a mask with `masked` positions; y isn't a shift of x."""
    mask = torch.zeros(B * T, dtype=torch.bool)
    mask[draw.permutation(B * T)[:masked]] = True
    return draw.integers(0, V, B, T), draw.integers(0, V, B, T), mask.view(B, T)


def masked_loss(weights, x, y, mask):
    """The mean of -log p(y) over the masked positions, one by one."""
    scores = ours.logits(weights, x)
    losses = [scores[b, t].logsumexp(0) - scores[b, t, y[b, t]] for b, t in mask.nonzero().tolist()]
    return torch.stack(losses).mean() if losses else 0 * scores.sum()


def gradients(weights, names, given):
    """The gradients of the masked loss by those names, and the loss."""
    leaves = {name: weights[name].clone().requires_grad_() for name in names}
    loss = masked_loss(weights | leaves, *given)
    slopes = torch.autograd.grad(loss, list(leaves.values())) if leaves else ()
    return dict(zip(names, slopes, strict=True)), float(loss.detach())
