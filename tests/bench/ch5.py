"""Chapter 5: scenes, splits, observer and training steps, beside a per-board Python generator and the old protocol."""

import importlib
import time
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F

from tests.bench.table import Row, faster, interleaved, within
from utils import course
from utils.train import pointwise

EVEN = (1 / 3, 1 / 3, 1 / 3)


def rows() -> list[Row]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        ours = _reference()
        quick = [*boards(ours), *splits(ours), *training(ours), lea_step(ours), distances(ours), observer(ours)]
        return [*quick, learner(ours), talker(ours)]
    finally:
        torch.set_num_threads(threads)


def _reference() -> SimpleNamespace:
    """The public names of the reference's modules, loaded now and not at import time."""
    package = f"solutions.{course.chapter_name('ch5')}"
    found: dict = {}
    modules = ("config", "boards", "splits", "observer", "model", "training", "geometry")
    modules += ("lea", "lea_training")
    for module in modules:
        found.update(vars(importlib.import_module(f"{package}.{module}")))
    return SimpleNamespace(**found)


def _library(ours, world):
    return ours.build_library(world, torch.Generator().manual_seed(0))


def _cpu(run, repeats: int) -> float:
    """Processor seconds of the quickest of several calls, after a warm-up."""
    run()
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return min(seconds)


class OneByOne:
    """The baseline generator: numpy, one board at a time, in the steps that the published class is described with.

    The kind is drawn from shares that are renormalised each time, every object cell from its list of modes, and the
    root of each cell is kept beside the board. A patch on a composite is found by the bounding box of its cells.
    """

    def __init__(self, library):
        self.lib, self.comps = library, library.comps.numpy()
        self.roots = library.roots.numpy()[..., None]  # (R, d, d, one mode)
        self.random, self.shares = np.random.default_rng(0), np.array([0.33, 0.33, 0.33])

    def batch(self, n: int):
        boards = [self.board()[0] for _ in range(n)]
        return np.stack(boards), np.stack([self.mask(board) for board in boards])

    def board(self):
        lib, random = self.lib, self.random
        self.shares = self.shares / self.shares.sum()
        kind = random.choice(3, p=self.shares)
        board, owner = (np.full((lib.side, lib.side), -1) for _ in range(2))
        for _ in range(kind + 1 if kind < 2 else 0):
            number, places = random.integers(len(self.roots)), lib.side - lib.d + 1
            self.paste(board, owner, self.root(number), number, *random.integers(places, size=2))
        if kind == 2:
            part, whose = self.composite(self.comps[random.integers(len(self.comps))])
            self.paste(board, owner, part, whose, *random.integers(lib.side - len(part) + 1, size=2))
        board[board == -1] = random.integers(lib.n_bg)
        return board, owner

    def root(self, number):
        drawn = np.full((self.lib.d, self.lib.d), -1)
        for i in range(self.lib.d):
            for j in range(self.lib.d):
                modes = [mode for mode in self.roots[number, i, j] if mode != -1]
                if modes:
                    drawn[i, j] = modes[0] if len(modes) == 1 else self.random.choice(modes)
        return drawn

    def composite(self, comp):
        stride = self.lib.d + self.lib.margin
        part, whose = (np.full((2 * stride - self.lib.margin,) * 2, -1) for _ in range(2))
        for i in range(2):
            for j in range(2):
                self.paste(part, whose, self.root(comp[i, j]), comp[i, j], stride * i, stride * j)
        return part, whose

    def paste(self, board, owner, part, whose, row, column):
        whose = np.broadcast_to(whose, part.shape)
        for i in range(len(part)):
            for j in range(len(part)):
                if part[i, j] != -1:
                    board[row + i, column + j], owner[row + i, column + j] = part[i, j], whose[i, j]

    def mask(self, board):
        d, random = self.lib.d, self.random
        mask = random.random(board.shape) < 0.25
        if random.random() < 0.5:
            cells = np.argwhere(board >= self.lib.n_bg)
            row, column = random.integers(self.lib.side - d + 1, size=2)
            if len(cells) > 2 * d * d:  # a composite: one of the corners of its bounding box
                ends = np.stack([cells.min(0), cells.max(0) - d + 1])
                row, column = ends[random.integers(2), 0], ends[random.integers(2), 1]
            mask[row : row + d, column : column + d] = True
        return mask


def boards(ours) -> list[Row]:
    """Drawing and masking, at batch 64 and at 1,000."""
    library, draws = _library(ours, ours.WorldConfig()), torch.Generator().manual_seed(1)
    plain = OneByOne(library)

    def batch(n):
        ours.mask_boards(library, ours.sample_boards(library, n, EVEN, draws), 0.25, 0.5, draws)

    mine = (
        _cpu(lambda: [batch(64) for _ in range(10)], 15) / 640
    )  # one batch takes less than a clock's tick is good for
    large, theirs = _cpu(lambda: batch(1000), 15) / 1000, _cpu(lambda: plain.batch(64), 15) / 64
    return [
        within("ch5: a board drawn and masked, batch 64", "us", 1e6 * mine, 10.0),
        within("ch5: a board drawn and masked, batch 1000", "us", 1e6 * large, 3.0),
        faster(
            "ch5: boards a second in batches of 1000 / one board at a time", "boards/s", 1 / large, 1 / theirs, 50.0
        ),
    ]


def splits(ours) -> list[Row]:
    """All 903,800 boards of the published world, split: time, and the size of all numbers of boards."""
    world = ours.WorldConfig(double_rule="original")
    library = _library(ours, world)
    seconds = _cpu(
        lambda: ours.split_boards(ours.Boards(library, "original"), world, torch.Generator().manual_seed(2)), 3
    )
    found = ours.split_boards(ours.Boards(library, "original"), world, torch.Generator().manual_seed(2))
    size = sum(numbers.nbytes for numbers in found.sets.values()) / 1e6
    return [
        within("ch5: 903,800 boards enumerated and split", "CPU s", seconds, 0.5),
        within("ch5: the split of 903,800 boards in memory", "MB", size, 20.0),
    ]


def training(ours) -> list[Row]:
    """A step at the paper's size against the published protocol: float64, one board at a time, separate attention."""
    world, torch_seed = ours.WorldConfig(), 0
    library, draws = _library(ours, world), torch.Generator().manual_seed(3)
    torch.manual_seed(torch_seed)
    model, old = (ours.FactorizedTransformer(ours.ModelConfig()) for _ in range(2))
    model, old = pointwise(model), old.double()  # as the command `train` does
    optimizer = ours.make_optimizer(model, ours.Schedule())
    old_optimizer = torch.optim.AdamW(old.parameters(), lr=1e-3, betas=(0.9, 0.95), foreach=False)
    plain = OneByOne(library)

    def batch():
        scenes = ours.sample_boards(library, 64, EVEN, draws)
        masked, mask = ours.mask_boards(library, scenes, 0.25, 0.5, draws)
        return masked.flatten(1), scenes["board"].flatten(1), mask.flatten(1)

    def step():
        masked, target, mask = batch()
        loss = ours.masked_ce(model(masked), target, mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def old_step():
        whole, mask = (torch.from_numpy(part).flatten(1) for part in plain.batch(64))
        logits = old(torch.where(mask, library.unk, whole))
        loss = F.cross_entropy(logits.flatten(0, 1), whole.flatten())
        old_optimizer.zero_grad()
        loss.backward()
        old_optimizer.step()

    mine, theirs = interleaved(step, old_step, repeats=7, clock=time.process_time)
    data = _cpu(batch, 15)
    whole = _cpu(step, 7)
    return [
        faster(
            "ch5: training at the paper's size, ours / the published protocol", "boards/s", 64 / mine, 64 / theirs, 2.5
        ),
        within("ch5: share of data and masking in a step at the paper's size", "%", 100 * data / whole, 4.0),
    ]


def lea_step(ours) -> Row:
    """A step of LEA at the published sizes against the published protocol: float64, one board at a time."""
    library, draws, words = _library(ours, ours.WorldConfig()), torch.Generator().manual_seed(3), torch.Generator()
    torch.manual_seed(0)
    model, old = (ours.TinyLEA(ours.LEASettings()) for _ in range(2))
    model, old = pointwise(model), old.double()
    optimizer, _ = ours.lea_optimizer(model, 1e-3, 1000)
    old_optimizer = torch.optim.AdamW(old.parameters(), lr=1e-3, betas=(0.9, 0.95), foreach=False)
    plain = OneByOne(library)

    def step(model, optimizer, masked, board):
        parts = ours.lea_loss(model, masked, board)
        optimizer.zero_grad()
        parts["loss"].backward()
        optimizer.step()
        ours.update_codebook(model, parts, words)

    def new():
        scenes = ours.sample_boards(library, 64, EVEN, draws)
        masked, _ = ours.mask_boards(library, scenes, 0.25, 0.0, draws)
        step(model, optimizer, masked.flatten(1), scenes["board"].flatten(1))

    def published():
        whole, mask = (torch.from_numpy(part).flatten(1) for part in plain.batch(64))
        step(old, old_optimizer, torch.where(mask, library.unk, whole), whole)

    mine, theirs = interleaved(new, published, repeats=5, clock=time.process_time)
    return faster("ch5: a step of LEA, ours / the published protocol", "boards/s", 64 / mine, 64 / theirs, 2.5)


def distances(ours) -> Row:
    X = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    seconds = _cpu(lambda: [ours.pairwise_distance(X) for _ in range(50)], 9) / 50
    return within("ch5: distances of 64 cells to each other", "ms", 1e3 * seconds, 0.1)


def observer(ours) -> Row:
    library, draws = _library(ours, ours.SMALL_WORLD), torch.Generator().manual_seed(5)
    fast = ours.FastObserver(library)
    masked, _ = ours.mask_boards(library, ours.sample_boards(library, 256, EVEN, draws), 0.25, 0.5, draws)
    return within(
        "ch5: ideal observer at 6 x 6, a board", "ms", 1e3 * _cpu(lambda: fast(masked.flatten(1)), 3) / 256, 1.0
    )


def learner(ours) -> Row:
    """The notebook's training: CPU seconds of one core until hidden object cells are .82 right, worst of 3 seeds."""
    worst = 0.0
    for seed in range(3):
        library, draws = ours.build_library(ours.SMALL_WORLD, torch.Generator().manual_seed(seed)), torch.Generator()
        torch.manual_seed(seed)
        model, start, reached = ours.FactorizedTransformer(ours.SMALL_MODEL), time.process_time(), []

        def watch(history, start=start, reached=reached):
            if history["masked_object"][-1] >= 0.82:
                reached.append(time.process_time() - start)

        ours.train(model, library, 4000, draws.manual_seed(seed), ours.Schedule(every=125), watch)
        worst = max(worst, reached[0] if reached else float("inf"))
    return within(
        "ch5: the learner's training until .82 of hidden object cells, worst of 3 seeds", "CPU s", worst, 75.0
    )


def talker(ours) -> Row:
    """The optional notebook's LEA: CPU seconds of its training; endless where a seed ends under .9 of the boards."""
    library, seconds = ours.make_library(5, 2, 5, 5, 0, torch.Generator().manual_seed(11), side=5), []
    every = ours.Boards(library)
    boards = every.scenes(torch.zeros(every.sizes[0], dtype=torch.int64), torch.arange(every.sizes[0]))["board"]
    sizes = {"vocab_size": 11, "block_size": 25, "masking_token": 10, "n_layer": 2, "commitment": 1.0, "decay": 0.95}
    for seed in range(3):
        draws = torch.Generator().manual_seed(12 + seed)

        def sample(draws=draws):
            scenes = ours.sample_boards(library, 32, (1.0, 0.0, 0.0), draws)
            masked, _ = ours.mask_boards(library, scenes, 0.05, 0.0, draws)
            return masked.flatten(1), scenes["board"].flatten(1)

        torch.manual_seed(seed)
        model = ours.TinyLEA(ours.LEASettings(**sizes, vocab_speech_size=96, block_speech_size=8))
        start = time.process_time()
        with ours.blurred(model, 0.3, torch.Generator().manual_seed(seed)):
            ours.train_lea(model, sample, 1600, 800, generator=torch.Generator().manual_seed(seed))
        took = time.process_time() - start
        right = (ours.draw(model, ours.speak(model, boards.flatten(1))).argmax(-1) == boards.flatten(1)).all(1)
        seconds.append(took if float(right.float().mean()) >= 0.9 else float("inf"))
    return within("ch5: tiny LEA, .9 of boards drawn right from words, worst of 3 seeds", "CPU s", max(seconds), 90.0)
