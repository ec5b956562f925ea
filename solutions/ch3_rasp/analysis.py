"""What a program costs as a transformer: its layers and heads (chapter 3).

Source: the analyser that belongs to Weiss et al. 2021: each step as early as it can be.
"""


def report(sop, merge: bool = False) -> tuple[int, list[int]]:
    """How many layers a program needs, and how many attention heads in each of them: (layers, heads_per_layer).

    Inputs and what is computed position by position cost no layer. A selector comes one layer after the latest of the
    s-ops that it compares, an aggregate in the layer of its selector, but later than its values. A head is one
    selector in one layer: a selector used twice in a layer is one head, in two layers it is one in each. Selectors
    are told apart as objects; with `merge`, those that compare the same things in the same way count as one.
    """
    # solution
    depths: dict[int, int] = {}

    def depth(step) -> int:
        if not hasattr(step, "parts"):
            return 0
        if id(step) not in depths:
            found = [depth(part) for part in step.parts]
            if step.op == "aggregate":
                depths[id(step)] = max(found[0], found[1] + 1)
            else:
                depths[id(step)] = max(found, default=0) + (step.op == "select")
        return depths[id(step)]

    layers = depth(sop)
    heads: list[set] = [set() for _ in range(layers)]
    keys: dict[int, object] = {}
    for step in steps(sop):
        if step.op == "aggregate":
            selector = step.parts[0]
            heads[depth(step) - 1].add(structure(selector, keys) if merge else id(selector))
    return layers, [len(found) for found in heads]
    # end solution


def steps(sop) -> list:
    """Every step of a program once, parts before what is made of them."""
    found: dict = {}
    waiting = [(sop, False)]
    while waiting:
        step, opened = waiting.pop()
        if opened:
            found.setdefault(id(step), step)
        elif hasattr(step, "parts") and id(step) not in found:
            waiting.append((step, True))
            waiting += [(part, False) for part in reversed(step.parts)]
    return list(found.values())


def structure(step, known: dict[int, object]) -> object:
    """Something that is equal for two steps that compute the same thing in the same way.

    `known`: what has been found so far, by the step's id.
    """
    if not hasattr(step, "parts"):
        return (type(step).__name__, step)
    if id(step) not in known:
        setting = step.setting if isinstance(step.setting, (str, bool, int, float)) else id(step.setting)
        known[id(step)] = hash(
            (step.op, type(step.setting).__name__, setting, step.name if step.op == "input" else "")
            + tuple(structure(part, known) for part in step.parts)
        )
    return known[id(step)]
