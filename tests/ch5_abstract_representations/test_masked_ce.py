"""Hidden tests of exercise 5.7: torch's own loss over all cells, or over the hidden ones."""

import torch
import torch.nn.functional as F

from utils.grade import close, draws, equal, raises, require

B, T, V = 3, 5, 23


def probe_loss(masked_ce, logits, target, mask, where):
    """The loss, its gradient, and the arguments afterwards; without `where` if it is "default"."""
    logits.requires_grad_()
    loss = masked_ce(logits, target, mask) if where == "default" else masked_ce(logits, target, mask, where)
    linked = torch.is_tensor(loss) and loss.requires_grad and loss.ndim == 0
    if linked:
        loss.backward()
    return {"loss": loss, "linked": linked, "gradient": logits.grad, "args": [logits, target, mask]}


def make(draw):
    mask = draw.uniform(B, T) < 0.5
    mask[0], mask[1, :4] = True, False  # boards with unequal numbers of hidden cells
    target = draw.integers(0, V, B, T)
    target[:, 0] = torch.arange(V - B, V)
    return draw.normal(B, T, V, std=2.0), target, mask


def run(masked_ce, logits, target, mask, where="default"):
    got = masked_ce.run(probe_loss, logits, target, mask, where)
    loss = got["loss"]
    require(
        torch.is_tensor(loss) and loss.ndim == 0, "the loss must be a single number, a tensor without axes", got=loss
    )
    require(got["linked"], "the loss is cut off from the logits: nothing could be trained with it")
    for name, before, now in zip(("logits", "target", "mask"), (logits, target, mask), got["args"], strict=True):
        equal(now, before, f"the caller's {name} is different after the call")
    return got


def test_all(masked_ce, draw):
    logits, target, mask = make(draw)
    expected = F.cross_entropy(logits.flatten(0, 1), target.flatten())
    says = 'with where="all" the loss must be the mean cross-entropy over all cells, in nats'
    close(run(masked_ce, logits, target, mask, "all")["loss"], expected, says)
    close(
        run(masked_ce, logits, target, mask)["loss"], expected, 'without `where` the loss must be that of where="all"'
    )


def test_masked(masked_ce, draw):
    logits, target, mask = make(draw)
    leaf = logits.clone().requires_grad_()
    expected = F.cross_entropy(leaf[mask], target[mask])
    expected.backward()
    says = 'with where="masked" the loss must be the mean over all hidden cells, each of them counted once'
    got = run(masked_ce, logits, target, mask, "masked")
    close(got["loss"], expected.detach(), says)
    close(got["gradient"], leaf.grad, "the gradient is off: visible cells must have no part in it")
    mask[1] = False
    says = "a board without hidden cells must not count: the mean is that over the hidden cells of all boards"
    close(run(masked_ce, logits, target, mask, "masked")["loss"], F.cross_entropy(logits[mask], target[mask]), says)


def test_nothing_hidden(masked_ce, draw):
    logits, target, mask = make(draw)
    got = run(masked_ce, logits, target, torch.zeros_like(mask), "masked")
    close(got["loss"], torch.tensor(0.0), "where no cell is hidden, the masked loss must be 0")


@draws(1)
def test_unknown_where(masked_ce, draw):
    for where in ("hidden", "Masked", ""):
        with raises(f"where={where!r} is neither all nor masked: it must be refused with a ValueError", "ValueError"):
            masked_ce.run(probe_loss, *make(draw), where)


def test_large_logits(masked_ce, draw):
    logits, target, mask = make(draw)
    for where, cells in (("all", torch.ones_like(mask)), ("masked", mask)):
        says = "with large logits the loss is off: cross_entropy copes with any size, exp and log alone do not"
        close(
            run(masked_ce, 100 * logits, target, mask, where)["loss"],
            F.cross_entropy(100 * logits[cells], target[cells]),
            says,
        )
