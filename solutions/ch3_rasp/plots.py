"""Pictures of the training experiments: curves of a run, attention beside the program's selectors (chapter 3)."""

import html
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from utils.plot import Picture, line
from utils.plot.figures import matrix_panels
from utils.train.files import write_whole

from .attention_targets import Selectors


def training_plots(history: list[dict], folder: Path, title: str) -> None:
    """Write loss.html and accuracy.html, others/ with a page for each number, and others/difference.txt."""
    if not history:
        return
    (folder / "others").mkdir(parents=True, exist_ok=True)
    epochs = [entry["epoch"] for entry in history]
    for name in ("loss", "accuracy"):
        curves = {split: [entry[f"{split}_{name}"] for entry in history] for split in ("train", "valid")}
        best = max(curves["valid"]) if name == "accuracy" else min(curves["valid"])
        said = f"{title}: the best validation {name} in {len(epochs)} epochs is {best:.3f}."
        line(curves, title=f"{name} by epoch", x="epoch", y=name, xs=epochs, caption=said).write(
            folder / f"{name}.html"
        )
    script = folder / "others" / "plotly.min.js"  # one copy of the script serves both folders
    script.write_text("document.write('<script src=\"../plotly.min.js\"></script>')\n", encoding="utf-8")
    for name in (key for key in history[0] if key != "epoch"):
        values = [entry[name] for entry in history]
        said = f"{title}: {name}, last {values[-1]:.4g}."
        picture = line({name: values}, title=name, x="epoch", y=name, xs=epochs, caption=said)
        picture.write(folder / "others" / f"{name}.html")
    rows = [f"{entry['epoch']} {entry['train_loss'] - entry['valid_loss']:.6f}" for entry in history]
    text = "epoch, train loss minus validation loss\n" + "\n".join(rows) + "\n"
    write_whole(folder / "others" / "difference.txt", text)


def selector_match(pattern: Tensor, selector: Tensor, mask: Tensor) -> float:
    """Attention mass on selected keys: the mean over the rows that select something, from 0 to 1.

    Shapes: pattern (B, T_Q, T_K), selector bool (B, T_Q, T_K), mask (B, T_Q), True at real queries.
    """
    counted = selector.any(-1) & mask
    return (pattern * selector).sum(-1)[counted].mean().item()


def blind_match(selector: Tensor, mask: Tensor) -> float:
    """`selector_match` of a head that looks at all real keys alike: the score that a head gets for nothing."""
    uniform = mask[:, None, :].float() / mask.sum(1)[:, None, None]
    return selector_match(uniform.expand(selector.shape), selector, mask)


def matches(patterns: list[Tensor], selectors: Selectors, mask: Tensor) -> list[dict]:
    """For each selector the trained head that fits it best, anywhere in the model: its place, score and blind score."""
    found = []
    for (layer, head), selector in selectors.items():
        scores = {
            (one, other): selector_match(pattern[:, other], selector, mask)
            for one, pattern in enumerate(patterns)
            for other in range(pattern.shape[1])
        }
        place = max(scores, key=scores.__getitem__)
        entry = {"selector": (layer, head), "head": place, "score": scores[place], "blind": blind_match(selector, mask)}
        found.append(entry)
    return found


def layer_maps(weights: Tensor, symbols: Sequence[str], title: str, caption: str, digits: int = -1) -> Picture:
    """All heads of a layer side by side: weights (N, T_Q, T_K); `digits` of every number written into it, -1: none."""
    panels = {f"head {head}": matrix for head, matrix in enumerate(weights)}
    return _maps(panels, symbols, title, caption, None if weights.min() < 0 or weights.max() > 1 else (0, 1), digits)


def _maps(panels: dict[str, Tensor], symbols: Sequence[str], title: str, caption: str, limits=(0, 1), digits=-1):
    names = [f"{place} {html.escape(symbol, quote=False)}" for place, symbol in enumerate(symbols)]
    picture = matrix_panels(
        panels,
        title=title,
        caption=caption,
        axes=dict.fromkeys(panels, ("key", "query")),
        ticks=dict.fromkeys(panels, names),
        diverging=limits is None,
    )
    if limits is not None:
        picture.figure.update_traces(zmin=limits[0], zmax=limits[1])
    if digits >= 0:
        picture.figure.update_traces(texttemplate=f"%{{z:.{digits}f}}")
    return picture
