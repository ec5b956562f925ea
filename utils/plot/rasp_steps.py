"""How the steps of a RASP program are written and shown, and a program's run as a picture (chapter 3).

A step is anything with `parts`, `kind` ("s-op" or "selector"), `op`, `name`, `label` and `setting`, as the chapter's
SOp and Selector have them; nothing here computes with them.
"""

import html
import json
from collections import Counter
from collections.abc import Mapping, Sequence

from utils.plot.figures import cells, named, plain_figure
from utils.plot.picture import INK, Picture, template
from utils.plot.widget import explore

CELL = 24  # pixels of a row of values
ABOVE = {"map": 66, "steps": 42, "values": 8}  # pixels above a row of the picture, for its heading and its letters
WORDS = 112  # letters that fit side by side above the heat maps of a layer
BESIDE = 32  # letters that fit to the left of a row of values
QUIET, CHOSEN = "rgba(128,128,128,0.13)", "#0072B2"  # a faint cell keeps the page's colour, light or dark
NOTHING = "\u200b"  # a letter without width: it makes the names of rows differ
WRITTEN = {"color": INK}  # turns light on a dark page


def rasp_picture(trace: Mapping, title: str = "") -> Picture:
    """The picture of a trace: {"input", "result", "layers": [{"heads", "steps"}]}, all as plain lists and text.

    One row per layer of one heat map per head (query rows, key columns); under each what the head reads (per key) and
    gives (per query), then what is computed position by position.
    """
    from plotly.subplots import make_subplots

    letters = [_plain(letter) for letter in trace["input"]]
    columns = max([1, *(len(layer["heads"]) for layer in trace["layers"])])
    rows = _rows(trace, letters, WORDS // columns) or [(CELL, "steps", [_table({"result": trace["result"]}, "")])]
    space = sum(size + ABOVE[kind] for size, kind, _ in rows)
    figure = make_subplots(
        len(rows),
        columns,
        specs=[
            [{"colspan": columns} if kind == "steps" else {} for _ in panels] + [None] * (columns - len(panels))
            for _, kind, panels in rows
        ],
        horizontal_spacing=0.12 if columns > 1 else 0,
    )
    top = 0
    for row, (size, kind, panels) in enumerate(rows, start=1):
        top += ABOVE[kind]
        place = [1 - (top + size) / space, 1 - top / space]
        top += size
        for column, (heat, names, text) in enumerate(panels, start=1):
            at, is_map = {"row": row, "col": column}, kind == "map"
            figure.add_trace(heat, **at)
            ticks = {**named(names), "showgrid": False, "ticks": "", "ticklabelstandoff": 4, **at}
            query = {"title_text": "query" if is_map else "", "title_font_size": 11}
            figure.update_yaxes(autorange="reversed", domain=place, **query, **ticks)
            ticks |= named(letters)
            heading = {"title_text": text, "title_font_size": 12, "title_standoff": 4}
            figure.update_xaxes(side="top", showticklabels=is_map, **heading, **ticks)
    name = {"text": _plain(title or f"A program on {''.join(trace['input'])}"), "y": 1, "yanchor": "top", "pad_t": 12}
    figure.update_layout(template=template(), height=space + 70, showlegend=False, title=name)
    figure.update_layout(margin={"t": 40, "l": 130, "b": 30})
    return Picture(figure, caption_of(trace), words_of(trace))


def _plain(text: str) -> str:
    """Text that plotly must not take for HTML; it shows quotation marks as they are."""
    return html.escape(text, quote=False)


def _rows(trace: Mapping, letters: Sequence[str], longest: int) -> list[tuple[int, str, list]]:
    """The rows of the picture: (height, its kind as in ABOVE, its panels as (heat map, names of the rows, title))."""
    rows, hover = [], "query %{y}, key %{x}: %{z}<extra></extra>"
    few = max(len(layer["heads"]) for layer in trace["layers"]) < 3
    for number, layer in enumerate(trace["layers"]):
        maps, tables = [], []
        for place, head in enumerate(layer["heads"], start=1):
            name = f"layer {number}, head {place}: " if few else f"{number}.{place}: "
            heat = cells(head["matrix"], (QUIET, CHOSEN), hovertemplate=hover, texttemplate=None)
            maps.append((heat, letters, _short(name + head["selector"], longest)))
            table = {}
            for read in head["reads"]:
                table["reads" + NOTHING * len(table)] = read["values"]
                table["gives" + NOTHING * len(table)] = read["result"]
            tables.append(_table(table, ""))
        if maps:
            rows.append((CELL * max(len(letters), 4), "map", maps))
            rows.append((CELL * max(len(names) for _, names, _ in tables), "values", tables))
        if layer["steps"]:
            table = {
                _short(step["name"], BESIDE) + NOTHING * n: step["values"] for n, step in enumerate(layer["steps"])
            }
            where = f"layer {number}" if number else "before attention"
            rows.append((CELL * len(table), "steps", [_table(table, f"{where}, position by position")]))
    return rows


def _table(values: Mapping[str, Sequence[str]], title: str) -> tuple:
    text = [list(map(_plain, row)) for row in values.values()]
    options = {"textfont": WRITTEN, "hovertemplate": "%{y}, position %{x}: %{text}<extra></extra>"}
    return cells([[0] * len(row) for row in text], (QUIET,), text, **options), list(values), title


def caption_of(trace: Mapping) -> str:
    """One sentence: input, result and size."""
    size = size_in_words([len(layer["heads"]) for layer in trace["layers"][1:]])
    return f"{' '.join(trace['input'])} becomes {' '.join(trace['result'])}, {size}."


def size_in_words(heads: Sequence[int]) -> str:
    """The size of a program whose layers have so many heads: "in 2 layers, with 1 head in each"."""
    if not heads:
        return "without any attention"
    if len(heads) == 1:
        return f"in 1 layer, with {heads[0]} head{'s' * (heads[0] != 1)}"
    if len(set(heads)) == 1:
        return f"in {len(heads)} layers, with {heads[0]} head{'s' * (heads[0] != 1)} in each"
    return f"in {len(heads)} layers, with {', '.join(map(str, heads[:-1]))} and {heads[-1]} heads"


def words_of(trace: Mapping) -> str:
    """The picture in words, for those who cannot see it."""
    parts = [f"A program run on {' '.join(trace['input'])}; its result is {' '.join(trace['result'])}."]
    for number, layer in enumerate(trace["layers"]):
        for place, head in enumerate(layer["heads"], start=1):
            rows = []
            for letter, row in zip(trace["input"], head["matrix"], strict=True):
                chosen = [trace["input"][i] for i, cell in enumerate(row) if cell]
                rows.append(f"{letter} selects {' '.join(chosen) or 'nothing'}")
            parts.append(f"Layer {number}, head {place}, {head['selector']}: {', '.join(rows)}.")
    return " ".join(parts)


def _short(text: str, longest: int) -> str:
    return _plain(text if len(text) <= longest else text[: longest - 1] + "…")


EXAMPLE = "hello"
LONGEST = 60


def text_of(step, depth: int = 4) -> str:
    """A step as one line of text: its name where it has one, else what it is made of, down to `depth` steps."""
    text = _text(step, depth, top=True)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _brief(step, longest: int = LONGEST) -> str:
    """A step's text with as much of what it is made of as fits; never the bare dots that one level may leave."""
    texts = [_text(step, depth, top=True) for depth in (4, 3, 2, 1)]
    texts = [text for text in texts if any(map(str.isalpha, text))] or texts
    return next((text for text in texts if len(text) <= longest), texts[-1])


def _text(step, depth: int, top: bool = False) -> str:
    if not hasattr(step, "parts"):
        return f'"{step}"' if isinstance(step, str) else str(step)
    own = getattr(step, "label", "")
    if own and not top or not step.parts:
        return own or step.name or step.op
    if depth == 0:
        return own or "..."
    width_of = getattr(step, "width_of", None)
    if width_of:
        return f"selector_width({_bare(_text(width_of[0], depth - 1))})"
    inner = [_text(part, depth - 1) for part in step.parts]
    arguments = ", ".join(map(_bare, inner))
    if step.op == "select":
        symbol = f'"{step.setting}"' if isinstance(step.setting, str) else getattr(step.setting, "__name__", "function")
        text = f"select({arguments}, {symbol})"
    elif step.op == "aggregate":
        default = "" if repr(step.setting) == "0" else f", {_text(step.setting, 0)}"
        text = f"aggregate({arguments}{default})"
    elif len(inner) == 2 and not step.name.isalpha():
        text = f"({inner[0]} {step.name} {inner[1]})"
    elif step.name in ("-", "~", "+"):
        text = f"{step.name}{inner[0]}"
    elif step.name.startswith("in ["):
        text = f"({inner[0]} {step.name})"
    else:
        text = f"{step.name}({arguments})"
    return f"{own} = {_bare(text)}" if own else _bare(text) if top else text


def _bare(text: str) -> str:
    """An operator's text without its outer parentheses, which nothing but another operator needs."""
    return text.removeprefix("(").removesuffix(")") if text.startswith("(") else text


def shown(value) -> str:
    """One value of a sequence as pictures show it."""
    if isinstance(value, bool):
        return "T" if value else "F"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def html_of(step) -> str:
    """A step as a notebook shows it: its text, and its value on an example, as a row or as a grid."""
    head = f"<code>{html.escape(text_of(step))}</code>"
    try:
        value = step(EXAMPLE)
    except Exception as error:  # a program for other inputs is still worth its text
        return f"<div>{head}<br><small>on {html.escape(EXAMPLE)!r}: {html.escape(str(error))}</small></div>"
    cell = "padding:1px 7px;text-align:center;border:1px solid rgba(128,128,128,.4)"
    letters = "".join(f'<th scope="col" style="{cell}">{html.escape(letter)}</th>' for letter in EXAMPLE)
    if step.kind == "selector":
        body = ""
        for letter, row in zip(EXAMPLE, value, strict=True):
            paint = ["none", "rgba(0,114,178,.75)"]
            cells = "".join(f'<td style="{cell};background:{paint[on]}">{"1" if on else ""}</td>' for on in row)
            body += f'<tr><th scope="row" style="{cell}">{html.escape(letter)}</th>{cells}</tr>'
        table = f'<tr><td style="{cell}"><small>query \\ key</small></td>{letters}</tr>{body}'
    else:
        cells = "".join(f'<td style="{cell}">{html.escape(shown(item))}</td>' for item in value)
        table = f"<tr>{letters}</tr><tr>{cells}</tr>"
    return f'<div>{head}<table style="border-collapse:collapse;margin-top:4px">{table}</table></div>'


def _steps(sop: object) -> list[object]:
    """Every step of a program once, parts before what is made of them."""
    found: dict[int, object] = {}
    waiting = [(sop, False)]
    while waiting:
        step, opened = waiting.pop()
        if opened:
            found.setdefault(id(step), step)
        elif hasattr(step, "parts") and id(step) not in found:
            waiting.append((step, True))
            waiting += [(part, False) for part in reversed(step.parts)]
    return list(found.values())


def _depths(everything: list[object]) -> dict[int, int]:
    """The layer of each step, by its id: 0 for what needs no attention."""
    found: dict[int, int] = {}
    for step in everything:
        inner = [found.get(id(part), 0) for part in step.parts]
        if step.op == "aggregate":
            found[id(step)] = max(inner[0], inner[1] + 1)
        else:
            found[id(step)] = max(inner, default=0) + (step.op == "select")
    return found


def trace(sop: object, x) -> dict:
    """A program's run on one input as plain data: what each layer's heads select and what is computed there.

    {"input", "result", "layers": [{"heads": [{"selector", "matrix", "reads": [{"values", "name", "result"}]}],
    "steps": [{"name", "values"}]}]}; layer 0 holds what is computed before any attention. Steps without a name that
    only feed one other step are left out.
    """
    x = list(x)
    memo: dict = {}
    sop.value(x, memo)
    everything = _steps(sop)
    depths = _depths(everything)
    uses = {id(part): [] for part in everything}  # what kinds of steps read it
    for step in everything:
        for part in step.parts:
            uses.get(id(part), []).append(step.op)
    layers = [{"heads": [], "steps": []} for _ in range(max(depths.values(), default=0) + 1)]
    heads: dict[tuple[int, int], dict] = {}
    places = {(depths[id(step)], id(step.parts[0])) for step in everything if step.op == "aggregate"}
    most = max(Counter(layer for layer, _ in places).values(), default=1)
    room = min(LONGEST, WORDS // most - len("layer 1, head 1: " if most < 3 else "1.1: "))
    for step in everything:
        layer = layers[depths[id(step)]]
        if step.op == "aggregate":
            selector = step.parts[0]
            key = (depths[id(step)], id(selector))
            if key not in heads:
                matrix = memo[id(selector)].astype(int).tolist()
                heads[key] = {"selector": _brief(selector, room), "matrix": matrix, "reads": []}
                layer["heads"].append(heads[key])
            value = step.parts[1]
            read = memo[id(value)] if hasattr(value, "parts") else [value] * len(x)
            heads[key]["reads"].append(
                {"name": _brief(step), "values": list(map(shown, read)), "result": list(map(shown, memo[id(step)]))}
            )
        elif step.kind == "s-op" and step.op == "map" and (step is sop or step.label or uses[id(step)] != ["map"]):
            layer["steps"].append({"name": _brief(step, BESIDE), "values": list(map(shown, memo[id(step)]))})
    return {"input": list(map(shown, x)), "result": list(map(shown, memo[id(sop)])), "layers": layers}


def draw(sop: object, x, title: str = "") -> Picture:
    """The picture of a program's run on one input: a row per layer, a heat map per head, the values beneath."""
    return rasp_picture(trace(sop, x), title)


def recorded_runs(file) -> object:
    """Runs of whole programs that were written to a JSON file of {title: trace}, to choose from by a drop-down."""
    runs = json.loads(file.read_text(encoding="utf-8"))
    return explore(lambda program: rasp_picture(runs[program], program), program=list(runs))


def not_a_program(value, text: str = "this") -> str:
    """Why a value, written as `text`, isn't a program that can be run; empty for an s-op."""
    if getattr(value, "kind", "") == "s-op":
        return ""
    if getattr(value, "kind", "") == "selector":
        return "A program must end in an s-op; put a selector into aggregate(...) to use it."
    if callable(value):
        return f"A program must end in an s-op, but {text} is a function: call it, as in length() or reverse(tokens)."
    return f"A program must end in an s-op, such as tokens or indices + 1, but this is {value!r}."


def puzzle(program, x: str, wanted: list, title: str) -> Picture:
    """What a program gives on an input, under what is expected; None for a program that is not written yet."""
    got, trouble = ["?"] * len(wanted), "There is no program yet." if program is None else not_a_program(program)
    if not trouble:
        try:
            got = list(map(shown, program(x)))
        except Exception as error:  # the picture says what went wrong
            got, trouble = ["!"] * len(wanted), str(error)
    rows = {"input": list(map(shown, x)), "wanted": list(map(shown, wanted)), "yours": got}
    verdicts = [0 if program is None else 1 + (a != b) for a, b in zip(rows["wanted"], got, strict=True)]
    marks = [[0] * len(wanted), [0] * len(wanted), verdicts]
    text = [list(map(_plain, row)) for row in rows.values()]
    colours = (QUIET, "rgba(0,158,115,0.4)", "rgba(213,94,0,0.35)")
    heat = cells(marks, colours, text, textfont=WRITTEN, xgap=2, ygap=2, hoverinfo="skip")
    figure = plain_figure(heat, title, "", "", 230, margin={"l": 80})
    figure.update_yaxes(
        autorange="reversed", tickvals=[0, 1, 2], ticktext=list(rows), showgrid=False, ticks="", ticklabelstandoff=6
    )
    figure.update_xaxes(showticklabels=False, showgrid=False, ticks="")
    right = sum(a == b for a, b in zip(rows["wanted"], got, strict=True))
    caption = trouble or f"{right} of {len(wanted)} positions are as wanted."
    words = (
        f"Puzzle, {title}. Input {' '.join(rows['input'])}; wanted {' '.join(rows['wanted'])}; yours {' '.join(got)}."
    )
    return Picture(figure, caption, words)
