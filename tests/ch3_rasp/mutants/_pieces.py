"""The given part of SOp, with right answers to the rest, for the known wrong answers to build on."""

import operator

import numpy as np


class RaspError(Exception):
    pass


def read_input(x):
    items = list(x)
    if not items:
        raise RaspError("an input must not be empty")
    return items


def both_ways(function):
    def left(self, other):
        return self.pointwise(function, self, other)

    def right(self, other):
        return self.pointwise(function, other, self)

    return left, right


class SOp:
    kind = "s-op"

    def __init__(self, function, *parts, name="", op="input", setting=None):
        self.function, self.parts = function, parts
        self.name, self.op, self.setting = name, op, setting
        self.label = ""

    def compute(self, columns):
        return [v.item() if isinstance(v, np.generic) else v for v in self.function(*columns)]

    def __call__(self, x):
        return list(self.value(read_input(x), {}))

    def value(self, x, memo):
        if id(self) not in memo:
            columns = [part.value(x, memo) if hasattr(part, "value") else [part] * len(x) for part in self.parts]
            memo[id(self)] = self.compute(columns or [x])
        return memo[id(self)]

    @classmethod
    def pointwise(cls, function, *parts, name="map"):
        return cls(lambda *columns: list(map(function, *columns)), *parts, name=name, op="map", setting=function)

    def __bool__(self):
        raise TypeError("write & | ~ with parentheses")

    def __hash__(self):
        return id(self)

    __add__, __radd__ = both_ways(operator.add)
    __sub__, __rsub__ = both_ways(operator.sub)
    __mul__, __rmul__ = both_ways(operator.mul)
    __gt__, _ = both_ways(operator.gt)
    __eq__, _ = both_ways(operator.eq)
