"""The text of chapter 1: Shakespeare's plays and poems, and how a tenth of any text is held out."""

import gzip
import re
from dataclasses import dataclass
from pathlib import Path

from utils.course import ROOT, CourseError

FOLDER = ROOT / "chapters" / "ch1_transformer_from_scratch" / "data"
STRETCH = 2000  # characters of what is held out or trained on together
BETWEEN = "\f\n"  # what separates two works in the file: a form feed, which no work contains


@dataclass
class Corpus:
    """Documents to train on and documents held out; `name` is what was asked for."""

    name: str
    train: list[str]
    held_out: list[str]


def works(file: Path | None = None) -> list[str]:
    """The 42 plays and poems that the course ships, 5 million characters in all; each begins with its title.

    Raises CourseError where the file is missing or damaged.
    """
    file = file or FOLDER / "shakespeare.txt.gz"
    try:
        return gzip.decompress(Path(file).read_bytes()).decode("ascii").split(BETWEEN)
    except (OSError, EOFError, ValueError, gzip.zlib.error):
        raise CourseError(f"{file} is missing or damaged: fetch the course's files again.") from None


def clean(text: str) -> str:
    """A work as the course ships it: ASCII, single blanks, no blanks around a line, at most one empty line in a row."""
    text = "\n".join(" ".join(line.split()) for line in text.splitlines())
    text = "".join(character for character in text if character == "\n" or " " <= character <= "~")
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def split(documents: list[str], share: float = 0.1, name: str = "embedded") -> Corpus:
    """Hold out about `share` of the text, whole paragraphs from all over it: the same ones every time.

    Documents are cut into stretches of paragraphs (a corpus may be one long file), and every tenth stretch is held
    out. A text without enough empty lines is cut anywhere. Raises CourseError for a text too short to split.
    """
    every = round(1 / share)
    found = [stretch for document in documents for stretch in stretches(document)]
    if len(found) < every:
        found = [
            document[at : at + STRETCH]
            for document in documents
            for at in range(0, len(document), STRETCH)
            if document[at : at + STRETCH].strip()
        ]
    if len(found) < every:
        raise CourseError(f"The text of {name} is too short to train on: it needs at least {every * 2} kB.")
    held_out = found[every // 2 :: every]
    train = [stretch for index, stretch in enumerate(found) if index % every != every // 2]
    return Corpus(name, train, held_out)


def stretches(document: str, characters: int = STRETCH) -> list[str]:
    """Cut a document at empty lines into stretches of about `characters` (never inside a paragraph)."""
    found: list[str] = []
    current: list[str] = []
    for paragraph in document.split("\n\n"):
        current.append(paragraph)
        if sum(map(len, current)) >= characters:
            found.append("\n\n".join(current))
            current = []
    rest = "\n\n".join(current)
    return found + [rest] if rest.strip() else found
