"""The sandbox as grading uses it: one per grader, one submission at a time, a runner per exercise."""

import signal
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from utils.grade import probes
from utils.grade.judge import LearnerError
from utils.grade.sandbox import view
from utils.grade.sandbox.host import Exchange, Limits, SandboxError, WorkerLost, Zygote
from utils.grade.submission import Definition, Notebook

ISOLATIONS = ("bubblewrap", "none")


class Sandbox:
    """Where untrusted submissions run. A context manager; not for several threads at once.

    isolation: "bubblewrap" (one for each worker; refuses where it does not work), or "none": process limits alone,
    for a container of one's own. `hidden`: submissions, results and whatever else no worker may see; the course it
    never sees.
    """

    def __init__(self, isolation: str = "bubblewrap", limits: Limits | None = None, hidden: Iterable = ()):
        if isolation not in ISOLATIONS:
            raise SandboxError(f"Isolation is bubblewrap or none, not {isolation!r}.")
        if isolation == "bubblewrap" and (refused := view.refusal()):
            raise SandboxError(
                f"Notebooks of strangers are graded in a sandbox, but {refused}; "
                "in a container of your own you can do without: --isolation none."
            )
        self.mode, self.limits, self.hidden = isolation, limits or Limits(), tuple(hidden)
        self.zygote: Zygote | None = None
        self.active: SandboxRunner | None = None
        self.zygotes = 0  # how many it has had

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def close(self) -> None:
        """End the zygote and whatever runs below it."""
        if self.active:
            self.active.close()
        if self.zygote:
            self.zygote.close()
            self.zygote = None

    def runner(
        self,
        notebook: Notebook,
        name: str,
        replaced: Mapping[str, Definition] | None = None,
        limits: Limits | None = None,
    ) -> "SandboxRunner":
        """A runner for one exercise of a notebook. `replaced`: what stands in for other exercises that it builds on
        (the reference's definition where the learner's was wrong). Raises KeyError when the notebook lacks it.
        """
        return SandboxRunner(self, name, notebook.modules(name, replaced or {}), limits or self.limits)

    def start(self) -> None:
        """Have a zygote that lives as long as this process."""
        if self.zygote is None:
            self.zygote = Zygote(self.mode, self.limits, self.hidden)
            self.zygotes += 1

    def try_out(self) -> None:
        """Start a worker and end it. Raises SandboxError, and closes, where none can be confined."""
        try:
            self._fork(self.limits).close()
            self._end()
        except (SandboxError, WorkerLost) as error:
            self.close()
            if isinstance(error, SandboxError):
                raise
            raise SandboxError(f"The grading sandbox does not work here: {error}.") from None

    def _fork(self, limits: Limits) -> Exchange:
        self.start()
        return self.zygote.fork(limits)

    def _end(self) -> dict:
        """End the active worker; a zygote that does not answer is replaced."""
        if self.zygote is None:
            return {"status": None}
        try:
            return self.zygote.end()
        except WorkerLost:
            self.zygote.close()
            self.zygote = None
            return {"status": None}


class SandboxRunner:
    """Runs probes beside the learner's object in a worker of its own (Runner protocol of utils.grade.subject).

    A context manager. The worker starts at the first probe, and ends the one before it. Once it is lost (killed, timed
    out, sent junk), every later probe fails the same way at once. After `close`, `usage` holds {"seconds", "cpu",
    "rss", "left"}.
    """

    def __init__(self, box: Sandbox, name: str, modules: list[dict], limits: Limits):
        self.box, self.name, self.modules, self.limits = box, name, modules, limits
        self.exchange: Exchange | None = None
        self.lost: LearnerError | None = None
        self.usage = {"seconds": 0.0, "cpu": 0.0, "rss": 0, "left": 0}
        self.deadline = 0.0

    def __enter__(self) -> "SandboxRunner":
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def run(self, probe: Callable, data: tuple) -> Any:
        """Run `probe(object, *data)` in the worker. Raises LearnerError, also for a worker that is lost."""
        if self.lost is None and self.exchange is None:
            self._start()
        if self.lost is not None:
            raise self.lost
        request = {"probe": probe.__name__, "source": probes.probe_source(probe), "data": list(data)}
        return self._ask(request)

    def _start(self) -> None:
        if self.box.active:
            self.box.active.close()
        self.box.active = self
        try:
            self.exchange = self.box._fork(self.limits)
        except WorkerLost as error:
            self._lose(error)
            return
        self.deadline = time.monotonic() + self.limits.total_wall  # the start of the worker is ours
        try:
            self._ask({"define": self.modules, "name": self.name})
        except LearnerError as error:
            self.lost = error

    def _ask(self, request: dict) -> Any:
        started = time.monotonic()
        try:
            answer = self.exchange.ask(request, min(self.limits.request_wall, max(0.1, self.deadline - started)))
        except WorkerLost as error:
            self._lose(error)
            raise self.lost from None
        finally:
            self.usage["seconds"] += time.monotonic() - started
        if answer["ok"]:
            return answer.get("value")
        raise LearnerError(*_error(answer))

    def _lose(self, error: WorkerLost) -> None:
        report = self.close()
        kind, text = error.kind, error.text
        status = report.get("status")
        if kind == "Crashed" and isinstance(status, int) and "gone" in text:
            number = status & 0x7F
            if number == signal.SIGXCPU or (number == signal.SIGKILL and report["cpu"] >= self.limits.total_cpu - 1):
                kind, text = "TimedOut", f"it used more than {self.limits.request_cpu} seconds of the processor"
            elif number:
                text = f"it was killed by {_signal(number)}"
            else:
                text = f"it ended its process (exit status {status >> 8})"
        self.lost = LearnerError(kind, text)

    def close(self) -> dict:
        """End the worker and whatever it started; returns how it ended."""
        if self.box.active is not self:
            return {"status": None}
        self.box.active = None
        if self.exchange:
            self.exchange.close()
            self.exchange = None
        report = self.box._end()
        for key in ("cpu", "rss", "left"):
            self.usage[key] = max(self.usage[key], report.get(key, 0))
        return report


def _error(answer: Mapping) -> Iterable:
    """Kind, text, line, code and bases of a worker's error, each forced into its type and length."""
    kind, text, line, code, bases = (answer.get(key) for key in ("kind", "text", "line", "code", "bases"))
    kind = kind if isinstance(kind, str) and kind.isidentifier() else "Exception"
    line = line if isinstance(line, int) and 0 < line < 10**6 else None
    bases = [base for base in bases if isinstance(base, str)] if isinstance(bases, (list, tuple)) else []
    return kind[:80], str(text)[:600], line, str(code)[:200] if line and code else None, bases[:20]


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
