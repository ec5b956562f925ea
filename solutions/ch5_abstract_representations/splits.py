"""All boards of a world, by number, split into train, validation and test (chapter 5).

A board is a number below `Boards.sizes[kind]`; its objects and background are worked out from it, so that a split of
900,000 boards is an array of numbers and its file a few kilobytes.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from utils.course import CourseError
from utils.train import read_tensors, write_tensors

from .boards import Library, paint, pairs_of
from .config import WorldConfig

NAMES = ("singleRoot", "doubleRoot", "singleComposite")
PARTS = ("train", "val", "test")


class Boards:
    """The boards of a world in a fixed order: kind by kind, objects before positions before backgrounds."""

    def __init__(self, lib: Library, rule: str = "apart"):
        self.lib, self.pairs = lib, pairs_of(lib, rule)
        self.positions = lib.side - lib.d + 1
        k = lib.comps.shape[1]
        self.stride = lib.d + lib.margin
        self.corners = max(lib.side - (self.stride * k - lib.margin) + 1, 0)
        roots, places = len(lib.roots), (self.positions**2, len(self.pairs), self.corners**2)
        self.things = (roots, roots**2, len(lib.comps))
        self.places = places
        self.sizes = tuple(things * p * lib.n_bg for things, p in zip(self.things, places, strict=True))

    def objects(self, kind: int, number: Int[Tensor, "n"]) -> tuple[Int[Tensor, "n K 3"], Int[Tensor, "n"]]:
        """(objects, background) of boards of one kind, as `paint` takes them."""
        lib, number = self.lib, number.long()
        k = lib.comps.shape[1]
        bg, rest = number % lib.n_bg, number // lib.n_bg
        place, thing = rest % self.places[kind], rest // self.places[kind]
        objects = torch.full((len(number), max(k * k, 2), 3), -1)
        if kind == 0:
            objects[:, 0] = torch.stack([thing, place // self.positions, place % self.positions], dim=-1)
        elif kind == 1:
            two = torch.stack([thing // len(lib.roots), thing % len(lib.roots)], dim=-1)
            objects[:, :2] = torch.cat([two[..., None], self.pairs[place].view(-1, 2, 2)], dim=-1)
        else:
            slot = torch.arange(k * k)
            row = (place // self.corners)[:, None] + self.stride * (slot // k)
            column = (place % self.corners)[:, None] + self.stride * (slot % k)
            objects[:, : k * k] = torch.stack([lib.comps.flatten(1)[thing], row, column], dim=-1)
        return objects, bg

    def scenes(self, kind: Int[Tensor, "n"], number: Int[Tensor, "n"]) -> dict[str, Tensor]:
        """The boards of these kinds and numbers, painted, with the labels that `sample_boards` gives."""
        n, slots = len(kind), max(self.lib.comps.shape[1] ** 2, 2)
        objects, bg, comp = torch.full((n, slots, 3), -1), torch.zeros(n, dtype=torch.int64), torch.full((n,), -1)
        for one in range(3):
            rows = (kind == one).nonzero()[:, 0]
            if len(rows):
                objects[rows], bg[rows] = self.objects(one, number[rows])
                if one == 2:
                    comp[rows] = number[rows].long() // self.lib.n_bg // self.places[2]
        return paint(self.lib, objects, bg) | {"kind": kind, "comp": comp}


@dataclass
class Splits:
    """Which boards are whose: {"singleRoot_train": numbers (n,) int32, ...} for the three kinds and three parts."""

    boards: Boards
    sets: dict[str, Int[Tensor, "n"]]

    def draw(self, part: str):
        """A function of the form of `sample_boards` that draws uniformly from one part, kind by kind."""

        def draw(lib, n, kind_probs, generator, pairs=None):
            shares = torch.tensor(kind_probs, dtype=torch.float32)
            return self.boards_of(part, torch.multinomial(shares, n, replacement=True, generator=generator), generator)

        return draw

    def boards_of(self, part: str, kind: Int[Tensor, "n"], generator: torch.Generator) -> dict[str, Tensor]:
        """Random boards of one part, of these kinds."""
        lot = torch.rand(len(kind), generator=generator, dtype=torch.float64)
        number = torch.zeros(len(kind), dtype=torch.int64)
        for one, name in enumerate(NAMES):
            rows, numbers = kind == one, self.sets[f"{name}_{part}"]
            if bool(rows.any()):
                if not len(numbers):
                    raise CourseError(f"There are no {part} boards of the kind {name}.")
                number[rows] = numbers[(lot[rows] * len(numbers)).long()].long()
        return self.boards.scenes(kind, number)

    def all(self, part: str, most: int, generator: torch.Generator) -> dict[str, Tensor]:
        """Every board of a part, at most `most` of each kind (then a random choice)."""
        kinds, numbers = [], []
        for one, name in enumerate(NAMES):
            found = self.sets[f"{name}_{part}"].long()
            if len(found) > most:
                found = found[torch.randperm(len(found), generator=generator)[:most]]
            kinds.append(torch.full((len(found),), one))
            numbers.append(found)
        return self.boards.scenes(torch.cat(kinds), torch.cat(numbers))

    def save(self, path: Path) -> None:
        """Write the held-out numbers (the rest is training): a file of some kilobytes."""
        held = {name: numbers for name, numbers in self.sets.items() if not name.endswith("train")}
        write_tensors(path, held)


def load_splits(path: Path, boards: Boards) -> Splits:
    """Read what `Splits.save` wrote. Raises CourseError where the file does not fit the world."""
    sets, _ = read_tensors(path)
    for name, size in zip(NAMES, boards.sizes, strict=True):
        held = [sets.get(f"{name}_{part}") for part in PARTS[1:]]
        if any(part is None or (len(part) and int(part.max()) >= size) for part in held):
            raise CourseError(f"The split in {path} does not fit this world.")
        sets[f"{name}_train"] = _rest(size, torch.cat(held))
    return Splits(boards, sets)


def split_boards(boards: Boards, world: WorldConfig, generator: torch.Generator) -> Splits:
    """Hold boards out: "balanced", a number for each root, each ordered pair, each composite; "fraction", a share of
    each kind; "stringent", for each root one position at which training never shows it, on no kind of board.
    """
    sets = {}
    if world.split_method == "stringent":
        return _stringent(boards, world, generator)
    for kind, name in enumerate(NAMES):
        size, groups = boards.sizes[kind], max(boards.things[kind], 1)
        if world.split_method == "balanced":
            each = size // groups
            val, test = int(world.card_val), int(world.card_test)
            if size and val + test > each:
                raise CourseError(f"Only {each} boards a group of {name} are there, fewer than card_val + card_test.")
            order = torch.rand(groups, each, generator=generator).topk(min(val + test, each), dim=1).indices
            order = order + each * torch.arange(groups)[:, None]
            held = order[:, :val].flatten(), order[:, val:].flatten()
        else:
            if not 0 <= world.card_val + world.card_test <= 1:
                raise CourseError(
                    "With split_method fraction, card_val and card_test are shares of at most 1 together."
                )
            order = torch.randperm(size, generator=generator)
            val, test = int(size * world.card_val), int(size * world.card_test)
            held = order[:val], order[val : val + test]
        _enter(sets, name, size, *held)
    return Splits(boards, sets)


def _stringent(boards: Boards, world: WorldConfig, generator: torch.Generator) -> Splits:
    lib, sets = boards.lib, {}
    place = torch.randint(boards.positions, (len(lib.roots), 2), generator=generator)
    for kind, name in enumerate(NAMES):
        pools = []
        for first in range(0, boards.sizes[kind], 2**17):
            number = torch.arange(first, min(first + 2**17, boards.sizes[kind]))
            objects, _ = boards.objects(kind, number)
            pools.append(number[_held(objects, place)])
        pool = torch.cat(pools) if pools else torch.empty(0, dtype=torch.int64)
        pool = pool[torch.randperm(len(pool), generator=generator)]
        half = len(pool) // 2 if world.card_val > 0 else 0
        _enter(sets, name, boards.sizes[kind], pool[:half], pool[half:])
    return Splits(boards, sets)


def _held(objects: Int[Tensor, "n K 3"], place: Int[Tensor, "R 2"]) -> Bool[Tensor, "n"]:
    """Whether a root is at its held-out position; an empty slot is at none."""
    there = (objects[..., 1:] == place[objects[..., 0].clamp(min=0)]).all(dim=-1)
    return (there & (objects[..., 0] >= 0)).any(dim=1)


def _enter(sets: dict, name: str, size: int, val: Tensor, test: Tensor) -> None:
    sets[f"{name}_val"], sets[f"{name}_test"] = val.to(torch.int32), test.to(torch.int32)
    sets[f"{name}_train"] = _rest(size, torch.cat([val, test]))


def _rest(size: int, held: Tensor) -> Int[Tensor, "n"]:
    free = torch.ones(size, dtype=torch.bool)
    free[held.long()] = False
    return free.nonzero()[:, 0].to(torch.int32)


def describe(splits: Splits, world: WorldConfig) -> dict:
    """Counts of each set, and the share of training doubles that overlap."""
    numbers = splits.sets["doubleRoot_train"].long()
    objects, _ = splits.boards.objects(1, numbers) if len(numbers) else (torch.zeros(1, 2, 3), None)
    overlap = ((objects[:, 0, 1:] - objects[:, 1, 1:]).abs() < splits.boards.lib.d).all(dim=1).float().mean().item()
    counts = {name: len(numbers) for name, numbers in splits.sets.items()}
    return {"counts": counts, "overlapping_doubles": overlap, "world": asdict(world)}
