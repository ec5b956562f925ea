"""Pictures of a chapter inside its notebooks: a relative SVG becomes part of the cell, so that it shows everywhere.

A relative link would need the folder beside the notebook (Colab and a copied notebook have none), and an attachment of
this kind is not drawn by JupyterLab. An `img` tag with the picture in its address is, as it is by Colab and VS Code.
"""

import base64
import html
import re
from pathlib import Path

from utils.build.chapter import SourceError

IMAGE = re.compile(r"!\[([^\]]+)\]\((images/[\w./-]+\.svg)\)", re.DOTALL)
LARGEST = 40_000  # bytes; a diagram by hand stays far below


def embed(source: str, file: Path, line: int) -> str:
    """Markdown with each `![words](images/name.svg)` of the chapter in `file` replaced by the picture itself.

    Raises SourceError, with the cell's `line`, for a picture that is missing, too large or not an SVG.
    """

    def tag(found: re.Match) -> str:
        alt, path = " ".join(found[1].split()), file.parent / found[2]
        if not path.is_file():
            raise SourceError(file, line, f"there is no picture {found[2]}")
        data = path.read_bytes().replace(b"\r\n", b"\n")
        if len(data) > LARGEST or b"<svg" not in data[:300]:
            raise SourceError(file, line, f"{found[2]} is not an SVG of at most {LARGEST // 1000} kB")
        packed = base64.b64encode(data).decode("ascii")
        return f'<img alt="{html.escape(alt)}" src="data:image/svg+xml;base64,{packed}">'

    return IMAGE.sub(tag, source)
