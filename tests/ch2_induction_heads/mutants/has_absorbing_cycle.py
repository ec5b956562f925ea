"""Wrong answers to exercise 2.6 that learners write, and right ones written differently.

Walks that never end are left out: they would hang the tests of the tests. A recursion that is too deep stands in.
"""

import torch

from utils.grade.mutants import right, wrong


def maps(triggers, outputs):
    """Each row's dictionary from trigger to output."""
    return [dict(zip(q, o, strict=True)) for q, o in zip(triggers.tolist(), outputs.tolist(), strict=True)]


def bools(values):
    return torch.tensor(list(values), dtype=torch.bool)


def circles(leads_to, start, steps):
    """Whether a walk from `start` comes back to it within `steps` steps."""
    at = start
    for _ in range(steps):
        at = leads_to.get(at)
        if at == start:
            return True
    return False


def judge(leads_to):
    return any(circles(leads_to, start, len(leads_to)) for start in leads_to)


def walked(triggers, outputs):
    return bools(judge(leads_to) for leads_to in maps(triggers, outputs))


@wrong("only triggers that are their own output are found: a cycle can lead over several triggers")
def self_loops_only(triggers, outputs):
    return (triggers == outputs).any(1)


@wrong("cycles of one and two triggers are found, longer ones are not: follow the chain for as many steps as triggers")
def up_to_two(triggers, outputs):
    return bools(any(circles(m, start, 2) for start in m) for m in maps(triggers, outputs))


@wrong("cycles of up to three triggers are found, longer ones are not: follow the chain for as many steps as triggers")
def up_to_three(triggers, outputs):
    return bools(any(circles(m, start, 3) for start in m) for m in maps(triggers, outputs))


@wrong("the walk stops one step early: a cycle through all k triggers takes k steps")
def one_step_short(triggers, outputs):
    return bools(any(circles(m, start, len(m) - 1) for start in m) for m in maps(triggers, outputs))


@wrong("every output that is a trigger counts as a cycle: the chain may still lead out")
def any_trigger_as_output(triggers, outputs):
    return (outputs[:, :, None] == triggers[:, None, :]).any((1, 2))


@wrong("a cycle is seen only when every output is a trigger: one cycle among some of them is enough")
def all_outputs_are_triggers(triggers, outputs):
    return (outputs[:, :, None] == triggers[:, None, :]).any(2).all(1)


@wrong("self-loops are not taken for cycles: a trigger that is its own output repeats itself for ever")
def without_self_loops(triggers, outputs):
    return walked(triggers, torch.where(triggers == outputs, -1, outputs))


@wrong("the walk starts from the first trigger only: a cycle can be among the others")
def from_the_first(triggers, outputs):
    found = []
    for leads_to, start in zip(maps(triggers, outputs), triggers[:, :1].tolist(), strict=True):
        at = start[0] if start else None
        for _ in leads_to:
            at = leads_to.get(at)
        found.append(at in leads_to)
    return bools(found)


@wrong("two chains that meet are taken for a cycle: what one walk has visited must not count for the next one")
def shared_visits(triggers, outputs):
    found = []
    for leads_to in maps(triggers, outputs):
        visited, cycle = set(), False
        for start in leads_to:
            at = None if start in visited else start
            while at in leads_to and at not in visited:
                visited.add(at)
                at = leads_to[at]
            cycle = cycle or at in visited
        found.append(cycle)
    return bools(found)


@wrong("two triggers with the same output are taken for a cycle")
def same_output(triggers, outputs):
    return bools(judge(m) or len(set(m.values())) < len(m) for m in maps(triggers, outputs))


# An answer that asks for the same set of tokens on both sides behaves alike, so the two share a sentence.
ALL = "every trigger must lie on a cycle for this answer: one cycle among some of them is enough"


@wrong(ALL)
def all_must_circle(triggers, outputs):
    return bools(bool(m) and all(circles(m, start, len(m)) for start in m) for m in maps(triggers, outputs))


@wrong("a walk that leads into a cycle beside its start never comes back to the start: count the steps and stop")
def never_ends(triggers, outputs):
    def back(leads_to, at, start):
        return at == start or (at in leads_to and back(leads_to, leads_to[at], start))

    return bools(any(back(m, m[start], start) for start in m) for m in maps(triggers, outputs))


@wrong("a walk in a cycle never leaves the triggers: count the steps and stop")
def walks_until_out(triggers, outputs):
    def leaves(leads_to, at):
        return at not in leads_to or leaves(leads_to, leads_to[at])

    return bools(not all(leaves(m, start) for start in m) for m in maps(triggers, outputs))


@wrong("an output is taken for the place of a trigger in its row: it is a token id, so look it up among the triggers")
def ids_as_places(triggers, outputs):
    B, k = triggers.shape
    leads_to = outputs[:, :, None] == torch.arange(k)
    goes_on = torch.ones(B, k, dtype=torch.bool)
    for _ in range(k):
        goes_on = (leads_to & goes_on[:, None]).any(2)
    return goes_on.any(1)


@wrong("the map of the first row is used for all rows")
def first_row(triggers, outputs):
    return walked(triggers, outputs)[:1].expand(len(triggers)).clone()


@wrong("one answer for the whole batch is returned: each sequence has its own")
def one_for_all(triggers, outputs):
    return walked(triggers, outputs).any()


@wrong("the fraction of rows with a cycle is returned: return one answer for each row")
def share(triggers, outputs):
    return walked(triggers, outputs).float().mean()


@wrong("one answer for each trigger is returned: a row needs one, true when any of its triggers runs in a cycle")
def one_for_each_trigger(triggers, outputs):
    return torch.stack([bools(circles(m, start, len(m)) for start in m) for m in maps(triggers, outputs)])


@wrong("the answer is inverted: True means a cycle")
def upside_down(triggers, outputs):
    return ~walked(triggers, outputs)


@wrong("the answers are numbers: return a bool tensor")
def numbers(triggers, outputs):
    return walked(triggers, outputs).long()


@wrong("the answers are a list: return a tensor")
def as_list(triggers, outputs):
    return walked(triggers, outputs).tolist()


@wrong("the number of steps is fixed at 5: a row can have more triggers than that")
def five_steps(triggers, outputs):
    return bools(any(circles(m, start, 5) for start in m) for m in maps(triggers, outputs))


@wrong("only cycles of exactly k steps (or of a divisor of k) are found: a cycle may have any length up to k")
def back_after_k(triggers, outputs):
    found = []
    for leads_to in maps(triggers, outputs):
        ends = []
        for start in leads_to:
            at = start
            for _ in leads_to:
                at = leads_to.get(at)
            ends.append(at == start)
        found.append(any(ends))
    return bools(found)


@wrong(ALL)
def same_set(triggers, outputs):
    return (triggers.sort(1).values == outputs.sort(1).values).all(1) & (triggers.shape[1] > 0)


@wrong("the table from token to output is too small where an output has a larger id than all triggers")
def small_table(triggers, outputs):
    B, k = triggers.shape
    V = int(triggers.max()) + 1 if k else 1
    leads_to = torch.full((B, V), -1).scatter(1, triggers, outputs)
    at = triggers
    for _ in range(k):
        at = torch.where(at >= 0, leads_to.gather(1, at.clamp(min=0)), -1)
    return (at >= 0).any(1)


@wrong("with k = 0 no answer is returned: it is False for every row then")
def empty_for_none(triggers, outputs):
    return walked(triggers, outputs) if triggers.shape[1] else torch.empty(0, dtype=torch.bool)


@wrong("with k = 0 the answer is True: without triggers there is no cycle")
def true_for_none(triggers, outputs):
    return walked(triggers, outputs) | (triggers.shape[1] == 0)


@wrong("the caller's outputs are overwritten during the walk: walk on a copy")
def walks_in_place(triggers, outputs):
    found = walked(triggers, outputs)
    outputs[(outputs[:, :, None] != triggers[:, None]).all(2)] = -1
    return found


@wrong("the walk is half as long as it has to be: among k triggers a chain can have k steps")
def half_the_steps(triggers, outputs):
    found = []
    for leads_to in maps(triggers, outputs):
        ends = list(leads_to)
        for _ in range(len(leads_to) // 2 + 1):
            ends = [leads_to.get(at) for at in ends]
        found.append(any(at in leads_to for at in ends))
    return bools(found)


@wrong("two steps are taken, and a walk that is then on a trigger counts as a cycle: a chain may still lead out later")
def two_steps(triggers, outputs):
    return bools(any(m.get(m[start]) in m for start in m) for m in maps(triggers, outputs))


@wrong("two triggers among the outputs are taken for a cycle: follow the chains")
def two_triggers_as_outputs(triggers, outputs):
    return bools(len(set(m) & set(m.values())) >= 2 for m in maps(triggers, outputs))


@wrong("only cycles of two triggers are found: follow the chain for as many steps as triggers")
def exactly_two(triggers, outputs):
    return bools(any(m.get(m[start]) == start and m[start] != start for start in m) for m in maps(triggers, outputs))


@wrong("the walk starts from the last trigger only: a cycle can be among the others")
def from_the_last(triggers, outputs):
    found = []
    for leads_to, start in zip(maps(triggers, outputs), triggers[:, -1:].tolist(), strict=True):
        at = start[0] if start else None
        for _ in leads_to:
            at = leads_to.get(at)
        found.append(at in leads_to)
    return bools(found)


@wrong("one row with a cycle makes all rows True: each sequence has its own answer")
def any_row(triggers, outputs):
    return walked(triggers, outputs).any().expand(len(triggers)).clone()


@wrong("a chain over all k triggers counts as a cycle: it takes k steps to end, so fewer steps do not tell")
def goes_on_too_briefly(triggers, outputs):
    leads = outputs[:, :, None] == triggers[:, None, :]
    goes_on = torch.ones_like(triggers, dtype=torch.bool)
    for _ in range(triggers.shape[1] - 1):
        goes_on = (leads & goes_on[:, None, :]).any(2)
    return goes_on.any(1)


@right
def by_powers(triggers, outputs):
    step = (outputs[:, :, None] == triggers[:, None, :]).double()
    power = step
    cycle = torch.zeros(len(triggers))
    for _ in range(triggers.shape[1]):
        cycle = cycle + power.diagonal(dim1=1, dim2=2).sum(1)
        power = (power @ step).clamp(max=1)
    return cycle > 0


@right
def by_pruning(triggers, outputs):
    found = []
    for leads_to in maps(triggers, outputs):
        left = dict(leads_to)
        while any(output not in left for output in left.values()):
            left = {q: o for q, o in left.items() if o in left}
        found.append(len(left) > 0)
    return bools(found)


@right
def by_visited_set(triggers, outputs):
    result = torch.zeros(triggers.shape[0], dtype=torch.bool)
    for b in range(triggers.shape[0]):
        leads_to = {int(q): int(o) for q, o in zip(triggers[b], outputs[b], strict=True)}
        for at in list(leads_to):
            seen = set()
            while at in leads_to and at not in seen:
                seen.add(at)
                at = leads_to[at]
            result[b] |= at in seen
    return result


@right
def by_table(triggers, outputs):
    if triggers.numel() == 0:
        return torch.zeros(len(triggers)).bool()
    V = int(torch.cat([triggers, outputs]).max()) + 2
    table = torch.full((len(triggers), V), V - 1).scatter(1, triggers, outputs)
    for _ in range(7):  # squared: 128 steps
        table = table.gather(1, table)
    return (table.gather(1, triggers) != V - 1).any(dim=1)
