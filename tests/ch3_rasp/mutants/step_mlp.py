"""Wrong answers to exercise 3.27 that learners write, and right ones written differently."""

import torch  # noqa: F401  (the answers below are text)

from utils.grade import slips

slip = slips("""
def step_mlp(values, f, sharpness):
    known = []
    for z in sorted(set(values)):
        try:
            result = f(z)
        except Exception:
            continue
        known.append((z, result))
    out = list(dict.fromkeys(result for _, result in known))
    eye = torch.eye(len(out))
    columns, rows = [[0.0, 1.0]], [eye[out.index(known[0][1])]]
    for (low, before), (high, after) in zip(known, known[1:]):
        if before != after:
            middle = (low + high) / 2
            change = eye[out.index(after)] - eye[out.index(before)]
            columns += [[sharpness, 0.5 - sharpness * middle], [sharpness, -0.5 - sharpness * middle]]
            rows += [change, -change]
    return torch.tensor(columns).T, torch.stack(rows), out
""")

AtTheValue = slip("the threshold lies on a value: put it half-way between neighbours", "(low + high) / 2", "high")
FixedSharpness = slip(
    "the slope is fixed: the steps between close values need the sharpness that is asked for",
    "for (low, before)",
    "sharpness = 100.0\n    for (low, before)",
)
NoStart = slip(
    "the result of the lowest value is missing: start from it, by a unit that is always 1",
    "rows = [[0.0, 1.0]], [eye[out.index(known[0][1])]]",
    "rows = [[0.0, 1.0]], [0 * eye[0]]",
)
NoEnd = slip(
    "a step needs two units: one alone rises without end", "rows += [change, -change]", "rows += [change, 0 * change]"
)
OldStays = slip(
    "after a threshold the old result is still there: take it off",
    "change = eye[out.index(after)] - eye[out.index(before)]",
    "change = eye[out.index(after)]",
)
EveryValue = slip(
    "there is a threshold between all neighbours: only where the result changes is one needed",
    "if before != after:",
    "if True:",
)
Unsorted = slip(
    "the values are taken in the order in which they come: sort them first",
    "sorted(set(values))",
    "list(dict.fromkeys(values))",
)
LetsFail = slip(
    "a value on which f raises stops everything: pass it over",
    "except Exception:\n            continue",
    "except KeyError:\n            continue",
)
NewPlaces = slip(
    "a result that comes back gets a new place: equal results share one",
    "out = list(dict.fromkeys(result for _, result in known))",
    "out = [result for _, result in known]",
)
OneSided = slip(
    "the step begins at the threshold: its middle belongs there, so shift both units by a half",
    "[sharpness, 0.5 - sharpness * middle], [sharpness, -0.5 - sharpness * middle]",
    "[sharpness, -sharpness * middle], [sharpness, -1 - sharpness * middle]",
)
OneError = slip(
    "only a division by zero is passed over: f may raise any error",
    "except Exception:\n            continue",
    "except ZeroDivisionError:\n            continue",
)
SortsInPlace = slip(
    "the caller's list is sorted in place: sort a copy",
    "    known = []\n    for z in sorted(set(values)):",
    "    known = []\n    values.sort()\n    for z in values:",
)
FailedNeighbour = slip(
    "a value on which f raises still counts as a neighbour: pass it over, as if it were not there",
    "            continue\n        known",
    "            if not known:\n                continue\n            result = known[-1][1]\n        known",
)
Falling = slip(
    "the values are taken from the largest to the smallest: z rises", "sorted(set(values))", "sorted(set(values))[::-1]"
)
AtLower = slip("the threshold lies on the lower value: put it half-way between neighbours", "(low + high) / 2", "low")
EndsThere = slip(
    "the step ends at the threshold: its middle belongs there, so shift both units by a half",
    "[sharpness, 0.5 - sharpness * middle], [sharpness, -0.5 - sharpness * middle]",
    "[sharpness, 1 - sharpness * middle], [sharpness, -sharpness * middle]",
)
OnlyZScaled = slip(
    "only z is multiplied by the slope: so is the threshold, since the slope goes with z - t",
    "[[sharpness, 0.5 - sharpness * middle], [sharpness, -0.5 - sharpness * middle]]",
    "[[sharpness, 0.5 - middle], [sharpness, -0.5 - middle]]",
)
ThresholdAdded = slip(
    "the threshold is added: take it off, since a step rises where z passes it",
    "[[sharpness, 0.5 - sharpness * middle], [sharpness, -0.5 - sharpness * middle]]",
    "[[sharpness, 0.5 + sharpness * middle], [sharpness, -0.5 + sharpness * middle]]",
)
TurnedRound = slip(
    "a step takes the new result off and brings the old one: it is the other way round",
    "rows += [change, -change]",
    "rows += [-change, change]",
)
StartsAtTheTop = slip(
    "the constant unit writes the result of the highest value: it is that of the lowest",
    "eye[out.index(known[0][1])]",
    "eye[out.index(known[-1][1])]",
)
HalfTheSlope = slip(
    "the slope is half the sharpness",
    "[[sharpness, 0.5 - sharpness * middle], [sharpness, -0.5 - sharpness * middle]]",
    "[[sharpness / 2, 0.5 - sharpness / 2 * middle], [sharpness / 2, -0.5 - sharpness / 2 * middle]]",
)
TwiceTheSlope = slip(
    "the slope is twice the sharpness",
    "[sharpness, 0.5 - sharpness * middle], [sharpness, -0.5 - sharpness * middle]",
    "[2 * sharpness, 0.5 - 2 * sharpness * middle], [2 * sharpness, -0.5 - 2 * sharpness * middle]",
)
StepOfTwo = slip(
    "the units are shifted by 1 each, so that a step rises from 0 to 2: shift each by a half",
    "[sharpness, 0.5 - sharpness * middle], [sharpness, -0.5 - sharpness * middle]",
    "[sharpness, 1 - sharpness * middle], [sharpness, -1 - sharpness * middle]",
)
FirstTakenOff = slip(
    "every step takes off the lowest value's result: take off the one that held until there",
    "eye[out.index(before)]",
    "eye[out.index(known[0][1])]",
)
ConstantFirst = slip(
    "the rows of W_in are exchanged: the input is (z, 1)", "torch.tensor(columns).T", "torch.tensor(columns).T.flip(0)"
)
FirstGiven = slip(
    "the constant unit writes the result of the first value given: it is that of the lowest",
    "[eye[out.index(known[0][1])]]",
    "[eye[out.index(dict(known).get(list(values)[0], known[0][1]))]]",
)
GivenOrder = slip(
    "out_values goes by the order in which the values are given: z rises",
    "out = list(dict.fromkeys(result for _, result in known))",
    "out = list(dict.fromkeys(dict(known)[z] for z in values if z in dict(known)))",
)
ByTensors = slips("""
def step_mlp(values, f, sharpness):
    pairs = []
    for z in sorted(values):
        try:
            pairs.append((z, f(z)))
        except Exception:
            pass
    out = []
    for _, result in pairs:
        if result not in out:
            out.append(result)
    first = torch.eye(len(out))[out.index(pairs[0][1])]
    W_in, W_out = [torch.tensor([0.0, 2.0])], [first / 2]
    for i in range(1, len(pairs)):
        if pairs[i][1] == pairs[i - 1][1]:
            continue
        t = pairs[i - 1][0] + (pairs[i][0] - pairs[i - 1][0]) / 2
        step = torch.zeros(len(out))
        step[out.index(pairs[i][1])], step[out.index(pairs[i - 1][1])] = 1.0, -1.0
        for sign in (1, -1):
            W_in.append(torch.tensor([sharpness, sign / 2 - sharpness * t]))
            W_out.append(sign * step)
    return torch.stack(W_in, 1), torch.stack(W_out), out
""")
FromAbove = slips("""
def step_mlp(values, f, sharpness):
    known = {}
    for z in set(values):
        try:
            known[z] = f(z)
        except Exception:
            continue
    zs = sorted(known)
    out = list(dict.fromkeys(known[z] for z in zs))
    one = torch.eye(len(out))
    W_in, W_out = [[0.0, 1.0]], [one[out.index(known[zs[-1]])]]
    for low, high in zip(zs, zs[1:]):
        if known[low] != known[high]:
            t, back = (low + high) / 2, one[out.index(known[low])] - one[out.index(known[high])]
            W_in += [[-sharpness, 0.5 + sharpness * t], [-sharpness, -0.5 + sharpness * t]]
            W_out += [back, -back]
    return torch.tensor(W_in).T, torch.stack(W_out), out
""")
SlopePerGap = slip(
    "the slope is divided by the distance of the neighbours: every step has the slope that was asked for",
    "columns += [[sharpness, 0.5 - sharpness * middle], [sharpness, -0.5 - sharpness * middle]]",
    "slope = sharpness / (high - low)\n"
    "            columns += [[slope, 0.5 - slope * middle], [slope, -0.5 - slope * middle]]",
)
GeometricMean = slip(
    "the threshold is the root of the neighbours' product: half-way is half their sum",
    "(low + high) / 2",
    "(low * high) ** 0.5 if low > 0 else (low + high) / 2",
)
