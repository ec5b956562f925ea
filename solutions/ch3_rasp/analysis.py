"""What a program costs as a transformer, and what it does step by step on one input (chapter 3).

Source: the analyser that belongs to Weiss et al. 2021: each step as early as it can be.
"""

from utils.plot.picture import Picture
from utils.plot.rasp import rasp_picture

from .describe import shown, text_of
from .language import SOp
from .values import read_input


def report(sop: SOp, merge: bool = False) -> tuple[int, list[int]]:
    """How many layers a program needs, and how many attention heads in each of them: (layers, heads_per_layer).

    Inputs and what is computed position by position cost no layer. A selector comes one layer after the latest of the
    s-ops that it compares, an aggregate in the layer of its selector, but later than its values. A head is one selector
    in one layer: a selector used twice in a layer is one head, in two layers it is one in each. Selectors are told
    apart as objects; with `merge`, those that compare the same things in the same way count as one.
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


def steps(sop: SOp) -> list[SOp]:
    """Every step of a program once, parts before what is made of them."""
    found: dict[int, SOp] = {}
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


def depths_of(sop: SOp) -> dict[int, int]:
    """The layer of each step, by its id: 0 for what needs no attention."""
    found: dict[int, int] = {}
    for step in steps(sop):
        inner = [found.get(id(part), 0) for part in step.parts]
        if step.op == "aggregate":
            found[id(step)] = max(inner[0], inner[1] + 1)
        else:
            found[id(step)] = max(inner, default=0) + (step.op == "select")
    return found


def trace(sop: SOp, x) -> dict:
    """A program's run on one input as plain data: what each layer's heads select and what is computed there.

    {"input", "result", "layers": [{"heads": [{"selector", "matrix", "reads": [{"values", "name", "result"}]}],
    "steps": [{"name", "values"}]}]}; layer 0 holds what is computed before any attention. Steps without a name that
    only feed one other step are left out.
    """
    x = read_input(x)
    memo: dict = {}
    sop.value(x, memo)
    depths, everything = depths_of(sop), steps(sop)
    layers = [{"heads": [], "steps": []} for _ in range(max(depths.values(), default=0) + 1)]
    heads: dict[tuple[int, int], dict] = {}
    uses = _uses(everything)
    for step in everything:
        layer = layers[depths[id(step)]]
        if step.op == "aggregate":
            selector = step.parts[0]
            key = (depths[id(step)], id(selector))
            if key not in heads:
                matrix = memo[id(selector)].astype(int).tolist()
                heads[key] = {"selector": text_of(selector), "matrix": matrix, "reads": []}
                layer["heads"].append(heads[key])
            value = step.parts[1]
            read = memo[id(value)] if hasattr(value, "parts") else [value] * len(x)
            heads[key]["reads"].append(
                {"name": text_of(step), "values": list(map(shown, read)), "result": list(map(shown, memo[id(step)]))}
            )
        elif step.kind == "s-op" and step.op == "map" and (step is sop or step.label or uses[id(step)] != ["map"]):
            layer["steps"].append({"name": text_of(step), "values": list(map(shown, memo[id(step)]))})
    return {"input": list(map(shown, x)), "result": list(map(shown, memo[id(sop)])), "layers": layers}


def draw(sop: SOp, x, title: str = "") -> Picture:
    """The picture of a program's run on one input: a row per layer, a heat map per head, the values beneath."""
    return rasp_picture(trace(sop, x), title)


def _uses(everything: list[SOp]) -> dict[int, list[str]]:
    """What kinds of steps read each step, by its id."""
    found: dict[int, list[str]] = {id(step): [] for step in everything}
    for step in everything:
        for part in step.parts:
            if id(part) in found:
                found[id(part)].append(step.op)
    return found
