"""What a learner has done, on disk beside the notebook: `.progress/<chapter>.json`, safe when two kernels write.

Layout: {"version": 1, "exercises": {name: {"status", "points", "source", "companions", "hints", "revealed"}},
"predictions": {question: guess}, "quizzes": {name: {"choice", "right"}}}. Nothing personal is kept.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from utils.chapter import load_chapter
from utils.files import next_free, write_whole
from utils.learn.context import progress_folder

PARTS = ("exercises", "predictions", "quizzes")
WAIT = 5  # seconds for another kernel to finish writing
_memory: dict[Path, dict] = {}  # where the disk refuses, progress lasts as long as the kernel
_told: set[str] = set()


def file_of(chapter: str) -> Path:
    """The file that keeps the progress of one chapter."""
    key = load_chapter(chapter).key
    return progress_folder(key) / f"{key}.json"


def read(chapter: str) -> dict:
    """All that is known of a chapter; an unreadable file is set aside with one sentence and counts as empty."""
    file = file_of(chapter)
    if file in _memory:
        return json.loads(json.dumps(_memory[file]))
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        parts = [data.get(part, {}) for part in PARTS] if isinstance(data, dict) else [None]
        if not all(isinstance(part, dict) for part in [*parts, *(parts[0] or {}).values()]):
            raise ValueError("not a progress file")
    except FileNotFoundError:
        data = {}
    except OSError as error:
        _once(f"The progress in {file.name} cannot be read ({error.strerror}); it counts as empty for now.")
        data = {}
    except ValueError:
        _set_aside(file)
        data = {}
    return {"version": 1, **{part: data.get(part, {}) for part in PARTS}}


def entry(chapter: str, name: str) -> dict:
    """What is known of one exercise; empty when nothing is."""
    return read(chapter)["exercises"].get(name, {})


def update(chapter: str, change: Callable[[dict], None]) -> dict:
    """Read, let `change` edit, write back: under a lock and by an atomic replace. Returns the new state."""
    file = file_of(chapter)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{file}.lock", timeout=WAIT):
            data = read(chapter)
            change(data)
            if file not in _memory:
                write_whole(file, json.dumps(data, indent=1, ensure_ascii=False))
            else:
                _memory[file] = data
            return data
    except (OSError, Timeout) as error:
        why = "another kernel holds it" if isinstance(error, Timeout) else error.strerror or "the disk refuses"
        _once(
            f"Your progress cannot be saved to {file.parent.name}/{file.name} ({why}); it lasts until the kernel ends."
        )
        data = read(chapter)
        change(data)
        _memory[file] = data
        return data


def update_entry(chapter: str, name: str, **values) -> dict:
    """Set fields of one exercise's entry; None removes a field."""

    def change(data: dict) -> None:
        kept = {**data["exercises"].get(name, {}), **values}
        data["exercises"][name] = {key: value for key, value in kept.items() if value is not None}

    return update(chapter, change)


def _set_aside(file: Path) -> None:
    aside = next_free(lambda number: file.with_name(f"{file.stem}.unreadable-{number}.json"))
    try:
        os.replace(file, aside)
    except FileNotFoundError:
        return  # another kernel has just done so
    except OSError:
        _once(f"The progress file {file.name} is damaged and cannot be moved; a new one cannot be started.")
        return
    print(f"The progress file {file.name} was damaged: it is kept as {aside.name}, and a new one is started.")


def _once(sentence: str) -> None:
    if sentence not in _told:
        _told.add(sentence)
        print(sentence)
