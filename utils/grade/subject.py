"""The object under test as a hidden test sees it: plain data in, plain data out, wherever the learner's code runs."""

import linecache
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from utils.grade import probes, wire
from utils.grade.judge import LearnerError, Mismatch
from utils.grade.limit import OutOfTime, time_limit

SECONDS = 10.0  # of the processor that one call of a probe may take in this process
ENDLESS = "it did not come to an end"


class Runner(Protocol):
    """Runs a probe beside the learner's object; data in and out is plain. Raises LearnerError when the code raises."""

    def run(self, probe: Callable, data: tuple) -> Any: ...


class LocalRunner:
    """Runs probes in this process: in the learner's own kernel, and for the reference and the mutants.

    `interruptible`: Ctrl-C in the midst of a probe becomes a LearnerError "Interrupted", so that a check can say how
    far it came; otherwise it ends everything, as usual.
    """

    def __init__(self, obj, interruptible: bool = False):
        self.obj, self.interruptible = obj, interruptible

    def run(self, probe: Callable, data: tuple) -> Any:
        inputs = wire.plain(data, "the input")  # a copy: what the learner does to it stays there
        try:
            with time_limit(SECONDS):
                return wire.plain(probes.isolated(probe)(self.obj, *inputs))
        except wire.WireError as error:
            raise LearnerError("TypeError", str(error)) from None
        except OutOfTime as error:
            raise LearnerError("TimedOut", ENDLESS, *_where(error)) from None
        except KeyboardInterrupt as error:
            if not self.interruptible:
                raise
            raise LearnerError("Interrupted", "you stopped it", *_where(error)) from None
        except GeneratorExit:
            raise
        except BaseException as error:  # SystemExit and the like are the learner's too
            kind, *bases = (c.__name__ for c in type(error).__mro__)
            raise LearnerError(kind, str(error), *_where(error), bases) from error


def _where(error: BaseException) -> tuple[int | None, str | None]:
    """Line number and text of the innermost frame of the answer's own cell, the outermost cell that is running."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if _in_a_cell(f.filename)]
    for frame in reversed(frames):
        if frame.filename == frames[0].filename:  # in a cell that it calls, the line says little to the learner
            return frame.lineno, (frame.line or linecache.getline(frame.filename, frame.lineno or 0)).strip() or None
    return None, None


def _in_a_cell(file: str) -> bool:
    return file.startswith(("<ipython", "<cell")) or "ipykernel_" in file


@dataclass
class Record:
    """One exchange with the object under test; diagnosis compares these with those of the known wrong answers."""

    probe: str
    output: Any = None
    error: tuple[str, str] | None = None
    tolerance: float | None = None


@dataclass
class Subject:
    """What the fixture named after an exercise's object is. Every method goes through `run`."""

    name: str
    runner: Runner
    records: list[Record] = field(default_factory=list)

    def run(self, probe: Callable, *data, tolerance: float | None = None) -> Any:
        """Run `probe(object, *data)` beside the learner's code and return its plain result.

        `tolerance`: how far apart two results may be and still show the same mistake (default: float32 error; set
        it for frequencies of random draws). Raises LearnerError when the code raises.
        """
        record = Record(probe.__name__, tolerance=tolerance)
        self.records.append(record)
        try:
            record.output = self.runner.run(probe, data)
        except LearnerError as error:
            record.error = (error.kind, error.text)
            raise
        return record.output

    def __call__(self, *args, **kwargs) -> Any:
        """Call a function with plain arguments; returns its result."""
        return self.run(probes.call, args, kwargs)["result"]

    def call(self, *args, **kwargs) -> dict:
        """As `subject(...)`, but returns {"result", "args"}: the arguments as they are after the call."""
        return self.run(probes.call, args, kwargs)

    def forward(self, config: dict, weights: dict, *inputs) -> dict:
        """Build the module from `config`, set `weights` by name, call it on `inputs`: {"result", "args", "extra"}."""
        return self._checked(self.run(probes.forward, config, weights, list(inputs)))

    def gradients(self, config: dict, weights: dict, *inputs, seed: int = 0) -> dict:
        """As `forward`, then back-propagate a random direction: {"result", "gradients", "input_gradients"}."""
        return self._checked(self.run(probes.gradients, config, weights, list(inputs), seed))

    def _checked(self, output):
        if isinstance(output, dict) and "problem" in output:
            raise Mismatch(f"{self.name}: {output['problem']}; the given __init__ makes it, so restore that part")
        return output
