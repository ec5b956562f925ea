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
