"""Progress bars that suit a terminal, a notebook and a log file alike."""

import sys
from collections.abc import Iterable

from tqdm import tqdm


def progress_bar(items: Iterable | None = None, *, total: int | None = None, label: str = "", **options) -> tqdm:
    """A tqdm bar on standard error; where that is not a terminal or a notebook it is drawn every ten seconds only.

    Plain text also in notebooks: the widget bar needs a front end that many hosts lack.
    """
    live = sys.stderr.isatty() or "ipykernel" in sys.modules
    return tqdm(
        items,
        total=total,
        desc=label or None,
        mininterval=0.3 if live else 10.0,
        file=sys.stderr,
        dynamic_ncols=sys.stderr.isatty(),
        ascii=None if live else True,
        **options,
    )
