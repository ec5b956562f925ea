"""A check leaves no trace: random states, default dtype, grad mode, hooks and warnings are as they were before it."""

import contextlib
import io
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch.nn.modules import module as torch_module

from utils.train.run import seed_everything

KEPT, KEPT_LINES = 2000, 5  # characters, and lines that are shown
_HOOKS = [name for name in vars(torch_module) if name.startswith("_global_") and name.endswith("_hooks")]
_FLAGS = [name for name in vars(torch_module) if name.startswith("_global_") and name.endswith("_hooks_always_called")]


class Prints(io.TextIOBase):
    """Takes what the learner's code prints: keeps the beginning, counts the lines of the rest."""

    def __init__(self):
        self.kept, self.ends, self.open = "", 0, False

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.kept += text[: max(0, KEPT - len(self.kept))]
        self.ends += text.count("\n")
        self.open = not text.endswith("\n") if text else self.open
        return len(text)

    def summary(self) -> str:
        """The first lines printed, and one line that counts the others; empty when nothing was printed."""
        if not self.kept:
            return ""
        shown = self.kept.splitlines()[:KEPT_LINES]
        more = self.ends + self.open - len(shown)
        text = "\n".join(["Printed while your code was checked:", *(f"  {line[:300]}" for line in shown)])
        return text + (f"\n  ... and {more:,} more line{'s' if more > 1 else ''}, not shown" if more else "")


def _deterministic() -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


@contextmanager
def traceless(seed: int = 0) -> Iterator[Prints]:
    """Run the block under torch's defaults and a fixed seed, its prints taken; restore everything afterwards."""
    states = random.getstate(), np.random.get_state()
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    deterministic = _deterministic()
    threads = torch.get_num_threads()
    hooks = {name: dict(getattr(torch_module, name)) for name in _HOOKS + _FLAGS}
    prints = Prints()
    try:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
        torch.set_num_threads(1)  # tensors are small: on busy cores, threads cost more than they save
        for name in hooks:
            getattr(torch_module, name).clear()
        with warnings.catch_warnings(), contextlib.redirect_stdout(prints), contextlib.redirect_stderr(prints):
            with torch.random.fork_rng(devices), torch.enable_grad():
                seed_everything(seed)
                yield prints
    finally:
        for name, kept in hooks.items():
            getattr(torch_module, name).clear()
            getattr(torch_module, name).update(kept)
        torch.set_default_device(None if device == torch.device("cpu") else device)
        torch.set_default_dtype(dtype)
        if _deterministic() != deterministic:  # only then: the call imports torch's compiler, which takes seconds
            torch.use_deterministic_algorithms(deterministic[0], warn_only=deterministic[1])
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        random.setstate(states[0])
        np.random.set_state(states[1])
