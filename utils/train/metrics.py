"""Numbers of a run, one JSON object a line; the same calls feed an experiment tracker where one is asked for."""

import json
from pathlib import Path

from utils.course import CourseError


class Metrics:
    """Log of a run. `history` holds every line, also those of the file that a resumed run continues.

    `path` None keeps the lines in memory only. `tracker_project` sends them to wandb as well; raises CourseError where
    that package is not installed.
    """

    def __init__(
        self,
        path: Path | None = None,
        first_step: int = 0,
        tracker_project: str | None = None,
        run_name: str | None = None,
        settings: dict | None = None,
    ):
        self.path = path
        self.tracker = _wandb(tracker_project, run_name, settings) if tracker_project else None
        self.history: list[dict] = []
        if path is not None and first_step and path.is_file():
            self.history = [line for line in read_metrics(path) if line.get("step", 0) <= first_step]
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("".join(json.dumps(line) + "\n" for line in self.history), encoding="utf-8")
            except OSError as error:
                raise CourseError(f"{path} cannot be written: {error.strerror or error}.") from None

    def log(self, step: int, **values) -> None:
        """Add one line: numbers or text of one step."""
        line = {"step": step, **values}
        self.history.append(line)
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        if self.tracker is not None:
            self.tracker.log(values, step=step)

    def close(self) -> None:
        """End the tracker's run, if there is one."""
        if self.tracker is not None:
            self.tracker.finish()


def read_metrics(path: Path) -> list[dict]:
    """The lines of a metrics file; a last line cut short by a crash is left out."""
    lines = []
    for text in Path(path).read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            break
    return lines


def _wandb(project: str, name: str | None, settings: dict | None):
    try:
        import wandb
    except ImportError:
        raise CourseError("A tracker project was given, but the package wandb is not installed.") from None
    return wandb.init(project=project, name=name, config=settings or {})
