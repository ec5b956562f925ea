"""The text of chapter 1, how a tenth of any text is held out, and what models reach on it that only count."""

import gzip
import math
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

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
    known = set(held_out)  # some texts say the same thing twice: what is held out is not trained on elsewhere
    train = [stretch for stretch in found if stretch not in known]
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


NAMES = ("uniform", "unigram", "bigram", "trigram", "4-gram")


def ngram_levels(
    train: Int[Tensor, "rows T"], held_out: Int[Tensor, "held T"], vocabulary_size: int, longest: int = 4
) -> dict[str, float]:
    """Cross-entropies, in nats a token, of models that predict from the last 0, 1, 2, ... tokens by counting.

    Returns {"uniform", "unigram", "bigram", "trigram", "4-gram"} as far as `longest`: log V; token frequencies (one
    added to each count); and longer contexts, each interpolated with the next shorter one by Witten and Bell's rule,
    where a context followed by many different tokens leans more on the shorter one. Counted on `train`, measured on
    the tokens of `held_out` that the loss of a transformer judges. Source: Chen and Goodman 1999, section 2.
    """
    levels = {"uniform": math.log(vocabulary_size)}
    for name, probability in zip(NAMES[1:], _probabilities(train, held_out, vocabulary_size, longest), strict=False):
        levels[name] = -probability.log().mean().item()
    return levels


def _probabilities(train: Tensor, held_out: Tensor, V: int, longest: int):
    """The probability of each token of `held_out` but the first of a row, order by order: (held, T - 1) each."""
    counts = torch.bincount(train.flatten(), minlength=V).double() + 1
    probability = (counts / counts.sum())[held_out[:, 1:]]
    yield probability
    for order in range(2, longest + 1):
        grams, times = _windows(train, order, V).unique(return_counts=True)
        contexts, which = (grams // V).unique(return_inverse=True)  # sorted, as the grams are
        followers = torch.bincount(which)
        total = torch.zeros(len(contexts), dtype=torch.int64).index_add(0, which, times)
        wanted = _windows(held_out, order, V)
        count, _ = _look_up(wanted, grams, times)
        seen, known = _look_up(wanted // V, contexts, total)
        kinds, _ = _look_up(wanted // V, contexts, followers)
        shorter = probability[:, order - 2 :]
        longer = torch.where(known, (count + kinds * shorter) / (seen + kinds).clamp(min=1), shorter)
        probability = torch.cat([probability[:, : order - 2], longer], dim=1)  # a row's start has a shorter context
        yield probability


def _windows(rows: Int[Tensor, "rows T"], order: int, V: int) -> Int[Tensor, "rows places"]:
    """Each run of `order` tokens inside a row as one number in base V."""
    places = rows.shape[1] - order + 1
    key = torch.zeros(len(rows), places, dtype=torch.int64)
    for at in range(order):
        key = key * V + rows[:, at : at + places]
    return key


def _look_up(wanted: Tensor, keys: Int[Tensor, "keys"], values: Tensor) -> tuple[Tensor, Tensor]:
    """The value of each wanted key (0 where it isn't among the sorted keys), and whether it is."""
    place = torch.searchsorted(keys, wanted).clamp(max=len(keys) - 1)
    known = keys[place] == wanted
    return torch.where(known, values[place], 0).double(), known
