"""Put something below the cell: HTML where a notebook shows it, its text everywhere else; values as small heat maps."""

import html
import math

import numpy as np
import torch
from torch import Tensor

from utils import course
from utils.learn.context import shell

COLOURS = {"good": "#009E73", "bad": "#D55E00", "note": "#0072B2"}  # Okabe-Ito, legible on light and dark


def show(text: str, markup: str | None = None, markdown: str | None = None) -> None:
    """Display HTML (or Markdown) with its plain text as the fallback; without IPython, print the text."""
    if shell() is None:
        print(text)
        return
    from IPython.display import display

    bundle = {"text/plain": text}
    if markup is not None:
        bundle["text/html"] = markup
    if markdown is not None:
        bundle["text/markdown"] = markdown
    if len(bundle) == 1 or not getattr(shell(), "kernel", None):
        print(text)
    else:
        display(bundle, raw=True)


def box(kind: str, inner: str, role: str = "status") -> str:
    """A short card that follows the page's own text colour; its left edge carries the colour of `kind`."""
    colour = COLOURS[kind]
    return (
        f'<div role="{role}" style="border-left:6px solid {colour};background:{colour}1f;color:inherit;'
        f'padding:.5em .9em;margin:.3em 0;border-radius:4px;max-width:60em;line-height:1.45">{inner}</div>'
    )


def as_code(text: str) -> str:
    """Text as HTML in the letters of code."""
    return f'<code style="color:inherit;background:none">{html.escape(text)}</code>'


def lines(text: str) -> str:
    """Text as HTML, its line breaks kept."""
    return html.escape(text).replace("\n", "<br>")


class Notice(course.CourseError):
    """A request that cannot be served; in a notebook a card with its one sentence is all that shows."""

    _shown = False

    def _render_traceback_(self) -> list[str]:
        if not self._shown:  # IPython asks twice, once for its history
            self._shown = True
            show(self.text(), box("bad", self.markup(), role="alert"))
            self.help()
        return [f"{type(self).__name__}: see the card above"]  # an empty list would show the sentence once more

    def help(self) -> None:
        """What is offered below the card."""

    def text(self) -> str:
        """What is shown where there is no HTML."""
        return str(self)

    def markup(self) -> str:
        """What shows in a notebook, without its frame."""
        return f"<b>&#10007;</b> {lines(str(self))}"


MOST = 12  # rows and columns shown
# Cividis at five points: even in lightness, the same to most eyes
_SCALE = ((0, 34, 78), (65, 77, 107), (124, 123, 120), (187, 173, 108), (254, 232, 56))


def window(expected: Tensor, got: Tensor) -> tuple[int, ...]:
    """Leading indices of the 2-d slice to show: the first one in which the two differ."""
    if expected.shape != got.shape or expected.ndim <= 2:
        return (0,) * max(expected.ndim - 2, got.ndim - 2, 0)
    far = differs(expected, got).nonzero()
    return tuple(far[0, :-2].tolist()) if len(far) else (0,) * (expected.ndim - 2)


def differs(expected: Tensor, got: Tensor) -> Tensor:
    """True where two tensors of one shape differ by more than float32 error."""
    return ~torch.isclose(expected.double(), got.double(), rtol=1e-3, atol=1e-5, equal_nan=True)


def cut(value: Tensor, where: tuple[int, ...]) -> Tensor:
    """The slice at the leading indices `where`, as (rows, columns), at most MOST of each."""
    value = value[where[: max(value.ndim - 2, 0)]]
    return (value.reshape(1, -1) if value.ndim < 2 else value)[:MOST, :MOST]


def number(value: float) -> str:
    """Three digits, or the name of a value that isn't a number."""
    return str(int(value)) if math.isfinite(value) and value == int(value) and abs(value) < 1e6 else f"{value:.3g}"


def colour(value: float, low: float, high: float) -> tuple[str, str]:
    """Background on the scale, and the text colour that can be read on it; grey for nan and infinity."""
    if not math.isfinite(value):
        return "#888888", "#000000"
    place = (value - low) / (high - low) if high > low else 0.5
    points = np.linspace(0, 1, len(_SCALE))
    red, green, blue = (round(np.interp(place, points, channel)) for channel in zip(*_SCALE, strict=True))
    light = (0.299 * red + 0.587 * green + 0.114 * blue) > 125
    return f"#{red:02x}{green:02x}{blue:02x}", "#000000" if light else "#ffffff"


def table(title: str, value: Tensor, marks: Tensor | None, low: float, high: float) -> str:
    """One heat map; cells where the two differ carry a thick edge and say so on hover."""
    rows = []
    for i, row in enumerate(value.double().tolist()):
        cells = []
        for j, x in enumerate(row):
            back, front = colour(x, low, high)
            wrong = marks is not None and bool(marks[i, j])
            edge = "outline:2px solid #D55E00;outline-offset:-2px;" if wrong else ""
            cells.append(
                f'<td style="background:{back};color:{front};{edge}padding:2px 5px;text-align:right;'
                f'font:11px/1.4 monospace" title="[{i}, {j}] = {x:.6g}{" (differs)" if wrong else ""}">{number(x)}</td>'
            )
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return (
        '<table style="border-collapse:collapse;color:inherit;display:inline-table;'
        'margin:.3em 1.2em .3em 0;vertical-align:top" '
        f'aria-label="{html.escape(title)}"><caption style="text-align:left;color:inherit;white-space:nowrap">'
        f"{html.escape(title)}</caption><tbody>{''.join(rows)}</tbody></table>"
    )


def heat_maps(expected, got) -> str:
    """HTML of expected against got: two heat maps on one scale for tensors, short text for anything else."""
    tables = isinstance(expected, Tensor) and isinstance(got, Tensor) and expected.numel() and got.numel()
    if not tables or expected.ndim == got.ndim == 0:
        return "".join(f"<div>{title}: {as_code(text)}</div>" for title, text in compared(expected, got))
    where = window(expected, got)
    first, second = cut(expected, where), cut(got, where)
    finite = torch.cat([first.double().flatten(), second.double().flatten()])
    finite = finite[torch.isfinite(finite)]
    low, high = (finite.min().item(), finite.max().item()) if len(finite) else (0.0, 1.0)
    same = expected.shape == got.shape
    marks = differs(first, second) if same else None
    few = marks is not None and marks.double().mean().item() <= 0.6  # an edge around every cell would tell nothing
    parts = [
        table(f"{title} {_which(whole, where)}", part, marks if few else None, low, high)
        for title, whole, part in (("expected", expected, first), ("got", got, second))
    ]
    note = ""
    if same:
        count, total = int(differs(expected, got).sum()), expected.numel()
        note = f"<div>{count:,} of {total:,} values differ{'; they have a thick edge' if few and count else ''}.</div>"
    return f"<div>{''.join(parts)}</div>{note}"


def _which(value: Tensor, where: tuple[int, ...]) -> str:
    if value.ndim <= 2 and max(value.shape, default=1) <= MOST:
        return f"(shape {tuple(value.shape)})"
    where = where[: max(value.ndim - 2, 0)]
    index = ", ".join([*map(str, where), *(f":{MOST}" if n > MOST else ":" for n in value.shape[len(where) :])])
    return f"(shape {tuple(value.shape)}, shown [{index}])"


def compared(expected, got) -> list[tuple[str, str]]:
    """Title and short text of both values; of `got` alone where the test has nothing to hold it against."""
    if isinstance(expected, Tensor) and isinstance(got, Tensor) and expected.ndim == got.ndim == 0:
        return [("expected", f"{expected.item():.6g}"), ("got", f"{got.item():.6g}")]
    row = telling_row(expected, got)
    both = [("expected", brief(expected, row)), ("got", brief(got, row))]
    return both[1:] if expected is None and got is not None else both


def telling_row(expected, got) -> tuple[int, ...]:
    """Leading indices of the first row in which two tensors of one shape differ; empty where none does."""
    if not (isinstance(expected, Tensor) and isinstance(got, Tensor) and expected.shape == got.shape):
        return ()
    far = differs(expected, got).nonzero()
    return tuple(far[0, :-1].tolist()) if len(far) and expected.ndim > 1 else ()


def brief(value, row: tuple[int, ...] = ()) -> str:
    """A value in at most 200 characters of plain text; of a tensor, its first row or the one given."""
    if isinstance(value, Tensor) and value.ndim == 0:
        return f"tensor({value.item():.6g})"
    if isinstance(value, Tensor) and value.numel():
        part = value[row or (0,) * (value.ndim - 1)][:MOST]
        text = "[" + ", ".join(number(x) for x in part.double().tolist()) + "]"
        which = f"row {list(row)}" if any(row) else "first row"
        return f"shape {tuple(value.shape)}, {which} {text}"[:200]
    text = repr(value)
    return text if len(text) <= 200 else text[:197] + "..."


def inputs_line(inputs: dict) -> str:
    """Names, shapes and dtypes of the inputs of a failed test; short values in full. Empty when none are known."""
    parts = []
    for name, value in inputs.items():
        if isinstance(value, Tensor):
            small = value.numel() <= 8
            content = f" = {value.tolist()}" if small and not value.is_floating_point() else ""
            parts.append(f"{name}: {str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}{content}")
        else:
            parts.append(f"{name} = {brief(value)}")
    return "; ".join(parts)
