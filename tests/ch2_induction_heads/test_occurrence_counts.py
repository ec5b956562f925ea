"""Hidden tests of exercise 2.4: how often the trigger at a position has occurred so far, judged by a plain loop."""

import torch

from utils.grade import equal, require
from utils.grade.judge import a_thing

WHOLE = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def counted(row, mine):
    """The oracle for one row, both lists: how often each of its tokens, if a trigger, has come up so far."""
    return [row[: at + 1].count(token) if token in mine else 0 for at, token in enumerate(row)]


def distinct(draw, B, k, V):
    """Triggers (B, k), different within a row."""
    return torch.stack([draw.permutation(V)[:k] for _ in range(B)])


def check(occurrence_counts, x, triggers, says):
    got = occurrence_counts(x, triggers)
    require(torch.is_tensor(got), f"the result must be a tensor, but it is {a_thing(got)}")
    wanted = f"the result has shape {tuple(got.shape)}, but there is one count for each position: {tuple(x.shape)}"
    require(got.shape == x.shape, wanted, got=got)
    require(got.dtype in WHOLE, f"the counts are whole numbers, but the result is a tensor of {got.dtype}", got=got)
    wanted = [counted(*pair) for pair in zip(x.tolist(), triggers.tolist(), strict=True)]
    wanted = torch.tensor(wanted, dtype=torch.int64).reshape(x.shape)
    equal(got.long(), wanted, says, inputs={"x": x, "triggers": triggers})


def test_one_trigger(occurrence_counts, draw):
    q, *others = draw.permutation(9).tolist()
    lengths = [draw.integer(1, 4) for _ in range(4)]
    row = [token for n in lengths for token in [q, *(others * 2)[:n]]]
    start = [others[5]] if draw.index == 0 else []  # the trigger stands first in one draw, last in the other
    x = torch.tensor([start + row + [q, others[0], q][: 2 + draw.index]])
    says = "with one trigger in one row, the counts at that trigger are not 1, 2, 3, ..., and 0 everywhere else"
    check(occurrence_counts, x, torch.tensor([[q]]), says)


def test_several_triggers(occurrence_counts, draw):
    x, triggers = draw.integers(0, 6, 1, 19), distinct(draw, 1, 3, 6)
    check(occurrence_counts, x, triggers, "with several triggers, each must have a count of its own")


def test_token_zero(occurrence_counts, draw):
    x = draw.integers(0, 4, 2, 12)
    x[0, [1, 4, 8]], x[1, [0, 11]] = 0, 0
    triggers = torch.tensor([[0, 2], [0, 2]]) if draw.index else torch.tensor([[0], [0]])
    check(occurrence_counts, x, triggers, "token 0 can be a trigger like any other, not a blank")


def test_each_row_has_its_own_triggers(occurrence_counts, draw):
    x, triggers = draw.integers(0, 7, 5, 16), distinct(draw, 5, 2 + draw.index, 7)
    check(occurrence_counts, x, triggers, "a row must be counted alone, and with its own triggers")


def test_runs_and_long_rows(occurrence_counts, draw):
    q = draw.integer(0, 4)
    x = torch.full((2, 300), q)  # a cycle: nothing but the trigger
    x[1, ::2] = q + 1
    triggers = torch.tensor([[q, q + 2], [q + 1, q]])
    check(occurrence_counts, x, triggers, "a trigger that follows itself, hundreds of times, is counted wrongly")


def test_smallest_sizes(occurrence_counts, draw):
    x = draw.integers(0, 5, 4, 1)
    triggers = (x + torch.tensor([[0], [1], [0], [2]])) % 5
    check(
        occurrence_counts, x, triggers, "in a sequence of one token (T = 1) the count is 1 at a trigger and 0 elsewhere"
    )
    big = 50_000 + draw.integers(0, 3, 3, 8)
    check(occurrence_counts, big, big[:, :1].clone(), "tokens with large ids are counted wrongly")


def test_no_triggers(occurrence_counts, draw):
    x = draw.integers(0, 5, 3, 7 + draw.index)
    check(
        occurrence_counts, x, torch.empty(3, 0, dtype=torch.int64), "with k = 0 no token is a trigger: all counts are 0"
    )


def test_arguments_are_left_alone(occurrence_counts, draw):
    x, triggers = draw.integers(0, 6, 3, 11), distinct(draw, 3, 2, 6)
    after = occurrence_counts.call(x, triggers)["args"]
    equal(after[0], x, "the caller's tokens are different after the call")
    equal(after[1], triggers, "the caller's triggers are different after the call")
