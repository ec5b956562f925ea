"""The 96 languages of the training experiments, by the names of the original (chapter 3).

{sort|reverse|hist|hist2|sort_by_freq}_{10|26|52|100}[_bos][_with_attns], and dyck{1..8}_ptf[_bos].
"""

import difflib
import re
import string
from collections import Counter
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from utils.course import CourseError

from . import dyck
from .attention_targets import Selectors, program_heads
from .tasks import IGNORE, MOST, make_batch

BOS = "§"  # beginning of sequence, padding and "no output" at once
FAMILIES = ("sort", "reverse", "hist", "hist2", "sort_by_freq")
SIZES = (10, 26, 52, 100)
LETTERS = string.ascii_letters + string.digits + string.punctuation + string.whitespace  # 100 characters
HEADS = {  # heads of each layer that a program of the family uses, without and with BOS
    "sort": ((1, 1), (1, 1)),
    "reverse": ((1, 1), (1, 1)),
    "hist": ((2,), (1,)),
    "hist2": ((2, 1), (2, 1)),
    "sort_by_freq": ((2, 1, 1), (2, 1, 1)),
}


@dataclass(frozen=True)
class Language:
    """One of the 96: what goes in, what comes out, and what its heads are to look at."""

    key: str
    family: str  # one of FAMILIES, or dyck
    alphabet: str  # in the order of the code points, so that the numbers of the symbols sort as the symbols do
    k: int  # kinds of brackets; 0: no dyck language
    bos: bool
    supervised: bool

    @property
    def vocabulary(self) -> int:
        """Symbols that go in: the alphabet, and § behind it."""
        return len(self.alphabet) + 1

    @property
    def classes(self) -> list[str | int]:
        """What each class stands for."""
        if self.k:
            found: list[str | int] = list(dyck.CLASSES)
        elif self.family in ("hist", "hist2"):
            found = list(range(MOST + 1))
        else:
            found = list(self.alphabet)
        return found + [BOS] * (self.bos or self.family == "sort_by_freq")

    @property
    def heads(self) -> tuple[int, ...]:
        """Supervised heads of each layer; empty where attention isn't supervised."""
        return HEADS[self.family][self.bos] if self.supervised else ()

    def batch(self, n: int, max_len: int, generator=None, min_len: int = 1) -> tuple[Tensor, Tensor, Tensor]:
        """n random sequences with their targets: tokens, targets, mask; with BOS one position longer."""
        if self.k:
            tokens, targets, mask = dyck.dyck_batch(self.k, n, max_len, generator, min_len)
        else:
            tokens, targets, mask = make_batch(self.family, n, max_len, len(self.alphabet), generator, min_len)
        if self.bos:
            start = torch.ones(n, 1, dtype=torch.int64)
            tokens = torch.cat([start * len(self.alphabet), tokens], 1)
            targets = torch.cat([start * (len(self.classes) - 1), targets], 1)
            mask = torch.cat([start.bool(), mask], 1)
        return tokens, targets, mask

    def selectors(self, tokens: Tensor, mask: Tensor) -> Selectors:
        """What each supervised head is to select; empty where attention isn't supervised."""
        return program_heads(self.family, tokens, mask, self.bos) if self.supervised else {}

    def encode(self, text: str) -> tuple[Tensor, Tensor]:
        """A text as tokens and mask, each (1, T).

        Raises CourseError for an empty text, an unknown symbol, and a § that is missing or not at the front alone.
        """
        if not text:
            raise CourseError(f"The sequence is empty; {self.key} needs at least one symbol.")
        if self.bos and not text.startswith(BOS):
            raise CourseError(f"{self.key} starts every sequence with {BOS}: write {BOS + text!r} instead of {text!r}.")
        body = text[1:] if self.bos else text
        for symbol in body:
            if symbol not in self.alphabet:
                shown = self.alphabet if len(self.alphabet) <= 30 else f"{self.alphabet[:30]}..."
                raise CourseError(f"{symbol!r} in {text!r} is not a symbol of {self.key}; these are {shown!r}.")
        numbers = [len(self.alphabet)] * self.bos + [self.alphabet.index(symbol) for symbol in body]
        return torch.tensor([numbers]), torch.ones(1, len(numbers), dtype=torch.bool)

    def target(self, text: str) -> list[str | int]:
        """What should come out for a text, by definition and without tensors. Raises CourseError as `encode` does."""
        self.encode(text)
        body = text[1:] if self.bos else text
        return [BOS] * self.bos + (prefixes(body, self.k) if self.k else defined(self.family, body))

    def attention(self, text: str) -> dict[str, list[list[int]]]:
        """The selectors of a text, by the names L0H0, L0H1, ...: rows of 0 and 1, one for each query."""
        tokens, mask = self.encode(text)
        found = self.selectors(tokens, mask)
        return {f"L{layer}H{head}": rows[0].int().tolist() for (layer, head), rows in found.items()}

    def decode(self, classes: Tensor) -> list[str | int]:
        """Numbers of classes (T,) as what they stand for; padding is left out."""
        return [self.classes[int(number)] for number in classes if number != IGNORE]

    def write(self, tokens: Tensor) -> str:
        """Tokens (T,) of real positions as text."""
        return "".join((self.alphabet + BOS)[int(number)] for number in tokens)


def defined(family: str, text: str) -> list[str | int]:
    """Targets of a text, as each family is defined."""
    counts = Counter(text)
    if family == "reverse":
        return list(text[::-1])
    if family == "sort":
        return sorted(text)
    if family == "hist":
        return [min(counts[symbol], MOST) for symbol in text]
    if family == "hist2":
        alike = Counter(counts.values())
        return [min(alike[counts[symbol]], MOST) for symbol in text]
    ranked = sorted(counts, key=lambda symbol: (-counts[symbol], text.index(symbol)))
    return ranked + [BOS] * (len(text) - len(ranked))


def prefixes(text: str, k: int) -> list[str]:
    """P, T or F after each prefix of a text of brackets."""
    closing, stack, found, broken = {pair[1]: pair[0] for pair in dyck.PAIRS[:k]}, [], [], False
    for symbol in text:
        if symbol in closing:
            broken = broken or not stack or stack.pop() != closing[symbol]
        elif symbol in closing.values():
            stack.append(symbol)
        found.append("F" if broken else "P" if stack else "T")
    return found


@cache
def languages() -> dict[str, Language]:
    """All 96, by key."""
    found = {}
    for family in FAMILIES:
        for size in SIZES:
            for bos in ("", "_bos"):
                for attns in ("", "_with_attns"):
                    key = f"{family}_{size}{bos}{attns}"
                    letters = "".join(sorted(LETTERS[:size]))
                    found[key] = Language(key, family, letters, 0, bool(bos), bool(attns))
    for k in range(1, len(dyck.PAIRS) + 1):
        for bos in ("", "_bos"):
            found[f"dyck{k}_ptf{bos}"] = Language(f"dyck{k}_ptf{bos}", "dyck", dyck.alphabet(k), k, bool(bos), False)
    return found


def language(key: str) -> Language:
    """The language of that key. Raises CourseError for an unknown one, and names the nearest."""
    if key not in languages():
        near = difflib.get_close_matches(key, languages(), n=3, cutoff=0.0)
        raise CourseError(f"There is no language {key!r}; the nearest are {', '.join(near)} (all: the command peep).")
    return languages()[key]


def folder_name(text: str) -> str:
    """A text as the name of a folder: letters, digits, _ and - as they are, any other as ~ and its hexadecimal code.

    Different texts get different names. Raises CourseError where the name would be too long for a file system.
    """
    name = re.sub(r"[^A-Za-z0-9_§-]", lambda found: f"~{ord(found[0]):x}.", text)
    if len(name.encode()) > 200:
        says = f"as the name of a folder it takes {len(name.encode())} characters, and 200 is the most"
        raise CourseError(f"The sequence is too long: {says}.")
    return name
