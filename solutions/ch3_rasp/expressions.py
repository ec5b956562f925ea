"""The expressions of RASP's text form, one function per kind (chapter 3)."""

import operator

from lark import Tree

from .interpreter import Failure, Function, Interpreter, Names, Value, describe
from .language import Selector, SOp, aggregate, indicator, select, where
from .library import contains
from .values import RaspError, is_atom

BINARY = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "^": operator.pow,
    "==": operator.eq,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
UNARY = {"-": operator.neg, "+": operator.pos}


def evaluate(run: Interpreter, tree: Tree, names: Names):
    """The value of one expression. Raises RaspError in the original's words where it had one sentence."""
    try:
        return _KINDS[tree.data](run, tree.children, names)
    except RaspError:
        raise
    except RecursionError:
        raise Failure("a function calls itself without end, or this expression is too long") from None
    except Exception as error:  # an operator that does not fit its atoms
        failed = RaspError(str(error))
        failed.reason = str(error)
        raise failed from None


def _is_sop(value) -> bool:
    return isinstance(value, SOp) and not isinstance(value, Selector)


def _binary(run, parts, names):
    left, symbol, right = run.value(parts[0], names), str(parts[1]), run.value(parts[2], names)
    both = (left, right)
    selectors = sum(isinstance(value, Selector) for value in both)
    if symbol in ("and", "or"):
        if selectors == 1:
            raise Failure("Cannot apply and/or between selector and non-selector")
        if selectors or any(map(_is_sop, both)):
            return left & right if symbol == "and" else left | right
        return (left and right) if symbol == "and" else (left or right)
    if selectors:
        raise Failure(f"Cannot apply {symbol} to selector(s)")
    return BINARY[symbol](left, right)


def _unary(run, parts, names):
    symbol, value = str(parts[0]), run.value(parts[1], names)
    if symbol == "not":
        return ~value if isinstance(value, SOp) else not value
    if isinstance(value, Selector):
        raise Failure(f"Cannot apply {symbol} to selector(s)")
    return UNARY[symbol](value)


def _choose(run, parts, names):
    yes, condition, no = parts
    chosen = run.value(condition, names)
    if not isinstance(chosen, SOp):
        return run.value(yes if chosen else no, names)
    return where(chosen, run.value(yes, names), run.value(no, names))


def _contains(run, parts, names):
    item, container = run.value(parts[0], names), run.value(parts[1], names)
    if _is_sop(item):
        if not isinstance(container, list) or not all(map(is_atom, container)):
            raise Failure(f'"[s-op] in X" expects X to be a list of atoms, but got: {describe(container)}')
        return item.isin(container)
    if not is_atom(item):
        raise Failure(f'"A in X" expects A to be an s-op or an atom, but got: {describe(item)}')
    if isinstance(container, list):
        return item in [value for value in container if not isinstance(value, SOp)]
    if _is_sop(container):
        return contains(container, item)
    raise Failure(f'"[atom] in X" expects X to be list or s-op, but got: {describe(container)}')


def _index(run, parts, names):
    indexed, index = run.value(parts[0], names), run.value(parts[1], names)
    if _is_sop(indexed):
        if not isinstance(index, int):
            raise Failure(f"index into sequence has to be integer, got: {describe(index)}")
        return indexed[int(index)]
    if not isinstance(indexed, (list, str, dict)):
        raise Failure(f"can only index into a list, dict, string, or sequence, but instead got: {describe(indexed)}")
    if _is_sop(index):
        return SOp.pointwise(lambda value: _item(indexed, value), index, name="lookup")
    return _item(indexed, index)


def _item(indexed, index):
    """The entry of a list, a string or a dict. Raises Failure where there is none."""
    if isinstance(indexed, dict):
        if not is_atom(index):
            raise Failure(f"index into dict has to be atom, got: {describe(index)}")
        if index not in indexed:
            raise Failure(f"index [ {describe(index)} ] not in dict.")
        return indexed[index]
    kind = "list" if isinstance(indexed, list) else "string"
    if not isinstance(index, int):
        raise Failure(f"index into {kind} has to be integer, got: {describe(index)}")
    if not -len(indexed) <= index < len(indexed):
        raise Failure(f"index {index} out of range for {kind} of length {len(indexed)}")
    return indexed[index]


def _call(run, parts, names):
    arguments = parts[1].children if parts[1] else []
    if len(arguments) == 1:
        x = run.value(arguments[0], names)
        with run._instead(_plain(x)):
            function = run.value(parts[0], names)
        values = [x]
    else:
        function = run.value(parts[0], names)
        values = [run.value(part, names) for part in arguments]
    if isinstance(function, Function):
        if len(values) != len(function.names):
            expected, got = len(function.names), len(values)
            raise Failure(f"wrong number of args for {function.name}- expected: {expected}, got: {got}.")
        result = function.run(*values)
        run._label(result, f"{function.name}({' , '.join(map(_brief, values))})")
        return result
    if not isinstance(function, SOp):
        raise Failure(f"only functions, s-ops and selectors can be called, but this is {describe(function)}")
    if len(values) != 1:
        raise Failure(f"wrong number of args for evaluate unfinished- expected: 1, got: {len(values)}.")
    return Value(function, _plain(values[0]), run.apply(function, _plain(values[0])))


def _brief(value) -> str:
    text = describe(value)
    return text if len(text) <= 20 or isinstance(value, SOp) else f"({type(value).__name__})"


def _plain(value):
    return value.values if isinstance(value, Value) else value


def _indicator(run, parts, names):
    value = run.value(parts[0], names)
    if not _is_sop(value):
        raise Failure(f"indicator operator expects s-op, got: {describe(value)}")
    return indicator(value)


def _aggregate(run, parts, names):
    selector, values = run.value(parts[0], names), run.value(parts[1], names)
    default = 0 if parts[2] is None else run.value(parts[2], names)
    if not isinstance(selector, Selector):
        raise Failure(f"Expected selector, got: {describe(selector)}")
    if not (_is_sop(values) or is_atom(values)):
        raise Failure(f"Expected sequence, got: {describe(values)}")
    if not is_atom(default):
        raise Failure(f"Expected atom, got: {describe(default)}")
    return aggregate(selector, values, default)


def _select(run, parts, names):
    keys, queries = run.value(parts[0], names), run.value(parts[1], names)
    for value in (keys, queries):
        if not (_is_sop(value) or is_atom(value)):
            raise Failure(f"select compares s-ops and atoms, but got: {describe(value)}")
    return select(keys, queries, str(parts[2]))


def _range(run, parts, names):
    values = [run.value(part, names) for part in parts[0].children]
    if not 1 <= len(values) <= 3:
        raise Failure(f"wrong number of inputs to range, expected: 1, 2, or 3, got: {len(values)}")
    if not all(isinstance(value, int) for value in values):
        raise Failure(f"range expects all integer inputs, but got: {describe(values)}")
    return list(range(*values))


def _zip(run, parts, names):
    lists = [run.value(part, names) for part in parts[0].children]
    for number, value in enumerate(lists, start=1):
        if not isinstance(value, list):
            raise Failure(f"attempting to zip lists, but {number} -th element is not list: {describe(value)}")
        if len(value) != len(lists[0]):
            wanted, got = len(lists[0]), len(value)
            raise Failure(f"attempting to zip lists of length {wanted}, but {number} -th list has length {got}")
    return [list(row) for row in zip(*lists, strict=True)]


def _len(run, parts, names):
    value = run.value(parts[0], names)
    if not isinstance(value, list):
        raise Failure(f"attempting to compute length of non-list: {describe(value)}")
    return len(value)


def _list(run, parts, names):
    return [run.value(part, names) for part in parts[0].children] if parts[0] else []


def _key(run, part, names):
    key = run.value(part, names)
    if not is_atom(key):
        raise Failure(f"dictionary keys can only be atoms, but instead got: {describe(key)}")
    return key


def _dict(run, parts, names):
    pairs = [pair.children for pair in parts if pair is not None]
    return {_key(run, key, names): run.value(item, names) for key, item in pairs}


def _list_of(run, parts, names):
    item, targets, iterable = parts
    inner = Names(names, names.home, inner=True)
    over = run.value(iterable, names)
    return [run.value(item, inner) for _ in run._each(targets, over, inner, "a list comprehension")]


def _dict_of(run, parts, names):
    key, item, targets, iterable = parts
    inner, found = Names(names, names.home, inner=True), {}
    for _ in run._each(targets, run.value(iterable, names), inner, "a dict comprehension"):
        name = _key(run, key, inner)
        found[name] = run.value(item, inner)
    return found


_KINDS = {
    "variable": lambda run, parts, names: names.get(str(parts[0])),
    "int": lambda run, parts, names: int(parts[0]),
    "float": lambda run, parts, names: float(parts[0]),
    "string": lambda run, parts, names: str(parts[0])[1:-1],
    "round": lambda run, parts, names: round(run.value(parts[0], names)),
    "binary": _binary,
    "unary": _unary,
    "choose": _choose,
    "contains": _contains,
    "index": _index,
    "call": _call,
    "indicator": _indicator,
    "aggregate": _aggregate,
    "select": _select,
    "range": _range,
    "zip": _zip,
    "len": _len,
    "list": _list,
    "dict": _dict,
    "list_of": _list_of,
    "dict_of": _dict_of,
}
