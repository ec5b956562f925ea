"""Chapter 3: RASP, a language whose programs are transformers.

`tokens`, `indices`, `length` and `full_s` are what programs start from; everything else is built of them.
"""

import builtins

from utils.plot.rasp_steps import draw, trace

from .analysis import report
from .language import (
    Selector,
    SOp,
    aggregate,
    full_s,
    indicator,
    indices,
    select,
    selector_width,
    tokens,
    tokens_asis,
    tokens_bool,
    tokens_float,
    tokens_int,
    tokens_str,
    where,
)
from .language import length as _length
from .library import (
    average,
    contains,
    count,
    has_focus,
    load_from,
    load_from_location,
    mark_first,
    mark_first_instance,
    mark_last,
    mark_last_instance,
    maximum,
    minimum,
    select_from_first,
    select_from_last,
    select_next_identical,
    shift,
    sort,
)
from .programs import (
    double_hist,
    dyck1_ptf,
    dyck_k,
    dyck_k_published,
    hist,
    long_addition,
    most_freq,
    reverse,
    shuffle_dyck,
)
from .values import RaspError

round = builtins.round  # works on an s-op, so programs can import it with the rest
length = _length()  # in programs an s-op; as an exercise, the function that builds it

__all__ = [
    "RaspError",
    "SOp",
    "Selector",
    "aggregate",
    "average",
    "contains",
    "count",
    "double_hist",
    "draw",
    "dyck1_ptf",
    "dyck_k",
    "dyck_k_published",
    "full_s",
    "has_focus",
    "hist",
    "indicator",
    "indices",
    "length",
    "load_from",
    "load_from_location",
    "long_addition",
    "mark_first",
    "mark_first_instance",
    "mark_last",
    "mark_last_instance",
    "maximum",
    "minimum",
    "most_freq",
    "report",
    "reverse",
    "round",
    "select",
    "select_from_first",
    "select_from_last",
    "select_next_identical",
    "selector_width",
    "shift",
    "shuffle_dyck",
    "sort",
    "tokens",
    "tokens_asis",
    "tokens_bool",
    "tokens_float",
    "tokens_int",
    "tokens_str",
    "trace",
    "where",
]
