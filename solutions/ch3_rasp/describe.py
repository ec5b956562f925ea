"""How a step of a program is written in messages and pictures, and how it shows itself in a notebook (chapter 3)."""

import html

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


def html_of(step, example: str = EXAMPLE) -> str:
    """A step as a notebook shows it: its text, and its value on an example, as a row or as a grid."""
    head = f"<code>{html.escape(text_of(step))}</code>"
    try:
        value = step(example)
    except Exception as error:  # a program for other inputs is still worth its text
        return f"<div>{head}<br><small>on {html.escape(example)!r}: {html.escape(str(error))}</small></div>"
    cell = "padding:1px 7px;text-align:center;border:1px solid rgba(128,128,128,.4)"
    letters = "".join(f'<th scope="col" style="{cell}">{html.escape(letter)}</th>' for letter in example)
    if step.kind == "selector":
        body = ""
        for letter, row in zip(example, value, strict=True):
            paint = ["none", "rgba(0,114,178,.75)"]
            cells = "".join(f'<td style="{cell};background:{paint[on]}">{"1" if on else ""}</td>' for on in row)
            body += f'<tr><th scope="row" style="{cell}">{html.escape(letter)}</th>{cells}</tr>'
        table = f'<tr><td style="{cell}"><small>query \\ key</small></td>{letters}</tr>{body}'
    else:
        cells = "".join(f'<td style="{cell}">{html.escape(shown(item))}</td>' for item in value)
        table = f"<tr>{letters}</tr><tr>{cells}</tr>"
    return f'<div>{head}<table style="border-collapse:collapse;margin-top:4px">{table}</table></div>'
