"""Wrong answers to exercise 3.1 that learners write, and right ones written differently."""

import operator

import numpy as np
import torch  # noqa: F401  (the answers below are text)

from utils.grade import right, slips

COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

slip = slips("""
def select(keys, queries, op):
    compare = op if callable(op) else COMPARISONS[op]
    rows = [[bool(compare(key, query)) for key in keys] for query in queries]
    return np.array(rows, dtype=bool)
""")

Transposed = slip(
    "rows and columns are exchanged: a row belongs to a query, a column to a key",
    "for key in keys] for query in queries",
    "for query in queries] for key in keys",
)
OperandsExchanged = slip(
    "the operands are exchanged: the key is on the left of the comparison",
    "compare(key, query)",
    "compare(query, key)",
)
NoFunctions = slip(
    "op may be a function of (key, query), too: call it where it is one",
    "op if callable(op) else COMPARISONS[op]",
    "COMPARISONS[op]",
)
AsText = slip(
    "the values are compared as text, so that 10 comes before 9: compare them as they are",
    "compare(key, query)",
    "compare(str(key), str(query))",
)
LessOrEqual = slip(
    "'<' lets equal values pass: only '<=' may do that",
    "COMPARISONS[op]",
    "COMPARISONS[op.replace('<', '<=').replace('==', '=') if op == '<' else op]",
)
OnesAndZeros = slip("the matrix holds ints: make it one of bools", "dtype=bool", "dtype=int")
ListOfLists = slip(
    "a list of lists is returned: turn it into a numpy array of bools", "np.array(rows, dtype=bool)", "rows"
)
NoError = slip(
    "a string and a number are compared without an error: they have no order",
    "[[bool(compare(key, query))",
    "[[bool(compare(key, query) if isinstance(key, str) == isinstance(query, str) else op == '!=')",
)
FunctionExchanged = slip(
    "a function as op is called with (query, key): the key comes first",
    "[[bool(compare(key, query))",
    "[[bool(compare(query, key) if callable(op) else compare(key, query))",
)
TorchTensor = slip(
    "a torch tensor is returned: make it a numpy array of bools",
    "np.array(rows, dtype=bool)",
    "torch.tensor(rows, dtype=torch.bool)",
)
ThroughArrays = slip(
    "the lists become numpy arrays first, and an array of 3 and 'a' holds two strings: compare the values themselves",
    "for key in keys] for query in queries",
    "for key in np.array(keys)] for query in np.array(queries)",
)
AtOnce = slip(
    "a function as op gets whole arrays: call it with one key and one query at a time",
    "    rows =",
    "    if callable(op):\n        return op(np.array(keys)[None, :], np.array(queries)[:, None])\n    rows =",
)
Identity = slip(
    "`is` asks for the same object: == must compare the values",
    "compare = op if callable(op) else COMPARISONS[op]",
    "compare = op if callable(op) else {**COMPARISONS, '==': operator.is_}[op]",
)
SameType = slip(
    "equal numbers of different types are told apart: compare the values alone, 1 == 1.0",
    "compare = op if callable(op) else COMPARISONS[op]",
    "compare = op if callable(op) else {**COMPARISONS, '==': lambda a, b: type(a) is type(b) and a == b}[op]",
)
DigitsAsNumbers = slip(
    "strings of digits are read as numbers: '3' is a string, and equals no number",
    "compare(key, query)",
    "compare(*(int(v) if isinstance(v, str) and v.isdigit() else v for v in (key, query)))",
)
OnlyEquality = slip(
    "every comparison is made as ==: look up the one that op names", "COMPARISONS[op]", "COMPARISONS['==']"
)
OverPairs = slip(
    "keys and queries are paired one by one: compare every key with every query",
    "[[bool(compare(key, query)) for key in keys] for query in queries]",
    "[bool(compare(key, query)) for key, query in zip(keys, queries)]",
)
Flat = slip(
    "one long list of answers is made: a row for each query is wanted",
    "[[bool(compare(key, query)) for key in keys] for query in queries]",
    "[bool(compare(key, query)) for query in queries for key in keys]",
)
FlatByKeys = slip(
    "one long list of answers is made: a row for each query is wanted",
    "[[bool(compare(key, query)) for key in keys] for query in queries]",
    "[bool(compare(key, query)) for key in keys for query in queries]",
)
Floats = slip("the matrix holds floats: make it one of bools", "dtype=bool", "dtype=float")
BothExchanged = slip(
    "rows and columns are exchanged: a row belongs to a query, a column to a key",
    "[[bool(compare(key, query)) for key in keys] for query in queries]",
    "[[bool(compare(query, key)) for query in queries] for key in keys]",
)
KeysFirst = slip(
    "the matrix is made with a row for each key: a row belongs to a query",
    "rows = [[bool(compare(key, query)) for key in keys] for query in queries]",
    "rows = np.zeros((len(keys), len(queries)), dtype=bool)\n"
    "    for i, query in enumerate(queries):\n"
    "        for j, key in enumerate(keys):\n"
    "            rows[i, j] = compare(key, query)",
)
OnlyFunctions = slip(
    "op is called, but it may be the text of a comparison: look that up in COMPARISONS",
    "op if callable(op) else COMPARISONS[op]",
    "op",
)
ErrorsSwallowed = slip(
    "a string and a number are compared without an error: they have no order",
    "    rows = [[bool(compare(key, query)) for key in keys] for query in queries]",
    "    try:\n"
    "        rows = [[bool(compare(key, query)) for key in keys] for query in queries]\n"
    "    except TypeError:\n"
    "        rows = np.zeros((len(queries), len(keys)))",
)
ToList = slip(
    "a list of lists is returned: turn it into a numpy array of bools",
    "np.array(rows, dtype=bool)",
    "np.array(rows, dtype=bool).tolist()",
)
RowForEachPair = slip(
    "a row is added for every pair: add it once its keys are through, one for each query",
    "rows = [[bool(compare(key, query)) for key in keys] for query in queries]",
    "rows = []\n"
    "    for query in queries:\n"
    "        row = []\n"
    "        for key in keys:\n"
    "            row.append(bool(compare(key, query)))\n"
    "            rows.append(row)",
)
OneRow = slip(
    "the first row is returned: the return is inside the loop over the queries",
    "rows = [[bool(compare(key, query)) for key in keys] for query in queries]",
    "for query in queries:\n        return np.array([[bool(compare(key, query)) for key in keys]])\n    rows = []",
)
SquareOnly = slip(
    "as many rows as there are keys are made: there is one for each query",
    "    return np.array(rows, dtype=bool)",
    "    return np.array(rows[: len(keys)], dtype=bool)",
)
NotReturned = slip(
    "nothing is returned: the line with return is missing",
    "return np.array(rows, dtype=bool)",
    "np.array(rows, dtype=bool)",
)
ObjectArray = slip(
    "the array holds Python objects: make an array of bools",
    "dtype=bool",
    "dtype=object",
)


@right
def by_filling(keys, queries, op):
    test = COMPARISONS.get(op, op) if isinstance(op, str) else op
    result = np.zeros((len(queries), len(keys)), dtype=bool)
    for i, query in enumerate(queries):
        for j, key in enumerate(keys):
            result[i, j] = test(key, query)
    return result


@right
def by_broadcasting(keys, queries, op):
    if callable(op):
        op = np.vectorize(op, otypes=[bool])
    else:
        op = {"==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater}.get(
            op, np.greater_equal
        )
    left, right_side = np.array(keys, dtype=object), np.array(queries, dtype=object)
    return op(left[None, :], right_side[:, None]).astype(bool)
