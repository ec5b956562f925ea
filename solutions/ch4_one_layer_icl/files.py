"""Files of chapter 4: saved runs, data sets as .npy files under the authors' names, and the authors' own generator."""

import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap

from utils.course import CourseError
from utils.train import progress_bar, read_json, read_metrics, read_tensors, write_json, write_tensors
from utils.train.files import write_whole

from .config import DataConfig, Run
from .data import FINITE, TRAINING, UNSEEN, Batch, draws, sample_batch
from .experiments.runs import Result
from .model import OneLayer

PARTS = ("sentences", "next-tokens", "output-tokens")
TEST_SENTENCES = 512
CHUNK = 4096  # sentences in memory at once


def make_folder(folder: Path) -> None:
    """Make the folder for runs before they start. Raises CourseError where nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise CourseError(f"The folder {folder} cannot be written: {error.strerror or error}.") from None


def save(result: Result, folder: Path, extra: dict | None = None) -> Path:
    """Write <name>.json (settings), <name>.safetensors (weights) and <name>.metrics.jsonl; returns the first.

    The name holds every setting, so no run overwrites another. Each file is written whole or not at all.
    """
    stem = folder / result.run.name
    lines = []
    for i in range(result.steps):
        values = {name: curve[i] for name, curve in result.curves.items() if not math.isnan(curve[i])}
        lines.append(json.dumps({"step": i + 1} | {k: float(f"{v:.7g}") for k, v in values.items()}))
    write_whole(Path(f"{stem}.metrics.jsonl"), "\n".join(lines) + "\n")
    write_tensors(Path(f"{stem}.safetensors"), result.weights)
    settings = {"settings": result.run.settings(), "label": result.run.label, "finished": result.finished}
    write_json(Path(f"{stem}.json"), settings | {"steps": result.steps} | (extra or {}))
    return Path(f"{stem}.json")


def is_saved(run: Run, folder: Path) -> bool:
    """Whether this very run is there and went to its end."""
    path = folder / f"{run.name}.json"
    return path.is_file() and bool(read_json(path).get("finished"))


def curves(run: Run, folder: Path) -> dict[str, list[float]]:
    """The curves of a saved run; NaN where a number was not measured. Raises CourseError where it is not there."""
    if not is_saved(run, folder):
        raise CourseError(
            f"The run {run.name} is not in {folder}: train it first (the command sweep trains all the "
            "runs that a figure needs, with the same settings)."
        )
    lines = read_metrics(folder / f"{run.name}.metrics.jsonl")
    names = list(dict.fromkeys(name for line in lines for name in line if name != "step"))
    return {name: [line.get(name, math.nan) for line in lines] for name in names}


def model(run: Run, folder: Path) -> OneLayer:
    """The model of a saved run, with the weights that it ended with. Raises CourseError where it is not there."""
    curves(run, folder)
    weights, _ = read_tensors(folder / f"{run.name}.safetensors")
    found = OneLayer(run.data, run.model_type, run.kind, run.kappa, run.noisy, run.alpha)
    with torch.no_grad():
        for name, value in found.named_parameters():
            value.copy_(weights[name].view_as(value))
    return found


@dataclass(frozen=True)
class DataSet:
    """Which data set: the authors' file names say seed, noise, alpha and number of steps."""

    cfg: DataConfig
    noisy: bool
    alpha: float
    seed: int
    nsteps: int
    finite_nsteps: int
    batch_size: int

    def names(self, which: str) -> list[str]:
        """The three file names of "train", "test" or "finite"; alpha in full, so that no two share a name."""
        alpha = float(self.alpha if self.noisy else 0.0)
        start = f"seed{self.seed}-noise{self.noisy}-alpha{alpha!r}"
        if which == "finite":
            return [f"finite-{start}-nsteps{self.finite_nsteps}-train-{part}.npy" for part in PARTS]
        return [f"{start}-nsteps{self.nsteps}-{which}-{part}.npy" for part in PARTS]

    def count(self, which: str) -> int:
        """How many sentences the set holds."""
        if which == "test":
            return TEST_SENTENCES
        return self.batch_size * (self.nsteps if which == "train" else self.finite_nsteps)


def generate(data: DataSet, folder: Path, legacy: bool = False, quiet: bool = False) -> list[Path]:
    """Write the training, test and finite set, each file whole or not at all; returns their paths.

    Shapes: sentences (m, H), next-tokens and output-tokens (m,). `legacy`: the authors' numbers, in int32 as theirs;
    else numbers of our own generator in the smallest integer type, a few thousand sentences at a time.
    """
    sets = ("train", "test", "finite")
    dtype = np.int32 if legacy else np.min_scalar_type(data.cfg.vocab_size - 1)
    stream = LegacyStream(data.cfg, data.noisy, data.alpha, data.seed) if legacy else None
    written = []
    with progress_bar(
        total=sum(map(data.count, sets)), label="sentences", disable=quiet, unit="", unit_scale=True, delay=1
    ) as bar:
        for which in sets:
            ood = which == "test"
            if stream is not None:
                chunks = iter([stream.draw(data.count(which), ood, bar.update)])
            else:
                chunks = _chunks(data, which, ood, bar.update)
            written += _write(data, which, folder, dtype, chunks)
    return written


def _chunks(data: DataSet, which: str, ood: bool, tick: Callable[[int], object]) -> Iterator[tuple[np.ndarray, ...]]:
    key = {"train": TRAINING, "test": UNSEEN, "finite": FINITE}[which]
    numbers = draws((data.seed, key))
    for start in range(0, data.count(which), CHUNK):
        size = min(CHUNK, data.count(which) - start)
        yield tuple(t.numpy() for t in sample_batch(data.cfg, size, data.noisy, data.alpha, ood, numbers))
        tick(size)


def _write(data: DataSet, which: str, folder: Path, dtype, chunks: Iterator[tuple[np.ndarray, ...]]) -> list[Path]:
    paths = [folder / name for name in data.names(which)]
    parts = [path.with_name(f".{path.name}.{os.getpid()}.part") for path in paths]
    m = data.count(which)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shapes = [(m, data.cfg.H), (m,), (m,)]
        files = [open_memmap(p, "w+", dtype, shape) for p, shape in zip(parts, shapes, strict=True)]
        at = 0
        for chunk in chunks:
            for file, values in zip(files, chunk, strict=True):
                file[at : at + len(values)] = values
            at += len(chunk[0])
        for file in files:
            file.flush()
        del files, file
        for part, path in zip(parts, paths, strict=True):
            os.replace(part, path)
    except OSError as error:
        raise CourseError(f"{folder} cannot be written: {error.strerror or error}.") from None
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    return paths


def read(data: DataSet, which: str, folder: Path) -> "FileBatches":
    """The batches of a set, each read from its files when asked for. Raises CourseError for a missing or unfit file."""
    m, H, N = data.count(which), data.cfg.H, data.cfg.vocab_size
    arrays = []
    for name, shape in zip(data.names(which), [(m, H), (m,), (m,)], strict=True):
        path = folder / name
        if not path.is_file():
            raise CourseError(
                f"There is no file {path}: make it with -g 1 and the same settings, or leave out --from-files."
            )
        try:
            values = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError):
            raise CourseError(f"{path} is damaged, or it is not an .npy file.") from None
        if values.shape != shape or not np.issubdtype(values.dtype, np.integer):
            raise CourseError(
                f"{path} holds {values.dtype} of shape {values.shape}, but integers of shape {shape} are needed."
            )
        arrays.append(values)
    return FileBatches(arrays, data.batch_size if which != "test" else m, N, data, folder / data.names(which)[0])


class FileBatches(Sequence):
    """A sequence of batches that reads and checks each when it is asked for."""

    def __init__(self, arrays, size: int, N: int, data: DataSet, path: Path):
        self._starts = range(0, len(arrays[0]), size)
        self._arrays, self._size, self._N, self._data, self._path = arrays, size, N, data, path

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, i: int) -> Batch:
        start = self._starts[i]
        rows = slice(start, start + self._size)
        tokens, labels, outputs = (torch.from_numpy(np.array(a[rows], np.int64)) for a in self._arrays)
        triggers = 1 if self._data.noisy else self._data.cfg.Q
        for values in (tokens, labels, outputs):
            if int(values.min()) < 0 or int(values.max()) >= self._N:
                raise CourseError(f"{self._path} holds a token that is not in 0 .. {self._N - 1}.")
        if int(tokens[:, -1].max()) >= triggers:
            raise CourseError(f"{self._path} holds a sentence whose last token is not a trigger.")
        uniform = (labels != self._N - 1).float()  # below every alpha where the label is the noise token
        return Batch(tokens, outputs, uniform)


class LegacyStream:
    """One numpy stream, sentence by sentence, as the authors' code draws: slow, but it makes their files again.

    Seed 0, without noise, 200 steps gives their test set. Draw the sets in their order: train, test, finite.
    """

    def __init__(self, cfg: DataConfig, noisy: bool, alpha: float, seed: int):
        self.cfg, self.noisy, self.alpha = cfg, noisy, alpha if noisy else 0.0
        self.numbers = np.random.RandomState(seed)

    def draw(self, count: int, ood: bool, tick: Callable[[int], object] = lambda done: None) -> tuple[np.ndarray, ...]:
        """`count` sentences: (tokens (count, H), labels (count,), outputs (count,)), int64. `tick(n)` after each n."""
        N, H, Q, Y = self.cfg.vocab_size, self.cfg.H, self.cfg.Q, self.cfg.Y
        draw = self.numbers.randint
        is_noise = self.numbers.binomial(1, self.alpha, count)
        unseen = draw(Q + Y if ood else Q, N - 1, count)  # drawn for the training sets too, and not used there
        tokens, outputs = np.empty((count, H), np.int64), np.empty(count, np.int64)
        for i in range(count):
            q = 0 if self.noisy else draw(0, Q)
            y = draw(Q, Q + Y)  # drawn for the test set too
            y = unseen[i] if ood else y
            z = draw(Q, N - 1, H)
            z[-1] = q
            p = draw(0, H - 2)
            z[p], z[p + 1] = q, y
            if self.noisy:
                p_tau = draw(0, H - 2)
                while abs(p_tau - p) < 2:
                    p_tau = draw(0, H - 2)
                z[p_tau], z[p_tau + 1] = q, N - 1
            tokens[i], outputs[i] = z, y
            if i % 1000 == 999:
                tick(1000)
        return tokens, np.where(is_noise == 1, N - 1, outputs), outputs
