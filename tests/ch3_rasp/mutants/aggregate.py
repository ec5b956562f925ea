"""Wrong answers to exercise 3.2 that learners write, and right ones written differently."""

import numpy as np

from utils.grade import right, slips


class RaspError(Exception):
    pass


slip = slips("""
def aggregate(selector, values, default=0):
    numbers = not any(isinstance(v, str) for v in values) and not all(isinstance(v, bool) for v in values)
    result = []
    for row in selector:
        chosen = [value for value, on in zip(values, row) if on]
        if len(chosen) == 0:
            result.append(default)
        elif len(chosen) == 1:
            result.append(chosen[0])
        elif not numbers:
            raise RaspError("only numbers have a mean")
        else:
            result.append(sum(chosen) / len(chosen))
    return result
""")

SingleAveraged = slip(
    "a single int is averaged, too, and becomes a float: hand it on unchanged",
    "result.append(chosen[0])",
    "result.append(chosen[0] if not numbers else sum(chosen) / 1)",
)
Sums = slip("the chosen values are added up: their mean is wanted", "sum(chosen) / len(chosen)", "sum(chosen) * 1.0")
OverEverything = slip(
    "the sum is divided by the number of all keys: divide by the number of chosen ones",
    "/ len(chosen)",
    "/ len(values)",
)
ByColumn = slip(
    "the selector is read by columns: each query has a row", "for row in selector", "for row in np.array(selector).T"
)
DefaultIgnored = slip(
    "the default that was asked for is not used: an empty row must give it",
    "result.append(default)",
    "result.append(0)",
)
NoneByDefault = slip("without a third argument, an empty row gives None: the default is 0", "default=0", "default=None")
AllOrNothing = slip(
    "the default is used only where every row is empty: each row decides for itself",
    "if len(chosen) == 0:",
    "if not np.any(selector):",
    "elif len(chosen) == 1:",
    "elif len(chosen) < 2:",
    "result.append(chosen[0])",
    "result.append(chosen[0] if chosen else 0)",
)
BoolsAveraged = slip(
    "bools are averaged without an error: they are not numbers here",
    " and not all(isinstance(v, bool) for v in values)",
    "",
)
NoStringsAtAll = slip(
    "strings are refused even where nothing has to be averaged: a single value is handed on, of whatever type",
    "for row in selector:",
    "for row in selector:\n        if not numbers: raise RaspError('numbers only')",
)
WholeDivision = slip("the mean is cut to a whole number: divide with /", "sum(chosen) / len", "sum(chosen) // len")
AnotherError = slip(
    "the error is of another kind than promised: raise RaspError",
    'RaspError("only',
    'ValueError("only',
)
BoolsOfChosen = slip(
    "only the chosen values are asked for their kind: the whole sequence decides what has a mean",
    "elif not numbers:",
    "elif not numbers or all(isinstance(v, bool) for v in chosen):",
)
EachOnce = slip(
    "equal values are counted once: every chosen key counts",
    "sum(chosen) / len(chosen)",
    "sum(set(chosen)) / len(set(chosen))",
)
ThroughArray = slip(
    "the values become a numpy array first, which gives them all one type: hand on the value itself",
    "for value, on in zip(values, row) if on",
    "for value, on in zip(np.array(values).tolist(), row) if on",
)
FalsyIsEmpty = slip(
    "a chosen value that counts as false (0, False or '') is replaced by the default: only an empty row gets that",
    "result.append(chosen[0])",
    "result.append(chosen[0] or default)",
)
WhereEqual = slip(
    "the mean becomes an int where it is whole: a mean is a float",
    "result.append(sum(chosen) / len(chosen))",
    "mean = sum(chosen) / len(chosen)\n            result.append(int(mean) if mean == int(mean) else mean)",
)
RowUsedUp = slip(
    "the selector is changed: it is used again, so read it and leave it as it is",
    "        if len(chosen) == 0:",
    "        row[:] = False\n        if len(chosen) == 0:",
)
LastOfThem = slip(
    "the last of several chosen values is taken: their mean is wanted",
    "result.append(sum(chosen) / len(chosen))",
    "result.append(chosen[-1])",
)
FirstOfThem = slip(
    "the first of several chosen values is taken: their mean is wanted",
    "result.append(sum(chosen) / len(chosen))",
    "result.append(chosen[0])",
)
AllAveraged = slip(
    "every row that chooses anything is averaged: a single value is handed on as it is, of whatever type",
    "        elif len(chosen) == 1:\n            result.append(chosen[0])\n        elif not numbers:\n"
    '            raise RaspError("only numbers have a mean")\n',
    "",
)
ListOfOne = slip(
    "a row that chooses one key gives a list of one value: give the value itself",
    "result.append(chosen[0])",
    "result.append(chosen)",
)
OnlyInts = slip(
    "floats are refused: they have a mean as well as ints",
    "numbers = not any(isinstance(v, str) for v in values)",
    "numbers = not any(isinstance(v, (str, float)) for v in values)",
)
EqualStrings = slip(
    "several equal values are handed on as one: a row that chooses several gives their mean, a float, or an error",
    "elif len(chosen) == 1:",
    "elif len(set(chosen)) == 1:",
)
ErrorReturned = slip("the error is returned: raise it", "raise RaspError", "return RaspError")
EmptyLeftOut = slip(
    "a row that chooses nothing is left out: it gives the default, so that each query has a value",
    "            result.append(default)\n",
    "            continue\n",
)
FirstRow = slip(
    "the return is inside the loop, so that only the first row is looked at",
    "    return result",
    "        return result\n    return result",
)
AsArray = slip("a numpy array is returned: return a list", "    return result", "    return np.array(result)")
AsTuple = slip("a tuple is returned: return a list", "    return result", "    return tuple(result)")
Median = slip(
    "the median of several values is taken: their mean is wanted",
    "sum(chosen) / len(chosen)",
    "float(np.median(chosen))",
)
StringsJoined = slip(
    "several strings are joined: they have no mean, so raise an error",
    '            raise RaspError("only numbers have a mean")',
    '            result.append("".join(map(str, chosen)))',
)
DefaultForStrings = slip(
    "several strings or bools give the default: they have no mean, so raise an error",
    '            raise RaspError("only numbers have a mean")',
    "            result.append(default)",
)
NoErrors = slip(
    "strings and bools are averaged like numbers: raise a RaspError where a row chooses several",
    '        elif not numbers:\n            raise RaspError("only numbers have a mean")\n',
    "",
)
NotReturned = slip("nothing is returned: the line with return is missing", "    return result", "    result")
RowAsPlaces = slip(
    "a row says for each key whether it is chosen: its entries are no places in the list of values",
    "[value for value, on in zip(values, row) if on]",
    "[values[int(on)] for on in row]",
)
EmptyText = slip(
    "among strings an empty row gives an empty string: it gives the default, which is 0 unless another is asked for",
    "result.append(default)",
    "result.append('' if values and isinstance(values[0], str) and default == 0 else default)",
)
ErrorOfPython = slip(
    "the error is of another kind than promised: raise RaspError",
    'RaspError("only',
    'TypeError("only',
)
RoundedMean = slip(
    "the mean is rounded: give it as it is",
    "sum(chosen) / len(chosen)",
    "round(sum(chosen) / len(chosen), 3)",
)
EmptyDivided = slip(
    "the default is used only where every row is empty: each row decides for itself",
    "if len(chosen) == 0:",
    "if not np.any(selector):",
)


@right
def by_matrix(selector, values, default=0):
    selector = np.asarray(selector, dtype=bool)
    found = [default] * len(selector)
    for i in range(len(selector)):
        (places,) = np.nonzero(selector[i])
        if len(places) == 1:
            found[i] = values[places[0]]
        elif len(places) > 1:
            if {type(value) for value in values} <= {bool} or str in {type(value) for value in values}:
                raise RaspError("no mean of strings or bools")
            found[i] = float(np.mean([values[j] for j in places]))
    return found


@right
def by_helper(selector, values, default=0):
    def one(row):
        picked = list(filter(None, [(value,) if on else None for value, on in zip(values, row, strict=True)]))
        if not picked:
            return default
        if len(picked) == 1:
            return picked[0][0]
        if isinstance(values[0], (str, bool)) and all(isinstance(v, (str, bool)) for v in values):
            raise RaspError("these values have no mean")
        total = 0.0
        for (value,) in picked:
            total += value
        return total / len(picked)

    return [one(row) for row in selector]
