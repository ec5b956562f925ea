"""Broken notebooks made from a chapter's: their answers, cells, types, bytes, encodings, sizes and formats."""

import copy
import json
import random
from pathlib import Path

from tests.fuzz.answers import change
from utils import course
from utils.chapter import load_chapter

ODD = (
    None,
    True,
    False,
    0,
    -1,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x",
    "\x00",
    "\ud800",
    [],
    {},
    [None],
    [[]],
    {"": 0},
)
ODD += (["a", 1, None], {"cells": []}, "code", 10**30, [{}], "ch99", {"exercise": {"name": "GELU", "role": "answer"}})
MANY = 6  # exercises that notebooks are made of: those that are the cheapest to grade


class Maker:
    """Makes notebook number 0, 1, 2, ... of a seed: the same ones each time."""

    def __init__(self, notebook: dict, chapter: str, seed: int = 0, exercises: tuple[str, ...] = ()):
        self.seed, self.metadata = seed, notebook["metadata"]
        self.answers: dict[str, list[dict]] = {}
        self.top = [c for c in notebook["cells"] if {"imports"} & set(c["metadata"].get("tags", []))]
        for cell in notebook["cells"]:
            if mark := cell["metadata"].get("exercise"):
                self.answers.setdefault(mark["name"], []).append(cell)
        alone = [e.name for e in load_chapter(chapter).exercises if not e.needs and e.name in self.answers]
        self.exercises = exercises or tuple(sorted(alone, key=lambda name: len(self._text(name)))[:MANY])
        if unknown := [name for name in self.exercises if name not in self.answers]:
            raise course.CourseError(f"The solutions of {chapter} hold no answer to {unknown[0]}.")

    def _text(self, name: str) -> str:
        return "".join(text(cell) for cell in self.answers[name] if role(cell) == "answer")

    def make(self, number: int) -> tuple[str, bytes]:
        """(kind, the bytes of the file)."""
        rng = random.Random(f"{self.seed}:{number}")
        kind = rng.choices(list(KINDS), [weight for weight, _ in KINDS.values()])[0]
        return kind, KINDS[kind][1](rng, self._some(rng))

    def _some(self, rng: random.Random) -> dict:
        """A whole notebook with one to three answers."""
        chosen = rng.sample(self.exercises, rng.choice((1, 1, 2, 2, 3)))
        cells = [*self.top, *(cell for name in chosen for cell in self.answers[name])]
        return copy.deepcopy({"cells": cells, "metadata": self.metadata, "nbformat": 4, "nbformat_minor": 5})


def solutions(chapter: str) -> dict:
    """The chapter's notebook of solutions. Raises CourseError where a hand-out left it out."""
    file = Path(course.ROOT) / "solutions" / course.chapter_name(chapter) / "solutions.ipynb"
    if not file.is_file():
        raise course.CourseError(f"The solutions of {chapter} are not part of this hand-out.")
    return json.loads(file.read_text(encoding="utf-8"))


def text(cell: dict) -> str:
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def role(cell: dict) -> str:
    return cell["metadata"].get("exercise", {}).get("role", "")


def dumped(notebook, **how) -> bytes:
    return json.dumps(notebook, **how).encode("utf-8", "surrogatepass")


def _answers(rng, notebook) -> bytes:
    for cell in notebook["cells"]:
        if role(cell) == "answer" and rng.random() < 0.8:
            cell["source"] = change(rng, text(cell))
    return dumped(notebook)


def _cells(rng, notebook) -> bytes:
    """Cells shuffled, split, merged, doubled, deleted, retyped, stripped of their metadata."""
    cells = notebook["cells"]
    for _ in range(rng.choice((1, 2, 3))):
        way, at = rng.randrange(7), rng.randrange(len(cells))
        if way == 0:
            rng.shuffle(cells)
        elif way == 1:
            source = text(cells[at])
            cut = rng.randrange(len(source) + 1)
            cells[at : at + 1] = [{**cells[at], "source": source[:cut]}, {**cells[at], "source": source[cut:]}]
        elif way == 2 and at:
            cells[at - 1]["source"] = text(cells[at - 1]) + "\n" + text(cells.pop(at))
        elif way == 3:
            cells.insert(rng.randrange(len(cells)), copy.deepcopy(cells[at]))
        elif way == 4 and len(cells) > 1:
            del cells[at]
        elif way == 5:
            cells[at]["cell_type"] = rng.choice(("markdown", "raw", "code", "heading", ""))
        else:
            cells[at]["metadata"] = {}
    return dumped(notebook)


def _places(tree, found: list) -> list:
    """Every (container, key) of a tree."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        found.append((tree, key))
        if isinstance(tree[key], (dict, list)):
            _places(tree[key], found)
    return found


def _types(rng, notebook) -> bytes:
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        if places := _places(notebook, []):
            container, key = rng.choice(places)
            if rng.random() < 0.2:
                del container[key]
            else:
                container[key] = copy.deepcopy(rng.choice(ODD))
    return dumped(notebook)


def _bytes(rng, notebook) -> bytes:
    data = bytearray(dumped(notebook, indent=1))
    for _ in range(rng.choice((1, 1, 2, 5, 50))):
        at = rng.randrange(len(data))
        way = rng.randrange(4)
        if way == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            del data[at : at + rng.choice((1, 1, 10, 200))]
        elif way == 2:
            data[at:at] = rng.choice(
                (b"\x00", b"\xff", b'"', b"\\", b"{", b"]", b"\\u0000", b"\\ud83d", b"1e999", b"//x\n")
            )
        else:
            other = rng.randrange(len(data))
            data[at:at] = data[other : other + rng.randrange(200)]
        data = data or bytearray(b" ")
    return bytes(data)


def _truncated(rng, notebook) -> bytes:
    data = dumped(notebook)
    return data[: rng.choice((0, 1, 2, rng.randrange(len(data)), len(data) - 1))]


def _encodings(rng, notebook) -> bytes:
    notebook["metadata"]["title"] = "Überschrift"
    string = json.dumps(notebook, ensure_ascii=False)
    ways = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "utf-7", "cp500")
    data = string.encode(rng.choice(ways), "replace")
    if rng.random() < 0.3:
        data = rng.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00", b"\x1f\x8b", b"PK\x03\x04")) + data
    return data.replace(b"\n", b"\r\n") if rng.random() < 0.2 else data


def _doubled(rng, notebook) -> bytes:
    """Keys that occur twice: the reader must choose and not stumble."""
    string = dumped(notebook).decode()
    key = rng.choice(("cells", "metadata", "source", "cell_type", "exercise", "nbformat"))
    value = json.dumps(rng.choice(ODD))
    return string.replace(f'"{key}":', f'"{key}": {value}, "{key}":', rng.choice((1, -1))).encode()


def _format_3(rng, notebook) -> bytes:
    cells = [
        {
            "cell_type": cell["cell_type"],
            "metadata": {},
            "input" if cell["cell_type"] == "code" else "source": text(cell),
        }
        for cell in notebook["cells"]
    ]
    made = {
        "metadata": {"name": ""},
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": [{"cells": cells, "metadata": {}}],
    }
    return _types(rng, made) if rng.random() < 0.3 else dumped(made)


def _nested(rng, notebook) -> bytes:
    deep = rng.choice((50, 900, 20_000, 200_000))
    opening, closing = rng.choice((("[", "]"), ('{"a":', "}")))
    inner = opening * deep + ("0" if opening != "[" else "") + closing * deep
    string = dumped(notebook).decode()
    if rng.random() < 0.5:
        return string.replace('"nbformat":', f'"deep": {inner}, "nbformat":').encode()
    cell = rng.choice([cell for cell in notebook["cells"] if role(cell) == "answer"])
    signs = rng.choice(("(", "[", "-", "not ", "lambda: ", "if 1:\n"))
    cell["source"] = text(cell) + "\nvalue = " + signs * deep + "1"
    return dumped(notebook)


def _huge(rng, notebook) -> bytes:
    cell = rng.choice([cell for cell in notebook["cells"] if role(cell) == "answer"])
    way = rng.randrange(6)
    if way == 0:
        cell["source"] = text(cell) + "\n#" + "x" * rng.choice((10**5, 2 * 10**6))
    elif way == 1:
        cell["source"] = text(cell) + "\ntable = [" + "1," * 200_000 + "]"
    elif way == 2:
        notebook["cells"] += [{"cell_type": "code", "source": "x = 1", "metadata": {}}] * rng.choice((300, 6000))
    elif way == 3:
        cell["source"] = [character for character in text(cell)] + [""] * 100_000
    elif way == 4:
        cell["outputs"] = [{"output_type": "stream", "text": "o" * 10**6}]
    else:
        return dumped(notebook).replace(b'"nbformat": 4', b'"nbformat": ' + b"9" * rng.choice((4000, 100_000)))
    return dumped(notebook)


def _random(rng, notebook) -> bytes:
    if rng.random() < 0.5:
        return rng.randbytes(rng.choice((1, 10, 1000, 10_000)))
    return dumped(_value(rng, 0))


def _value(rng, depth: int):
    if depth > 5 or rng.random() < 0.3:
        return rng.choice(ODD)
    if rng.random() < 0.4:
        return [_value(rng, depth + 1) for _ in range(rng.randrange(5))]
    keys = (
        "cells",
        "metadata",
        "source",
        "cell_type",
        "worksheets",
        "input",
        "exercise",
        "course",
        "name",
        "role",
        "a",
    )
    return {rng.choice(keys): _value(rng, depth + 1) for _ in range(rng.randrange(6))}


KINDS = {  # name: (weight, how one is made)
    "answers": (40, _answers),
    "cells": (14, _cells),
    "types": (12, _types),
    "bytes": (10, _bytes),
    "truncated": (3, _truncated),
    "encodings": (5, _encodings),
    "doubled keys": (3, _doubled),
    "format 3": (4, _format_3),
    "nested": (3, _nested),
    "huge": (2, _huge),
    "random": (4, _random),
}
