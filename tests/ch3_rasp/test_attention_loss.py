"""Hidden tests of exercise 3.21: one whole row first, then rows that select nothing, padding, heads, gradients."""

import torch

from utils.grade import close, require

SAYS = "attention_loss must return a scalar tensor"


def probe_loss(attention_loss, patterns, heads, matrices, mask):
    """The loss, its gradients, and the matrices as they are afterwards. `heads`: [[layer, head], ...]."""
    patterns = [pattern.requires_grad_() for pattern in patterns]
    selectors = {tuple(head): matrix for head, matrix in zip(heads, matrices, strict=True)}
    loss = attention_loss(patterns, selectors, mask)
    gradients = []
    if torch.is_tensor(loss) and loss.requires_grad and loss.numel() == 1:
        found = torch.autograd.grad(loss.sum(), patterns, allow_unused=True)
        gradients = [torch.zeros_like(p) if g is None else g for p, g in zip(patterns, found, strict=True)]
    return {"loss": loss, "gradients": gradients, "matrices": matrices, "mask": mask}


def expected(patterns, heads, matrices, mask):
    """The oracle: row by row in float64."""
    losses = []
    for (layer, head), matrix in zip(heads, matrices, strict=True):
        for b in range(len(mask)):
            n = int(mask[b].sum())
            rows = matrix[b, :n, :n].double()
            rows = torch.stack([row / row.sum() if row.sum() else torch.full((n,), 1 / n).double() for row in rows])
            losses.append((patterns[layer][b, head, :n, :n].double() - rows).square().mean())
    return torch.stack(losses).mean()


def inputs(draw, T=5, padded=False, empty=False, B=3):
    """Two layers with two heads: patterns, and a random matrix for each head in which no row is empty."""
    mask = torch.ones(B, T, dtype=torch.bool)
    if padded:
        mask = torch.arange(T) < torch.tensor([T, 2, T - 2])[:, None]
    patterns = [draw.normal(B, 2, T, T, std=2).softmax(-1) for _ in range(2)]
    matrices = [draw.uniform(B, T, T) < 0.4 for _ in range(3)]
    for number, matrix in enumerate(matrices):
        matrix[:, :, 0] = True
        matrix[0, 1, :2] = True  # at least two keys in one row
        if empty:
            matrix[:, number % 2] = False
        matrix &= mask[:, :, None] & mask[:, None, :]
    return patterns, matrices, mask


def check(attention_loss, patterns, heads, matrices, mask, says):
    got = attention_loss.run(probe_loss, patterns, heads, matrices, mask)
    require(torch.is_tensor(got["loss"]) and got["loss"].ndim == 0, SAYS, got=got["loss"])
    close(got["loss"], expected(patterns, heads, matrices, mask).float(), says, name="the loss")
    return got


def test_one_head(attention_loss, draw):
    patterns, matrices, mask = inputs(draw, 4 + draw.index)
    says = "the loss isn't the mean square of pattern minus selector, whose rows are scaled to sum to 1"
    check(attention_loss, patterns, [[0, 0]], matrices[:1], mask, says)


def test_chosen_heads(attention_loss, draw):
    patterns, matrices, mask = inputs(draw)
    for heads in ([[1, 0]], [[0, 1]], [[0, 0], [0, 1], [1, 1]]):
        says = f"with selectors for {' and '.join(f'({a}, {b})' for a, b in heads)} the loss is off"
        check(attention_loss, patterns, heads, matrices[: len(heads)], mask, f"{says}: the mean over the given heads")


def test_empty_rows(attention_loss, draw):
    patterns, matrices, mask = inputs(draw, empty=True)
    says = "a row that selects nothing must be compared with the same weight on every key"
    check(attention_loss, patterns, [[0, 0], [1, 0]], matrices[:2], mask, says)


def test_padding(attention_loss, draw):
    patterns, matrices, mask = inputs(draw, padded=True)
    says = "with padding, only each sequence's own l x l block counts, and every sequence weighs the same"
    check(attention_loss, patterns, [[0, 0]], matrices[:1], mask, says)
    patterns, matrices, mask = inputs(draw, padded=True, empty=True)
    says = "with padding, a row that selects nothing must be uniform over the real keys alone"
    check(attention_loss, patterns, [[0, 0], [1, 0]], matrices[:2], mask, says)
    matrices[0] = matrices[0] | ~mask[:, :, None] | ~mask[:, None, :]
    says = "what a selector says about padding must not change the loss"
    check(attention_loss, patterns, [[0, 0], [1, 0]], matrices[:2], mask, says)


def test_gradients(attention_loss, draw):
    patterns, matrices, mask = inputs(draw, padded=True, empty=True)
    heads = [[0, 1], [1, 0]]
    got = check(attention_loss, patterns, heads, matrices[:2], mask, "the loss is off")
    require(got["gradients"], "no gradient flows from the loss into the patterns")
    leaves = [pattern.detach().clone().requires_grad_() for pattern in patterns]
    right = torch.autograd.grad(expected(leaves, heads, matrices[:2], mask), leaves)
    for one, other in zip(got["gradients"], right, strict=True):
        close(one, other, "the gradient of the loss with respect to the patterns is off", name="the gradient")


def test_arguments_are_left_alone(attention_loss, draw):
    patterns, matrices, mask = inputs(draw, padded=True, empty=True)
    got = check(attention_loss, patterns, [[0, 1], [1, 0]], matrices[:2], mask, "the loss is off")
    same = all(map(torch.equal, got["matrices"], matrices[:2])) and torch.equal(got["mask"], mask)
    require(same, "the caller's selectors or mask are different after the call")
