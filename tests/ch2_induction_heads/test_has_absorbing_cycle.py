"""Hidden tests of exercise 2.6: do a row's outputs lead in a cycle? Judged by walking every chain."""

import torch

from utils.grade import equal, require
from utils.grade.judge import a_thing


def walks(leads_to):
    """The oracle for one row, a dict: whoever still stands on a trigger after k steps can only be in a cycle."""
    ends = list(leads_to)
    for _ in leads_to:
        ends = [leads_to[token] for token in ends if token in leads_to]
    return any(token in leads_to for token in ends)


def check(has_absorbing_cycle, triggers, outputs, says):
    got = has_absorbing_cycle(triggers, outputs)
    require(torch.is_tensor(got), f"the result must be a tensor, but it is {a_thing(got)}")
    B = len(triggers)
    wanted = f"the result has shape {tuple(got.shape)}, but there is one answer for each sequence: ({B},)"
    require(tuple(got.shape) == (B,), wanted, got=got)
    require(got.dtype == torch.bool, f"the result must be a bool tensor, but its dtype is {got.dtype}", got=got)
    pairs = zip(triggers.tolist(), outputs.tolist(), strict=True)
    expected = torch.tensor([walks(dict(zip(*pair, strict=True))) for pair in pairs], dtype=torch.bool)
    equal(got, expected, says, inputs={"triggers": triggers, "outputs": outputs})


def rows(draw, V, *maps):
    """Triggers and outputs (B, k) of maps between the tokens 0..V-1, with tokens renamed and triggers shuffled."""
    triggers, outputs = [], []
    for leads_to in maps:
        names, order = draw.permutation(V), draw.permutation(len(leads_to))
        triggers.append(names[torch.tensor(list(leads_to.keys()))][order])
        outputs.append(names[torch.tensor(list(leads_to.values()))][order])
    return torch.stack(triggers), torch.stack(outputs)


def test_self_loops(has_absorbing_cycle, draw):
    maps = {0: 4, 1: 1, 2: 5}, {0: 3, 1: 4, 2: 5}, {0: 0, 1: 5, 2: 2}, {0: 7, 1: 7, 2: 7}
    triggers, outputs = rows(draw, 8, *maps)
    check(
        has_absorbing_cycle, triggers, outputs, "a trigger that is its own output is a cycle, one that leads out is not"
    )


def test_chains_end(has_absorbing_cycle, draw):
    maps = {0: 1, 1: 2, 2: 3, 3: 9}, {0: 1, 1: 8, 2: 3, 3: 8}, {0: 3, 1: 3, 2: 3, 3: 7}, {0: 1, 1: 6, 2: 1, 3: 2}
    triggers, outputs = rows(draw, 10, *maps)
    says = "a chain of triggers that ends in some other token is not a cycle, even when two chains meet on the way"
    check(has_absorbing_cycle, triggers, outputs, says)


def test_longer_cycles(has_absorbing_cycle, draw):
    maps = [{0: 1, 1: 0, 2: 9, 3: 8, 4: 7}, {0: 1, 1: 2, 2: 0, 3: 9, 4: 9}, {0: 1, 1: 2, 2: 3, 3: 0, 4: 8}]
    maps += [{0: 1, 1: 2, 2: 3, 3: 4, 4: 0}, {0: 1, 1: 2, 2: 3, 3: 4, 4: 9}]
    triggers, outputs = rows(draw, 10, *maps[:: 1 - 2 * draw.index])
    check(
        has_absorbing_cycle,
        triggers,
        outputs,
        "a cycle over several triggers is not told from a chain of the same length",
    )


def test_a_way_into_a_cycle(has_absorbing_cycle, draw):
    maps = [{0: 1, 1: 2, 2: 3, 3: 2}, {0: 1, 1: 1, 2: 9, 3: 8}, {0: 1, 1: 2, 2: 3, 3: 1}, {0: 8, 1: 9, 2: 3, 3: 2}]
    maps += [{0: 1, 1: 0, 2: 3, 3: 2}, {0: 1, 1: 9, 2: 0, 3: 1}]
    triggers, outputs = rows(draw, 10, *maps)
    check(
        has_absorbing_cycle,
        triggers,
        outputs,
        "a cycle that only some of the triggers belong to, or lead into, is missed",
    )
    V, k, B = 5 + 2 * draw.index, 4 + draw.index, 60
    triggers = torch.stack([draw.permutation(V)[:k] for _ in range(B)])
    outputs = draw.integers(0, V, B, k)
    says = "some of 60 random maps from trigger to output are judged wrongly"
    check(has_absorbing_cycle, triggers, outputs, says)


def test_every_token_is_a_trigger(has_absorbing_cycle, draw):
    V = 3 + 60 * draw.index
    triggers = torch.stack([draw.permutation(V) for _ in range(3)])
    chain = torch.cat([torch.arange(1, V), torch.tensor([0])])  # one cycle through all of the V tokens
    outputs = torch.empty_like(triggers)
    for row, names in enumerate((draw.permutation(V), draw.permutation(V), draw.permutation(V))):
        leads_to = torch.empty(V, dtype=torch.int64)
        leads_to[names] = names[chain]
        outputs[row] = leads_to[triggers[row]]
        outputs[row, triggers[row] == names[-1]] = names[-1] + V + 100 if row == 1 else names[0]  # cut open in one row
    says = "with as many triggers as tokens, one cycle through all of them, or that cycle cut open, is judged wrongly"
    check(has_absorbing_cycle, triggers, outputs, says)


def test_no_triggers(has_absorbing_cycle, draw):
    none = torch.empty(3 + draw.index, 0, dtype=torch.int64)
    check(
        has_absorbing_cycle, none, none.clone(), "with k = 0 no row has a cycle: the answer is False for each of them"
    )


def test_arguments_are_left_alone(has_absorbing_cycle, draw):
    triggers, outputs = rows(draw, 8, {0: 1, 1: 0, 2: 5}, {0: 1, 1: 2, 2: 2}, {0: 1, 1: 2, 2: 6})
    after = has_absorbing_cycle.call(triggers, outputs)["args"]
    equal(after[0], triggers, "the caller's triggers are different after the call")
    equal(after[1], outputs, "the caller's outputs are different after the call")
