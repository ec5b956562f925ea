"""Read a submitted .ipynb leniently: whatever holds cells counts, and what does not is said in one sentence."""

import json
import unicodedata

MOST_CELLS = 5000


def clean(text: str, limit: int = 300) -> str:
    """Text of unknown origin as one printable line of at most `limit` characters."""
    text = " ".join("".join(c if _printable(c) else " " for c in str(text)[: 4 * limit]).split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _printable(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def read_cells(data: bytes) -> tuple[list[tuple[str, str]], dict]:
    """The code cells in order, each as (source, exercise whose answer the build marked it as), and the notebook's
    metadata. Raises ValueError: the end of a sentence.

    Notebook formats 3 and 4 are read; outputs, ids and unknown fields play no part.
    """
    if not data.strip():
        raise ValueError("is empty")
    notebook = _json(data)
    if not isinstance(notebook, dict):
        raise ValueError("is no notebook: its JSON is not an object")
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        sheets = notebook.get("worksheets")
        sheets = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)] if isinstance(sheets, list) else []
        cells = [cell for sheet in sheets if isinstance(sheet, list) for cell in sheet]
        if not cells and not sheets:
            raise ValueError("is no notebook: it has no list of cells")
    if len(cells) > MOST_CELLS:
        raise ValueError(f"has more than {MOST_CELLS} cells")
    sources = []
    for cell in cells:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source", cell.get("input"))
            if isinstance(source, list):
                source = "".join(line for line in source if isinstance(line, str))
            if isinstance(source, str):
                sources.append((source, _marked(cell.get("metadata"))))
    metadata = notebook.get("metadata")
    return sources, metadata if isinstance(metadata, dict) else {}


def _marked(metadata) -> str:
    mark = metadata.get("exercise") if isinstance(metadata, dict) else None
    name = mark.get("name") if isinstance(mark, dict) and mark.get("role") == "answer" else None
    return name if isinstance(name, str) else ""


def _json(data: bytes):
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("is no notebook: it is not UTF-8 text") from None
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("is no notebook: its JSON is nested too deeply") from None
    except ValueError as error:
        if "digits" in str(error):
            raise ValueError("is no notebook: its JSON holds a number of too many digits") from None
        raise ValueError("is no notebook: it is not JSON, or was cut off") from None


def metadata_value(metadata: dict, keys: str):
    """The value at a dotted path of the metadata, or None."""
    value = metadata
    for key in keys.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def about(metadata: dict) -> tuple[str, str]:
    """(chapter, kind) as the build marked the notebook: ("ch1", "exercises"); empty where the mark is lost."""
    mark = metadata.get("course")
    mark = mark if isinstance(mark, dict) else {}
    chapter, kind = mark.get("chapter"), mark.get("notebook")
    return (
        chapter.split("_")[0] if isinstance(chapter, str) else "",
        kind.removesuffix("_solutions").replace("solutions", "exercises") if isinstance(kind, str) else "",
    )
