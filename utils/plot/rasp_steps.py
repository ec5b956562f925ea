"""How the steps of a RASP program are written, shown and drawn (chapter 3).

A step is anything with `parts`, `kind` ("s-op" or "selector"), `op`, `name`, `label` and `setting`, as the chapter's
SOp and Selector have them; nothing here computes with them.
"""

import html
import json

from utils.plot.figures import cells, plain_figure
from utils.plot.picture import Picture
from utils.plot.rasp import rasp_picture
from utils.plot.widget import explore

EXAMPLE = "hello"
LONGEST = 60


def text_of(step, depth: int = 4) -> str:
    """A step as one line of text: its name where it has one, else what it is made of, down to `depth` steps."""
    if not hasattr(step, "parts"):
        return f'"{step}"' if isinstance(step, str) else str(step)
    text = _text(step, depth, top=True)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


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
        return f"selector_width({_text(width_of[0], depth - 1)})"
    inner = [_text(part, depth - 1) for part in step.parts]
    if step.op == "select":
        symbol = step.setting if isinstance(step.setting, str) else getattr(step.setting, "__name__", "function")
        text = f"select({inner[0]}, {inner[1]}, {symbol})"
    elif step.op == "aggregate":
        text = f"aggregate({', '.join(inner)})"
    elif len(inner) == 2 and not step.name.isalpha():
        text = f"({inner[0]} {step.name} {inner[1]})"
    elif step.name in ("-", "~", "+"):
        text = f"{step.name}{inner[0]}"
    else:
        text = f"{step.name}({', '.join(inner)})"
    return f"{own} = {text}" if own else text.removeprefix("(").removesuffix(")") if top and text[0] == "(" else text


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


def _depths(sop: object) -> dict[int, int]:
    """The layer of each step, by its id: 0 for what needs no attention."""
    found: dict[int, int] = {}
    for step in _steps(sop):
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
    depths, everything = _depths(sop), _steps(sop)
    layers = [{"heads": [], "steps": []} for _ in range(max(depths.values(), default=0) + 1)]
    heads: dict[tuple[int, int], dict] = {}
    uses = _uses(everything)
    for step in everything:
        layer = layers[depths[id(step)]]
        if step.op == "aggregate":
            selector = step.parts[0]
            key = (depths[id(step)], id(selector))
            if key not in heads:
                matrix = memo[id(selector)].astype(int).tolist()
                heads[key] = {"selector": text_of(selector), "matrix": matrix, "reads": []}
                layer["heads"].append(heads[key])
            value = step.parts[1]
            read = memo[id(value)] if hasattr(value, "parts") else [value] * len(x)
            heads[key]["reads"].append(
                {"name": text_of(step), "values": list(map(shown, read)), "result": list(map(shown, memo[id(step)]))}
            )
        elif step.kind == "s-op" and step.op == "map" and (step is sop or step.label or uses[id(step)] != ["map"]):
            layer["steps"].append({"name": text_of(step), "values": list(map(shown, memo[id(step)]))})
    return {"input": list(map(shown, x)), "result": list(map(shown, memo[id(sop)])), "layers": layers}


def draw(sop: object, x, title: str = "") -> Picture:
    """The picture of a program's run on one input: a row per layer, a heat map per head, the values beneath."""
    return rasp_picture(trace(sop, x), title)


def _uses(everything: list[object]) -> dict[int, list[str]]:
    """What kinds of steps read each step, by its id."""
    found: dict[int, list[str]] = {id(step): [] for step in everything}
    for step in everything:
        for part in step.parts:
            if id(part) in found:
                found[id(part)].append(step.op)
    return found


def recorded_runs(file) -> object:
    """Runs of whole programs that were written to a JSON file of {title: trace}, to choose from by a drop-down."""
    runs = json.loads(file.read_text(encoding="utf-8"))
    return explore(lambda program: rasp_picture(runs[program], program), program=list(runs))


def puzzle(program, x: str, wanted: list, title: str) -> Picture:
    """What a program gives on an input, under what is wanted; None for a program that is not written yet."""
    try:
        got = list(map(shown, program(x))) if program is not None else ["?"] * len(wanted)
        trouble = ""
    except Exception as error:  # the picture says what went wrong
        got, trouble = ["!"] * len(wanted), str(error)
    rows = {"input": list(map(shown, x)), "wanted": list(map(shown, wanted)), "yours": got}
    marks = [[0] * len(wanted), [0] * len(wanted), [1 + (a != b) for a, b in zip(rows["wanted"], got, strict=True)]]
    text = [[html.escape(cell) for cell in row] for row in rows.values()]
    heat = cells(marks, ("#F2F2F2", "#9FD5C1", "#F3C9A5"), text, xgap=2, ygap=2, hoverinfo="skip")
    figure = plain_figure(heat, title, "", "", 230, margin={"l": 80})
    figure.update_yaxes(autorange="reversed", tickvals=[0, 1, 2], ticktext=list(rows), showgrid=False)
    figure.update_xaxes(showticklabels=False, showgrid=False)
    right = sum(a == b for a, b in zip(rows["wanted"], got, strict=True))
    caption = trouble or f"{right} of {len(wanted)} positions are as wanted."
    words = (
        f"Puzzle, {title}. Input {' '.join(rows['input'])}; wanted {' '.join(rows['wanted'])}; yours {' '.join(got)}."
    )
    return Picture(figure, caption, words)
