"""Hidden tests in two halves: probes run beside the learner's code, judges hold what is expected.

`tests/<chapter>/test_<exercise>.py` imports its tools from here and nothing from solutions. The tools need torch and
are loaded when they are asked for, because pytest imports this package at every start (its plugin lives here).
"""

import importlib

_HOME = {
    "Draw": "draw",
    "LearnerError": "judge",
    "LocalRunner": "subject",
    "Mismatch": "judge",
    "RARE": "chance",
    "Subject": "subject",
    "a_thing": "judge",
    "close": "judge",
    "draws": "suite",
    "equal": "judge",
    "load_file": "suite",
    "takes_along": "probes",
    "only_parameters": "judge",
    "plain_number": "judge",
    "raises": "judge",
    "rarity": "chance",
    "require": "judge",
    "right": "mutants",
    "shaped": "judge",
    "slips": "mutants",
    "wrong": "mutants",
}

__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
