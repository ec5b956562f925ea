"""Hidden tests of exercise 3.22: whole rows, then padding, then §."""

import torch
import torch.nn.functional as F

from utils.grade import close, require

C = 7


def number(result):
    """The returned share, as far as it is one number."""
    require(result is not None, "masked_accuracy returns nothing: the line with return is missing")
    require(not isinstance(result, (list, tuple)), "masked_accuracy returns several values: return one number")
    if torch.is_tensor(result):
        thing = f"a tensor of shape {tuple(result.shape)}: .item() turns one that holds a single number into a float"
        require(False, f"masked_accuracy must return a Python float, but it returns {thing}", got=result)
    return result


def answers(draw, told, lengths, padding=None):
    """Logits and targets of rows with these lengths, right where `told` is; at padding the argmax is `padding`."""
    B, T = told.shape
    mask = torch.arange(T) < torch.tensor(lengths)[:, None]
    targets = draw.integers(0, C, B, T)
    logits = draw.normal(B, T, C)
    chosen = torch.where(told, targets, (targets + 1 + draw.integers(0, C - 1, B, T)) % C)
    if padding is not None:
        chosen = torch.where(mask, chosen, padding)
    logits = logits + (logits.amax(-1, keepdim=True) - logits.amin(-1, keepdim=True) + 0.1) * F.one_hot(chosen, C)
    return logits, targets.masked_fill(~mask, -100), mask


def check(masked_accuracy, logits, targets, told, real, says, **more):
    share = (told & real).sum().item() / real.sum().item()
    got = number(masked_accuracy(logits, targets, **more))
    require(not isinstance(got, bool), "masked_accuracy must return a share from 0 to 1, not True or False")
    close(float(got), share, says, rtol=0, atol=1e-5, name="the accuracy", inputs={"targets": targets})


def planted(draw, T):
    """Which positions are right: 0.7 of them, but more in the first rows and positions."""
    told = draw.uniform(5, T) < 0.7
    told[0], told[1, 0], told[2:, 0], told[4, 1:] = True, True, False, False
    return told


def test_whole_rows(masked_accuracy, draw):
    T = 6 + draw.index
    told = torch.ones(5, T, dtype=torch.bool)
    logits, targets, mask = answers(draw, told, [T] * 5)
    check(masked_accuracy, logits, targets, told, mask, "where every position is right, the accuracy is 1")
    told = planted(draw, T)
    logits, targets, mask = answers(draw, told, [T] * 5)
    says = "without padding, the accuracy isn't the share of positions whose largest logit is at the target"
    check(masked_accuracy, logits, targets, told, mask, says)


def test_padding(masked_accuracy, draw):
    for padding in (0, C - 1):
        told = planted(draw, 8)
        logits, targets, mask = answers(draw, told, [8, 2, 5, 1, 6], padding)
        says = "with padding, the accuracy must be the share of the real positions of the whole batch that are right"
        check(masked_accuracy, logits, targets, told, mask, says)
    for lengths in ([2, 1], [1, 0]):  # fewer real positions than any sensible lower limit, down to a single one
        told = torch.tensor([[True, False, True, False], [True, False, False, False]])
        logits, targets, mask = answers(draw, told, lengths, 0)
        n = sum(lengths)
        says = f"with {n} real position{'s' if n > 1 else ''} in the batch, the accuracy must be the share of those"
        check(masked_accuracy, logits, targets, told, mask, says)


def test_bos(masked_accuracy, draw):
    told = planted(draw, 8)
    told[:, 0] = draw.index == 0
    logits, targets, mask = answers(draw, told, [8, 2, 5, 4, 6])
    before = logits.clone(), targets.clone()
    for bos in (True, False):
        real = mask.clone()
        real[:, 0] &= not bos
        says = "with bos, position 0 of each row must not count" if bos else "without bos, position 0 counts too"
        check(masked_accuracy, logits, targets, told, real, says, bos=bos)
    got = masked_accuracy.call(logits, targets, bos=True)["args"]
    require(all(map(torch.equal, got, before)), "the caller's logits or targets are different after the call")
