"""The chapter's figures from saved runs and models, each a web page of its own (chapter 5).

Those of a transformer follow the published analysis scripts: embeddings of tokens and positions, distances between the
vectors of one board at every site, attention as a board of boards, and how far context moves a cell's vector.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from utils.course import CourseError
from utils.plot import heatmap, line, matrix_panels
from utils.plot.picture import Picture

from .activations import attention_patterns, record
from .analysis import look, profile
from .checkpoints import Checkpoint
from .geometry import pairwise_distance
from .language import information
from .model import position_vectors


def tiled(X: Float[Tensor, "T T"]) -> Float[Tensor, "T T"]:
    """A board of boards: what row c of X says about all cells stands, as a board, where cell c is."""
    side = round(len(X) ** 0.5)
    return rearrange(X, "(r c) (i j) -> (r i) (c j)", r=side, i=side)


def _outs(model) -> list[str]:
    return [f"b{i}.{place}" for i in range(len(model.blocks)) for place in ("z_attn", "out")]


def _one(found: Checkpoint, seed: int, boards: int = 1) -> Tensor:
    """Masked single boards (B, T)."""
    return look(found.library, boards, 0, seed).tokens


def embedding_token(found: Checkpoint, seed: int) -> Picture:
    """Distances between the token embeddings."""
    X = found.model.token_embedding.weight.detach()
    return matrix_panels(
        {name: pairwise_distance(X, name) for name in ("euclidean", "unit")},
        title="Distances between token embeddings",
        caption=f"Tokens 0 to {found.library.n_bg - 1} are backgrounds, the last one is the hidden cell.",
        diverging=False,
    )


def embedding_pos(found: Checkpoint, seed: int) -> Picture:
    """Distances between the position vectors, as a matrix and as a board of boards."""
    distance = pairwise_distance(position_vectors(found.model))
    return matrix_panels(
        {"cell by cell": distance, "a board of boards": tiled(distance)},
        title="Distances between position vectors",
        caption="On the right, the small board in row r and column c shows how far all cells are from cell (r, c).",
        diverging=False,
    )


def embeddings_z_norm(found: Checkpoint, seed: int) -> Picture:
    """Lengths of the vectors of one board at every site of the stream."""
    sites, side = _outs(found.model), found.library.side
    vectors = record(found.model, _one(found, seed), sites)
    return matrix_panels(
        {site: vectors[site][0].norm(dim=-1).view(side, side) for site in sites},
        title="Length of each cell's vector in the residual stream, one board",
        caption="One masked board; each panel has a colour scale of its own.",
        diverging=False,
    )


def embeddings_z_dist(found: Checkpoint, seed: int) -> Picture:
    """Distances between the cells of one board at every site of the stream."""
    sites = _outs(found.model)
    vectors = record(found.model, _one(found, seed), sites)
    return matrix_panels(
        {site: pairwise_distance(vectors[site][0], "unit") for site in sites},
        title="How far the cells of one board are from each other",
        caption="Distances between vectors of length 1: dark blocks are cells that the network treats alike.",
        diverging=False,
    )


def embeddings_z_2d(found: Checkpoint, seed: int) -> Picture:
    """The same distances at the last attention, as a board of boards."""
    site = f"b{len(found.model.blocks) - 1}.z_attn"
    distance = pairwise_distance(record(found.model, _one(found, seed), [site])[site][0], "unit")
    return heatmap(
        tiled(distance),
        title=f"Distances at {site} as a board of boards",
        x="column",
        y="row",
        caption="The small board in row r and column c shows how far all cells' vectors are from that of cell (r, c).",
        height=560,
    )


def embeddings_z_across_boards(found: Checkpoint, seed: int) -> Picture:
    """How far a cell's vector moves from board to board: mean distance over pairs of boards."""
    sites, side = _outs(found.model), found.library.side
    vectors = record(found.model, _one(found, seed, 48), sites)

    def spread(X: Float[Tensor, "B T D"]) -> Float[Tensor, "T"]:
        return torch.stack([pairwise_distance(x, "unit").sum() for x in X.transpose(0, 1)]) / (len(X) * (len(X) - 1))

    return matrix_panels(
        {site: spread(vectors[site]).view(side, side) for site in sites},
        title="How much context changes each cell's vector, over 48 boards",
        caption="Mean distance, over pairs of boards, between a cell's vectors scaled to length 1.",
        diverging=False,
    )


def attention(found: Checkpoint, seed: int) -> Picture:
    """The attention of every block and head on one board, as boards of boards, on a log scale."""
    patterns = attention_patterns(found.model, _one(found, seed))[:, 0]
    panels = {
        f"block {i}, head {h}": tiled((a / a.amax(-1, keepdim=True) + 1e-3).log10())
        for i, heads in enumerate(patterns)
        for h, a in enumerate(heads)
    }
    return matrix_panels(
        panels,
        title="Attention of all cells, one board",
        caption="The board in row r, column c shows where cell (r, c) attends: log10 of the share of its maximum.",
        diverging=False,
    )


def attention_variance(found: Checkpoint, seed: int) -> Picture:
    """How much the attention of every head depends on the board."""
    patterns = attention_patterns(found.model, _one(found, seed, 48))
    spread = patterns.var(dim=1)  # (L, N, T, T)
    panels = {f"block {i}, head {h}": tiled(a) for i, heads in enumerate(spread) for h, a in enumerate(heads)}
    return matrix_panels(
        panels,
        title="Variance of attention over 48 boards",
        caption="Where attention follows position alone, the variance is small; where it follows content, it is large.",
        diverging=False,
    )


def representation(found: Checkpoint, seed: int) -> Picture:
    """Eta squared and probes over the sites, at hidden object cells."""
    table = profile(found.model, found.library, 600, seed)
    names = ("eta2 root", "eta2 token", "probe root", "probe root, shuffled", "probe root, untrained")
    return line(
        {name: [row[name] for row in table.values()] for name in names},
        xs=list(table),
        title="What the vectors of hidden object cells vary with, and what a probe reads from them",
        x="site",
        y="share or accuracy",
        caption="Object identity rises up to the last attention and falls as the token is written; two controls below.",
    )


def dictionary(found: Checkpoint, seed: int) -> Picture:
    """What each place of LEA's sentences tells about the features of the scene, in bits."""
    table = information(found, 4000, seed)
    names = list(next(iter(table.values())))
    return heatmap(
        [[row[name] for name in names] for row in table.values()],
        title="What each place of a sentence is about",
        x="feature of the scene",
        y="place in the sentence",
        rows=list(table),
        columns=names,
        caption="Mutual information in bits, less what shuffled features give.",
        show_values=True,
    )


def codebook(found: Checkpoint, seed: int) -> Picture:
    """Distances between the words of LEA's codebook."""
    return heatmap(
        pairwise_distance(found.model.codebook.detach()),
        title="Distances between the words",
        x="word",
        y="word",
        caption="Words that were never used keep the place where they started.",
    )


TRANSFORMER = (
    embedding_token, embedding_pos, embeddings_z_norm, embeddings_z_dist, embeddings_z_2d, embeddings_z_across_boards,
    attention, attention_variance, representation,
)  # fmt: skip
LEA = (dictionary, codebook)


def write_figures(found: Checkpoint, folder: Path, names: Sequence[str] = (), seed: int = 0) -> Iterator[Path]:
    """Draw figures (none named: all that fit the model) into folder/<name>.html; yields each path.

    Raises CourseError for a figure that this model does not have and a folder that cannot be written.
    """
    known: dict[str, Callable] = {draw.__name__: draw for draw in (LEA if found.is_lea else TRANSFORMER)}
    for name in names:
        if name not in known:
            raise CourseError(f"There is no figure {name!r} of this model: choose from {', '.join(known)}.")
    yield from _write({name: lambda name=name: known[name](found, seed) for name in names or known}, folder)


def run_figures(history: list[dict], folder: Path) -> list[Path]:
    """The curves of a run, losses and accuracies, from its metrics."""
    if not history:
        return []
    numbers = {name for name, value in history[0].items() if isinstance(value, float)}
    numbers = {name for name in numbers if not name.startswith(("test_", "train_"))}  # not measured in every epoch
    losses = sorted(name for name in ("loss", "board", "speech", "vq") if name in numbers)
    shares = sorted(
        n for n in numbers if "object" in n or "background" in n or n in ("visible", "masked") or "_board" in n
    )
    steps = [row["step"] for row in history]

    def curves(names: Sequence[str], title: str, y: str) -> Picture:
        found = {name: [row[name] for row in history] for name in names}
        return line(
            found, xs=steps, title=title, x="epoch", y=y, caption=f"Measured at the end of each of {steps[-1]} epochs."
        )

    pictures = {
        "losses": lambda: curves(losses, "Losses of the run", "nats a cell"),
        "accuracies": lambda: curves(shares, "Accuracies by class of cell", "share"),
    }
    return list(_write(pictures, folder))


def _write(pictures: dict[str, Callable[[], Picture]], folder: Path) -> Iterator[Path]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, draw in pictures.items():
            path = folder / f"{name}.html"
            draw().write(path)
            yield path
    except OSError as error:
        raise CourseError(f"{folder} cannot be written: {error.strerror or error}.") from None
