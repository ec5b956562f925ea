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

KEPT_LINES = 5
_HOOKS = [name for name in vars(torch_module) if name.startswith("_global_") and name.endswith("_hooks")]
_FLAGS = [name for name in vars(torch_module) if name.startswith("_global_") and name.endswith("_hooks_always_called")]


class Prints(io.TextIOBase):
    """Takes what the learner's code prints: keeps the first lines, counts the rest."""

    def __init__(self):
        self.kept: list[str] = []
        self.lines = 0
        self._open = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *whole, rest = text.split("\n")
        for line in whole:
            self._take(self._open + line)
            self._open = ""
        self._open = (self._open + rest)[:2000]
        return len(text)

    def _take(self, line: str) -> None:
        self.lines += 1
        if len(self.kept) < KEPT_LINES:
            self.kept.append(line[:300])

    def summary(self) -> str:
        """The first lines printed, and one line that counts the others; empty when nothing was printed."""
        if self._open:
            self._take(self._open)
            self._open = ""
        if not self.lines:
            return ""
        text = "Printed while your code was checked:\n" + "\n".join("  " + line for line in self.kept)
        more = self.lines - len(self.kept)
        return text + (f"\n  ... and {more:,} more line{'s' if more > 1 else ''}, not shown" if more else "")


def _deterministic() -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


@contextmanager
def traceless(seed: int = 0) -> Iterator[Prints]:
    """Run the block under torch's defaults and a fixed seed, its prints taken; restore everything afterwards."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() and torch.cuda.is_initialized() else None
    dtype, grad, device = torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_default_device()
    deterministic = _deterministic()
    threads = torch.get_num_threads()
    hooks = {name: dict(getattr(torch_module, name)) for name in _HOOKS + _FLAGS}
    prints = Prints()
    try:
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
        torch.set_grad_enabled(True)
        torch.set_num_threads(
            1
        )  # the tensors are small: on busy cores, handing them to threads costs more than it saves
        for name in hooks:
            getattr(torch_module, name).clear()
        with warnings.catch_warnings(), contextlib.redirect_stdout(prints), contextlib.redirect_stderr(prints):
            yield prints
    finally:
        for name, kept in hooks.items():
            getattr(torch_module, name).clear()
            getattr(torch_module, name).update(kept)
        torch.set_grad_enabled(grad)
        torch.set_default_device(None if device == torch.device("cpu") else device)
        torch.set_default_dtype(dtype)
        if _deterministic() != deterministic:  # only then: the call imports torch's compiler, which takes seconds
            torch.use_deterministic_algorithms(deterministic[0], warn_only=deterministic[1])
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)
