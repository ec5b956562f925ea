"""Probes that many exercises share. A probe runs beside the learner's code and returns plain data; it holds no answer.

A probe is self-contained (its source alone is sent to the grading worker): what it needs beyond `torch`, `nn`, `F`
and `SimpleNamespace` it imports itself, or names with `@takes_along` (other functions, whose source goes with it). Its
first argument is the learner's object, the rest is plain data.
"""

import inspect
import re
import textwrap
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn


def takes_along(*functions: Callable) -> Callable:
    """Decorator: send the source of these functions, as self-contained as a probe, along with the probe."""

    def mark(probe):
        probe.takes_along = functions
        return probe

    return mark


@cache
def isolated(probe: Callable) -> Callable:
    """The same probe compiled from its source alone, as the grading worker does; so none can lean on its module."""
    return compile_probe(probe.__name__, probe_source(probe))


@cache
def probe_source(probe: Callable) -> str:
    """Source text of a top-level probe function, behind that of what it takes along: what is sent to a worker."""
    sources = [textwrap.dedent(inspect.getsource(part)) for part in (*getattr(probe, "takes_along", ()), probe)]
    return "\n\n".join(source[re.search("^def ", source, re.MULTILINE).start() :] for source in sources)


def compile_probe(name: str, source: str) -> Callable:
    """Define a probe from its source in a namespace that holds only torch, nn, F and SimpleNamespace."""
    namespace = {"torch": torch, "nn": nn, "F": F, "SimpleNamespace": SimpleNamespace}
    exec(_code(name, source), namespace)
    return namespace[name]


@cache
def _code(name: str, source: str):
    return compile(source, f"<probe {name}>", "exec")


def names_of(obj, name):
    """The dict of names that a learner's function reads when it runs; the notebook's where `name` is not in its own.

    For probes that put something in the place of `name`, and the old one back afterwards.
    """
    import inspect
    import sys

    names = getattr(inspect.unwrap(getattr(obj, "func", obj)), "__globals__", {})
    return names if name in names else vars(sys.modules["__main__"])


def call(function, args, kwargs):
    """Call a function; returns its result and the arguments as they are afterwards."""
    result = function(*args, **kwargs)
    return {"result": result, "args": args}


def weighted(cls, config, weights):
    """Build a module and set its weights by (dotted) name: it, and what is wrong where a weight does not fit."""
    module = cls(SimpleNamespace(**config))
    named = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    with torch.no_grad():
        for name, value in weights.items():
            if name not in named:
                return module, f"there is no parameter called {name}"
            if named[name].shape != value.shape:
                return module, f"{name} has shape {tuple(named[name].shape)}, not {tuple(value.shape)}"
            named[name].copy_(value)
    return module, ""


@takes_along(weighted)
def forward(cls, config, weights, inputs):
    """Build a module, set its weights by (dotted) name, call it once; returns the output and the inputs afterwards.

    A weight that the module lacks, or that has another shape, is reported in `problem`; what the state dict holds
    beside `weights` after the call, in `extra`.
    """
    module, problem = weighted(cls, config, weights)
    if problem:
        return {"problem": problem}
    output = module(*inputs)
    return {"result": output, "args": inputs, "extra": [name for name in module.state_dict() if name not in weights]}


@takes_along(weighted)
def gradients(cls, config, weights, inputs, seed):
    """Build and weight a module as `forward` does, then back-propagate a random direction; returns every gradient.

    `inputs`: tensors; a floating-point one gets a gradient too. Parameters that get none are left out of "gradients"
    (all of them when the output is cut off from the graph).
    """
    module, problem = weighted(cls, config, weights)
    if problem:
        return {"problem": problem}
    inputs = [x.requires_grad_() if x.is_floating_point() else x for x in inputs]
    output = module(*inputs)
    if not isinstance(output, torch.Tensor):
        raise TypeError(f"forward returned a {type(output).__name__} where a tensor is expected")
    direction = torch.randn(output.shape, generator=torch.Generator().manual_seed(seed))
    if output.requires_grad:
        (output * direction).sum().backward()
    return {
        "result": output,
        "gradients": {n: p.grad for n, p in module.named_parameters() if p.grad is not None},
        "input_gradients": [x.grad for x in inputs if x.is_floating_point()],
    }
