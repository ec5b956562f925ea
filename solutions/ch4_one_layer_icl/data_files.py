"""Data sets as .npy files under the authors' names (chapter 4): written when asked for, read when asked for."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap

from utils.course import CourseError
from utils.train import progress_bar

from .batches import FINITE, TRAINING, UNSEEN, Batch, batch_of, draws
from .config import DataConfig
from .data import sample_batch
from .legacy import LegacyStream

PARTS = ("sentences", "next-tokens", "output-tokens")
TEST_SENTENCES = 512
CHUNK = 4096  # sentences in memory at once


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
        return batch_of(tokens, outputs, uniform, self._N)
