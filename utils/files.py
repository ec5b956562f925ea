"""Files that are never half-written: each is written beside its place and then moved there."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from utils.course import CourseError

PART = ".part"  # how the name ends while the file is being written


def write_whole(file: Path, content: str | bytes | Callable[[Path], object]) -> None:
    """Write a file by an atomic replace: a full disk or a kill leaves what was there. Raises OSError.

    `content`: text (UTF-8, the same line ends on every system), bytes, or a function that writes the path it is given.
    """
    file = Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}{PART}")
    try:
        if callable(content):
            content(part)
        else:
            with part.open("xb") as opened:
                opened.write(content.encode("utf-8") if isinstance(content, str) else content)
                opened.flush()
                os.fsync(opened.fileno())
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def writing(what) -> Iterator[None]:
    """Within the block, a disk that refuses becomes a CourseError: one sentence that `what` cannot be written."""
    try:
        yield
    except OSError as error:
        raise CourseError(f"{what} cannot be written: {error.strerror or error}.") from None


def next_free(name: Callable[[int], Path]) -> Path:
    """The first of name(1), name(2), ... that does not exist yet."""
    number = 1
    while (file := name(number)).exists():
        number += 1
    return file
