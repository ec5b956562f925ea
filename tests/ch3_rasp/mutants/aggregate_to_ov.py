"""Wrong answers to exercise 3.25 that learners write, and right ones written differently."""

import torch  # noqa: F401  (the answers below are text)

from utils.grade import slips

slip = slips("""
def aggregate_to_ov(values, default, numeric=False):
    if numeric:
        return torch.tensor([[float(value)] for value in list(values) + [default]]), []
    out = [(type(value), value) for value in values]
    if (type(default), default) not in out:
        out = out + [(type(default), default)]
    W = torch.zeros(len(values) + 1, len(out))
    for i in range(len(values)):
        W[i, i] = 1
    W[len(values), out.index((type(default), default))] = 1
    return W, [value for _, value in out]
""")

NoDefault = slip(
    "BOS writes nothing: a query that chooses nothing must get the default",
    "W[len(values), out.index((type(default), default))] = 1",
    "pass",
)
AlwaysNew = slip(
    "the default gets a new place even where it is among the values",
    "if (type(default), default) not in out:",
    "if True:",
    "out.index((type(default), default))",
    "len(out) - 1",
)
FirstPlace = slip("BOS writes the first value: it must write the default", "out.index((type(default), default))", "0")
ByValue = slip(
    "1 and True are taken for the same value: compare the types, too",
    "(type(default), default) not in out:",
    "default not in values:",
    "out.index((type(default), default))",
    "[value for _, value in out].index(default)",
)
OneHotNumber = slip("numeric is not used: one number is wanted, not a one-hot vector", "if numeric:", "if False:")
NumberWithoutDefault = slip(
    "with numeric, BOS must write the default as well", "list(values) + [default]", "list(values) + [0]"
)
ZeroOrOne = slip(
    "with numeric, the value itself is written, not whether it is true", "[[float(value)]", "[[float(bool(value))]"
)
InPlace = slip(
    "the default is appended to the caller's list: make a new one",
    "out = out + [(type(default), default)]",
    "out = out + [(type(default), default)]\n        values.append(default)\n        values = values[:-1]",
)
FalsyDefault = slip(
    "a default that counts as false, such as 0, gets no place: it needs one like any other",
    "if (type(default), default) not in out:",
    "if default and (type(default), default) not in out:",
    "out.index((type(default), default))",
    "min(out.index((type(default), default)) if (type(default), default) in out else 9, len(out) - 1)",
)
Sorted = slip(
    "the values are sorted: keep their order",
    "return W, [value for _, value in out]",
    "return W, sorted((value for _, value in out), key=repr)",
)
BoolIsInt = slip(
    "isinstance takes a bool for an int, so that True and 1 are one value: compare the types themselves",
    "if (type(default), default) not in out:",
    "same = [i for i, v in enumerate(values) if v == default and isinstance(v, type(default))]\n    if not same:",
    "out.index((type(default), default))",
    "(same or [len(out) - 1])[0]",
)
ValuesAsTuple = slip(
    "out_values is a tuple: make it a list", "[value for _, value in out]", "tuple(value for _, value in out)"
)
NoRowForBos = slip(
    "the row of BOS is missing: W_OV has a row more than there are values",
    "return W, [value",
    "return W[:-1], [value",
)
DefaultFirst = slip(
    "the new default comes first in out_values: it comes behind the values",
    "return W, [value for _, value in out]",
    "n = len(values)\n    return W.roll(len(out) - n, 1), [value for _, value in out[n:] + out[:n]]",
)
FlatNumbers = slip(
    "with numeric, W_OV has no second axis: it has a row for each value, and one column",
    "return torch.tensor([[float(value)] for value in list(values) + [default]]), []",
    "return torch.tensor([float(value) for value in list(values) + [default]]), []",
)
AsWritten = slip(
    "values are told apart by their text: 1 and '1' are different values",
    "if (type(default), default) not in out:",
    "texts = [str(value) for value in values]\n    if str(default) not in texts:",
    "out.index((type(default), default))",
    "(texts + [str(default)]).index(str(default))",
)
NumericKeepsValues = slip(
    "with numeric, the values are returned as out_values: it is empty there, since W_OV writes the number itself",
    "list(values) + [default]]), []",
    "list(values) + [default]]), list(values)",
)
NumericKeepsAll = slip(
    "with numeric, the values are returned as out_values: it is empty there, since W_OV writes the number itself",
    "list(values) + [default]]), []",
    "list(values) + [default]]), [*values, default]",
)
NoValuesAtAll = slip(
    "with numeric, None is returned in place of out_values: it is an empty list",
    "list(values) + [default]]), []",
    "list(values) + [default]]), None",
)
OnlyTheMatrix = slip(
    "only the matrix is returned: out_values belongs to it, as the second of two",
    "list(values) + [default]]), []",
    "list(values) + [default]])",
    "return W, [value for _, value in out]",
    "return W",
)
WholeNumbers = slip(
    "with numeric, ints stay ints, and no float32 vector can be multiplied by them: make them floats",
    "[[float(value)]",
    "[[value]",
)
LongMatrix = slip(
    "the matrix holds ints, and no float32 vector can be multiplied by it: leave it float32",
    "W = torch.zeros(len(values) + 1, len(out))",
    "W = torch.zeros(len(values) + 1, len(out), dtype=torch.long)",
)
Row = slip(
    "with numeric, W_OV is one row: it has a row for each value, and one column",
    "[[float(value)] for value in list(values) + [default]]",
    "[[float(value) for value in list(values) + [default]]]",
)
RowsAsPlaces = slip(
    "W_OV has a row for each of out_values: it has one for each value that is read, and one for BOS",
    "W = torch.zeros(len(values) + 1, len(out))",
    "W = torch.zeros(len(out), len(out))",
    "W[len(values), out",
    "W[-1, out",
)
OnlyIdentity = slip(
    "W_OV is an identity of the size of out_values: BOS has a row of its own, which writes the default",
    "W = torch.zeros(len(values) + 1, len(out))",
    "return torch.eye(len(out)), [value for _, value in out]\n    W = torch.zeros(len(values) + 1, len(out))",
)
Turned = slip(
    "rows and columns are exchanged: a row is what is read, a column what is written",
    "return W, [value",
    "return W.T, [value",
)
BosFirst = slip(
    "the row of BOS comes first: it is the last, because the flag comes behind the one-hot vector",
    "return W, [value",
    "return W.roll(1, 0), [value",
)
DefaultAtFirstValue = slip(
    "the default is written at the first value's place: the row of BOS, the last, writes it",
    "W[len(values), out",
    "W[0, out",
)
AsArrays = slip(
    "a numpy array is returned: a torch tensor is wanted",
    "return torch.tensor([[float(value)] for value in list(values) + [default]]), []",
    "return torch.tensor([[float(value)] for value in list(values) + [default]]).numpy(), []",
    "return W, [value",
    "return W.numpy(), [value",
)
PlacesForValues = slip(
    "with numeric, the places in the list are written, not the values at these places",
    "[[float(value)] for value in list(values) + [default]]",
    "[[float(i)] for i in range(len(values) + 1)]",
)
OneOnTop = slip(
    "a second place of BOS is left: its row holds a single 1, at the default",
    "W[len(values), out",
    "W[len(values), -1] = 1\n    W[len(values), out",
)
BY_VALUE = "1 and True are taken for the same value: compare the types, too"
ByValueNoNumeric = slip(
    BY_VALUE,
    "if (type(default), default) not in out:",
    "if default not in values:",
    "out.index((type(default), default))",
    "[value for _, value in out].index(default)",
    "if numeric:",
    "if False:",
)
ByValueNoDefault = slip(
    BY_VALUE,
    "if (type(default), default) not in out:",
    "if default not in values:",
    "out.index((type(default), default))",
    "[value for _, value in out].index(default)",
    "list(values) + [default]]), []",
    "list(values)]), []",
)
ByValueZero = slip(
    BY_VALUE,
    "if (type(default), default) not in out:",
    "if default not in values:",
    "out.index((type(default), default))",
    "[value for _, value in out].index(default)",
    "list(values) + [default]]), []",
    "list(values) + [0]]), []",
)
ByValueKeepsValues = slip(
    BY_VALUE,
    "if (type(default), default) not in out:",
    "if default not in values:",
    "out.index((type(default), default))",
    "[value for _, value in out].index(default)",
    "list(values) + [default]]), []",
    "list(values) + [default]]), [*values, default]",
)
ByValueWholeNumbers = slip(
    BY_VALUE,
    "if (type(default), default) not in out:",
    "if default not in values:",
    "out.index((type(default), default))",
    "[value for _, value in out].index(default)",
    "[[float(value)]",
    "[[value]",
)
ByValueFlat = slip(
    BY_VALUE,
    "if (type(default), default) not in out:",
    "if default not in values:",
    "out.index((type(default), default))",
    "[value for _, value in out].index(default)",
    "[[float(value)] for value in list(values) + [default]]",
    "[float(value) for value in list(values) + [default]]",
)
AllSorted = slip(
    "the values are sorted: keep their order",
    "    W = torch.zeros",
    "    before, out = out, sorted(out, key=repr)\n    W = torch.zeros",
    "W[i, i] = 1",
    "W[i, out.index(before[i])] = 1",
)
ByValueSorted = slip(
    "the values are sorted: keep their order",
    "if (type(default), default) not in out:",
    "if default not in values:",
    "    W = torch.zeros",
    "    before, out = out, sorted(out, key=lambda pair: repr(pair[1]))\n    W = torch.zeros",
    "W[i, i] = 1",
    "W[i, out.index(before[i])] = 1",
    "out.index((type(default), default))",
    "[value for _, value in out].index(default)",
)
GrowsValues = slip(
    "the default is appended to the caller's list: make a new one",
    "    out = [(type",
    "    if default not in values:\n        values.append(default)\n"
    "    return torch.eye(len(values)), values\n    out = [(type",
)
ByEye = slips("""
def aggregate_to_ov(values, default, numeric=False):
    if numeric:
        column = [float(value) for value in values]
        return torch.tensor(column + [float(default)])[:, None], []
    place = next((i for i, v in enumerate(values) if v == default and type(v) is type(default)), len(values))
    out = [*values, default] if place == len(values) else [*values]
    return torch.cat([torch.eye(len(values), len(out)), torch.eye(len(out))[place : place + 1]]), out
""")
ByIndex = slips("""
def aggregate_to_ov(values, default, numeric=False):
    if numeric:
        return torch.as_tensor([*values, default], dtype=torch.float32).reshape(-1, 1), []
    known = {repr(value): i for i, value in enumerate(values)}
    spot = known.setdefault(repr(default), len(values))
    result = torch.zeros(len(values) + 1, len(known))
    result[range(len(values) + 1), [*range(len(values)), spot]] = 1.0
    return result, list(values) + [default][: len(known) - len(values)]
""")
Merged = slip(
    "equal values of different types are merged: 1, True and 1.0 have a place each",
    "out = [(type(value), value) for value in values]",
    "values = list(dict.fromkeys(values))\n    out = [(type(value), value) for value in values]",
)
FloatsAreNumeric = slip(
    "float values are written as one number without having been asked for: numeric says so",
    "if numeric:",
    "if numeric or all(isinstance(value, float) for value in values):",
)
NumbersAsDoubles = slip(
    "with numeric the matrix is float64: make it float32",
    "for value in list(values) + [default]]), []",
    "for value in list(values) + [default]], dtype=torch.float64), []",
)
