"""Hidden tests in two halves: probes run beside the learner's code, judges hold what is expected.

`tests/<chapter>/test_<exercise>.py` imports its tools from here and nothing from solutions. The tools need torch and
are loaded when they are asked for, because pytest imports this package at every start (its plugin lives here).
"""

import importlib

_FROM = {
    "chance": "RARE rarity",
    "draw": "Draw",
    "judge": "LearnerError Mismatch a_thing close equal only_parameters plain_number raises require shaped",
    "mutants": "right slips wrong",
    "probes": "takes_along",
    "subject": "LocalRunner Subject",
    "suite": "draws load_file",
}
_HOME = {name: module for module, names in _FROM.items() for name in names.split()}

__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
