"""Wrong answers to exercise 3.18 that learners write, and right ones written differently."""

from utils.grade import slips

HELPERS = """
def steps(sop):
    found = {}

    def visit(step):
        if hasattr(step, "parts") and id(step) not in found:
            for part in step.parts:
                visit(part)
            found[id(step)] = step

    visit(sop)
    return list(found.values())


def structure(step, known):
    if not hasattr(step, "parts"):
        return (type(step).__name__, step)
    setting = step.setting if isinstance(step.setting, (str, int, float)) else id(step.setting)
    return (step.op, setting, step.name, *(structure(part, known) for part in step.parts))

"""
slip = slips(
    HELPERS
    + """
def report(sop, merge=False):
    def depth(step):
        if not hasattr(step, "parts"):
            return 0
        found = [depth(part) for part in step.parts]
        if step.op == "aggregate":
            return max(found[0], found[1] + 1)
        return max(found, default=0) + (step.op == "select")

    heads = [set() for _ in range(depth(sop))]
    for step in steps(sop):
        if step.op == "aggregate":
            chosen = step.parts[0]
            heads[depth(step) - 1].add(structure(chosen, {}) if merge else id(chosen))
    return depth(sop), [len(found) for found in heads]
"""
)

EveryStep = slip(
    "steps that work position by position add layers: only select does",
    '+ (step.op == "select")',
    '+ (step.op not in ("tokens", "indices", "and", "or", "not"))',
)
JoinsCount = slip(
    "joining selectors adds a layer: it costs nothing",
    '+ (step.op == "select")',
    '+ (step.op in ("select", "and", "or", "not"))',
)
ValuesForgotten = slip(
    "an aggregate does not wait for its values: they must have been ready one layer before",
    "max(found[0], found[1] + 1)",
    "found[0]",
)
OneMore = slip(
    "an aggregate is put one layer after its selector: they are the same head, in the same layer",
    "max(found[0], found[1] + 1)",
    "max(found) + 1",
)
KeysOnly = slip(
    "a selector waits for its keys only: the queries must be ready, too",
    "return max(found, default=0) +",
    "found = found[:1] if step.op == 'select' else found\n        return max(found, default=0) +",
)
QueriesOnly = slip(
    "a selector waits for its queries only: the keys must be ready, too",
    "return max(found, default=0) +",
    "found = found[1:] if step.op == 'select' else found\n        return max(found, default=0) +",
)
AggregatesCounted = slip(
    "aggregates are counted: a selector that several of them use in one layer is one head",
    "structure(chosen, {}) if merge else id(chosen)",
    "id(step)",
)
AlwaysMerged = slip(
    "equal selectors are merged also without merge=True: tell them apart by id",
    "structure(chosen, {}) if merge else id(chosen)",
    "structure(chosen, {})",
)
NeverMerged = slip(
    "merge=True changes nothing: compare selectors by structure then",
    "structure(chosen, {}) if merge else id(chosen)",
    "id(chosen)",
)
MergedByParts = slip(
    "selectors are merged by what they compare, not how: '<' and '<=' are different heads",
    "structure(chosen, {}) if merge",
    "tuple(structure(part, {}) for part in chosen.parts) if merge",
)
OneLayerOfHeads = slip(
    "a head is counted in one layer only: a selector used in two layers is a head in each",
    "heads[depth(step) - 1].add",
    "heads[depth(chosen) - 1].add",
)
Total = slip(
    "the heads are added up: give one number per layer", "[len(found) for found in heads]", "sum(map(len, heads))"
)
NoLayerForSelect = slip(
    "a selector is put into the layer of what it compares: it comes one layer later",
    '+ (step.op == "select")',
    "+ 0",
    "heads = [set() for _ in range(depth(sop))]",
    "heads = [set() for _ in range(depth(sop) + 9)]",
    "[len(found) for found in heads]",
    "[len(found) for found in heads][: depth(sop)]",
)
ComparedHeads = slip(
    "the selectors that are joined are counted each: together they are one head",
    "heads[depth(step) - 1].add(structure(chosen, {}) if merge else id(chosen))",
    "heads[depth(step) - 1].update(\n"
    "                structure(s, {}) if merge else id(s) for s in steps(chosen) if s.op == 'select'\n"
    "            )",
)
OncePerProgram = slip(
    "a selector is counted in its first layer only: used in two layers, it is a head in each",
    "[len(found) for found in heads]",
    "[len(found.difference(*heads[:layer])) for layer, found in enumerate(heads)]",
)
AsDict = slip(
    "the heads come as a dict: give a list with one number per layer",
    "[len(found) for found in heads]",
    "dict(enumerate(map(len, heads), 1))",
)
AsTuple = slip(
    "the heads come as a tuple: give a list with one number per layer",
    "[len(found) for found in heads]",
    "tuple(map(len, heads))",
)
LayerZero = slip(
    "the list of heads starts with layer 0, in which there is no attention: start with layer 1",
    "[len(found) for found in heads]",
    "[0, *map(len, heads)]",
)
OneLayerShort = slip(
    "the last layer is missing from the list of heads",
    "[len(found) for found in heads]",
    "[len(found) for found in heads][:-1]",
)
TurnedMerge = slip(
    "merge is read the other way round",
    "structure(chosen, {}) if merge else id(chosen)",
    "id(chosen) if merge else structure(chosen, {})",
)
SameObjects = slip(
    "only selectors that compare the same objects are merged: parts that are built alike count as the same, too",
    "structure(chosen, {}) if merge",
    "(chosen.op, str(chosen.setting), *map(id, chosen.parts)) if merge",
)
InLayerOfSelector = slip(
    "selectors are counted where they are made: a head is in the layer of the aggregate that reads by it",
    'if step.op == "aggregate":\n            chosen = step.parts[0]\n            heads[depth(step) - 1].add('
    "structure(chosen, {}) if merge else id(chosen))",
    'if step.op == "select":\n            heads[depth(step) - 1].add(structure(step, {}) if merge else id(step))',
)
NoParts = slip(
    "an input has no parts, and max() of nothing fails: its depth is 0", "max(found, default=0)", "max(found)"
)
AtomsForgotten = slip(
    "a part may be an atom, such as 1, which has no parts: its depth is 0",
    '        if not hasattr(step, "parts"):\n            return 0\n        found',
    "        found",
)
OneFurther = slip(
    "layers count from 1, but the places of the list from 0: the heads of layer n are at place n - 1",
    "heads[depth(step) - 1].add",
    "heads[depth(step)].add",
)
OnlyHeads = slip(
    "only the heads are returned: the number of layers comes first",
    "return depth(sop), [len(found) for found in heads]",
    "return [len(found) for found in heads]",
)
TheSets = slip(
    "the sets of selectors are returned: give their sizes, a number for each layer",
    "[len(found) for found in heads]",
    "heads",
)
ByComparison = slip(
    "with merge=True, selectors are compared by their comparison alone: what they compare must be the same, too",
    "structure(chosen, {}) if merge",
    "(chosen.op, str(chosen.setting)) if merge",
)
ByAggregate = slip(
    "with merge=True, whole aggregates are compared: heads are told apart by their selectors alone",
    "structure(chosen, {}) if merge",
    "structure(step, {}) if merge",
)
CountedSelects = slip(
    "every selector is taken for a layer of its own: those that wait for the same things share a layer",
    "    def depth(step):",
    "    every = [step for step in steps(sop) if step.op == 'select']\n"
    "    return len(every), [1] * len(every)\n\n"
    "    def depth(step):",
)
BothAdd = slip(
    "an aggregate is put one layer after its selector: they are the same head, in the same layer",
    "            return max(found[0], found[1] + 1)",
    "            return max(found, default=0) + 1",
)


ByDict = slips(
    HELPERS
    + """
def report(sop, merge=False):
    levels, used = {}, {}
    for step in steps(sop):
        below = [levels.get(id(part), 0) for part in step.parts]
        if step.op == "select":
            levels[id(step)] = 1 + max(below)
        elif step.op == "aggregate":
            levels[id(step)] = max(below[0], 1 + below[1])
            key = structure(step.parts[0], {}) if merge else id(step.parts[0])
            used.setdefault(levels[id(step)], []).append(key)
        else:
            levels[id(step)] = max([0, *below])
    top = levels[id(sop)]
    return top, [len(set(used.get(layer, []))) for layer in range(1, top + 1)]
"""
)
ByRecursion = slips("""
def report(sop, merge=False):
    known, pairs = {}, set()

    def key(step):
        if not merge:
            return id(step)
        if not hasattr(step, "parts"):
            return repr(step)
        return (step.op, step.name, str(step.setting), tuple(key(part) for part in step.parts))

    def level(step):
        if not hasattr(step, "parts"):
            return 0
        if id(step) in known:
            return known[id(step)]
        levels = [level(part) for part in step.parts] or [0]
        if step.op == "aggregate":
            known[id(step)] = max(levels[0], levels[1] + 1)
            pairs.add((known[id(step)], key(step.parts[0])))
        else:
            known[id(step)] = max(levels) + (1 if step.op == "select" else 0)
        return known[id(step)]

    layers = level(sop)
    return layers, [sum(layer == here for layer, _ in pairs) for here in range(1, layers + 1)]
""")
ByClass = slips(
    HELPERS
    + """
def report(sop, merge=False):
    cache, used, known = {}, {}, {}

    def depth(step):
        if not isinstance(step, SOp):
            return 0
        if id(step) not in cache:
            found = 0
            for part in step.parts:
                found = max(found, depth(part) + (step.op == "aggregate" and not isinstance(part, Selector)))
            cache[id(step)] = found + (step.op == "select")
        return cache[id(step)]

    for step in steps(sop):
        if step.op == "aggregate":
            selector = step.parts[0]
            key = structure(selector, known) if merge else id(selector)
            used.setdefault(depth(step), set()).add(key)
    return depth(sop), [len(used.get(layer + 1, ())) for layer in range(depth(sop))]
"""
)
