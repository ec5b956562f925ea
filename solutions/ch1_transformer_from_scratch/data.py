"""Text to train on, and its way from documents to rows of tokens (chapter 1)."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from utils.course import CourseError


def chunk_tokens(documents: list[list[int]], context_length: int, separator: int) -> Int[Tensor, "n context_length"]:
    """Join the documents, each followed by the separator, and cut the result into rows; the remainder is dropped.

    Shapes: -> int64 (n, context_length), n = 0 where the text does not fill one row.
    """
    # solution
    joined = [token for document in documents for token in [*document, separator]]
    rows = len(joined) // context_length
    return torch.tensor(joined[: rows * context_length], dtype=torch.int64).reshape(rows, context_length)
    # end solution


def python_reference() -> list[str]:
    """The Python language reference that ships inside CPython: 0.46 MB of English, one document per topic."""
    from pydoc_data.topics import topics

    return [topics[name] for name in sorted(topics)]


@dataclass
class Corpus:
    """Documents to train on and documents held out; `name` is what was asked for."""

    name: str
    train: list[str]
    held_out: list[str]


def split(documents: list[str], share: float = 0.1, name: str = "embedded") -> Corpus:
    """Hold out about `share` of the text, whole paragraphs from all over it: the same ones every time.

    Documents are cut into stretches of paragraphs (a corpus may be one long file), and every tenth stretch is held
    out. Raises CourseError for a text too short to split.
    """
    stretches = [stretch for document in documents for stretch in _stretches(document)]
    every = round(1 / share)
    if len(stretches) < every:
        raise CourseError(f"The text of {name} is too short to train on: it needs at least {every * 2} kB.")
    held_out = stretches[every // 2 :: every]
    train = [stretch for index, stretch in enumerate(stretches) if index % every != every // 2]
    return Corpus(name, train, held_out)


def _stretches(document: str, characters: int = 2000) -> list[str]:
    """Cut a document at blank lines into pieces of about `characters` (never inside a paragraph)."""
    pieces: list[str] = []
    current: list[str] = []
    for paragraph in document.split("\n\n"):
        current.append(paragraph)
        if sum(map(len, current)) >= characters:
            pieces.append("\n\n".join(current))
            current = []
    rest = "\n\n".join(current)
    return pieces + [rest] if rest.strip() else pieces


def load_corpus(dataset: str = "embedded") -> Corpus:
    """The documents of "embedded" (the Python reference), a text file, a folder of *.txt and *.md, or a hub data set.

    Raises CourseError, in one sentence, for a file that is empty or not text, an empty folder, and a hub data set that
    cannot be had (no such name, no network, or the package `datasets` is not installed).
    """
    if dataset == "embedded":
        return split(python_reference())
    path = Path(dataset).expanduser()
    if path.is_file():
        return split([_read(path)], name=path.name)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix in (".txt", ".md", ".rst") and file.is_file())
        if not files:
            raise CourseError(f"The folder {dataset} holds no text files (*.txt, *.md, *.rst).")
        return split([_read(file) for file in files], name=path.name)
    return split(_from_hub(dataset), name=dataset)


def _read(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CourseError(f"{path} is not a text file in UTF-8.") from None
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.") from None
    if "\0" in text:
        raise CourseError(f"{path} is a binary file, not a text.")
    if not text.strip():
        raise CourseError(f"{path} is empty: there is nothing to train on.")
    return text.replace("\r\n", "\n")


def _from_hub(name: str) -> list[str]:
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or name.endswith((".txt", ".md", ".rst")):
        raise CourseError(f"There is no file or folder {name}.")
    try:
        from datasets import load_dataset
    except ImportError:
        raise CourseError(
            f"There is no file or folder {name}, and to fetch it as a hub data set the package datasets is needed: "
            "pip install datasets."
        ) from None
    try:
        rows = load_dataset(name, split="train")
    except Exception as error:  # the hub's client raises a dozen kinds; to the user they are one
        raise CourseError(
            f"{name} is no file or folder here, and as a hub data set it could not be fetched "
            f"({type(error).__name__}): check the name and the network."
        ) from None
    column = next((c for c in ("text", "content", "document") if c in rows.column_names), None)
    if column is None:
        raise CourseError(f"The data set {name} has no column text: it has {', '.join(rows.column_names)}.")
    return [text for text in rows[column] if isinstance(text, str) and text.strip()]
