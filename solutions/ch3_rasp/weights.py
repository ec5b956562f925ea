"""From selectors, aggregates and functions to weight matrices: the pieces of the compiler (chapter 3).

Everything is written for one-hot vectors. Source: Lindner et al. 2023 (Tracr); the bounds are derived here.
"""

import itertools
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from .values import Atom


def selector_to_head(
    pred: Callable, key_values: Sequence, query_values: Sequence, c: float = 80.0, bos: float = 0.5, d_head: int = 0
) -> tuple[Float[Tensor, "Q_1 H"], Float[Tensor, "K_1 H"]]:
    """(W_Q, W_K) of a head whose attention pattern is a selector: all keys with pred(key, query) get equal weights.

    A query comes as the one-hot vector of its value, followed by a constant 1: Q + 1 numbers. A key comes as the
    one-hot vector of its value, followed by a flag that is 1 for BOS alone: K + 1 numbers. For BOS the one-hot part
    is 0, as a key and as a query. Divided by sqrt(d_head), as attention does, the score is c where pred holds, 0
    where not, and c * bos for BOS, from every query. So a query that picks nothing looks at BOS, and so does BOS
    itself. `d_head`: the width of the head, if it is larger than K + 1.
    Shapes: -> (Q + 1, K + 1), (K + 1, K + 1). Source: Lindner et al. 2023.
    """
    # solution
    K, Q = len(key_values), len(query_values)
    sharp = c * (d_head or K + 1) ** 0.5
    W_Q = torch.zeros(Q + 1, K + 1)
    W_Q[:Q, :K] = torch.tensor([[sharp * bool(pred(key, query)) for key in key_values] for query in query_values])
    W_Q[Q, K] = sharp * bos
    return W_Q, torch.eye(K + 1)
    # end solution


def aggregate_to_ov(
    values: Sequence[Atom], default: Atom, numeric: bool = False
) -> tuple[Float[Tensor, "X_1 D"], list[Atom]]:
    """(W_OV, out_values) of a head that copies what it looks at, and the default where that is BOS.

    A position comes as the one-hot vector of its value, followed by the BOS flag: X + 1 numbers. The result is
    one-hot over `out_values`: the values, and the default behind them if it is not among them (1, True and 1.0 are
    different). With `numeric` it is a single number, the value itself, and `out_values` is empty.
    Shapes: -> (X + 1, D), list of D values. Source: Lindner et al. 2023.
    """
    # solution
    if numeric:
        return torch.tensor([[float(value)] for value in [*values, default]]), []
    out_values = list(values)
    same = [i for i, value in enumerate(values) if type(value) is type(default) and value == default]
    if not same:
        out_values.append(default)
    W = torch.eye(len(values) + 1, len(out_values))
    W[-1] = 0
    W[-1, same[0] if same else len(values)] = 1
    return W, out_values
    # end solution


def lookup_mlp(f: Callable, *domains: Sequence) -> tuple[Float[Tensor, "D_in M"], Float[Tensor, "M D_out"], list]:
    """(W_in, W_out, out_values) of a ReLU layer without biases that computes f of several one-hot vectors, exactly.

    The input is the one-hot vectors of all arguments, one behind the other, followed by a constant 1. One hidden unit
    per tuple of arguments is 1 for that tuple and 0 for all others. Tuples on which f raises are left out. The output
    is one-hot over `out_values`, the different results in order of appearance (1, True and 1.0 are different).
    Shapes: (sum of the domains' sizes + 1, M), (M, D_out). Source: Lindner et al. 2023.
    """
    # solution
    starts = [0, *itertools.accumulate(len(domain) for domain in domains)]
    units, results, out_values = [], [], []
    for places in itertools.product(*(range(len(domain)) for domain in domains)):
        try:
            result = f(*(domain[i] for domain, i in zip(domains, places, strict=True)))
        except Exception:  # no input of the program leads here
            continue
        unit = torch.zeros(starts[-1] + 1)
        for start, i in zip(starts, places, strict=False):
            unit[start + i] = 1
        unit[-1] = 1 - len(domains)
        key = (type(result), result)
        if key not in out_values:
            out_values.append(key)
        units.append(unit)
        results.append(out_values.index(key))
    W_out = torch.zeros(len(units), len(out_values))
    W_out[torch.arange(len(units)), torch.tensor(results, dtype=torch.long)] = 1
    W_in = torch.stack(units, dim=1) if units else torch.zeros(starts[-1] + 1, 0)
    return W_in, W_out, [value for _, value in out_values]
    # end solution


def step_mlp(
    values: Sequence[float], f: Callable, sharpness: float
) -> tuple[Float[Tensor, "2 M"], Float[Tensor, "M D_out"], list]:
    """(W_in, W_out, out_values) of a ReLU layer without biases that turns a number z into the one-hot vector of f(z).

    The input is (z, 1), and z is one of `values`, a list in any order that is left as it is. Between neighbours whose
    results differ there is a threshold half-way, and two hidden units, whose difference is a step of slope
    `sharpness`: exact as long as sharpness times the distance of the neighbours is at least 1. Values on which f
    raises are passed over. Equal results share a place in `out_values`, which go by rising z. Shapes: (2, M),
    (M, D_out). Source: Lindner et al. 2023.
    """
    # solution
    known = []
    for z in sorted(set(values)):
        try:
            result = f(z)
        except Exception:  # no input of the program leads here
            continue
        known.append((z, (type(result), result)))
    out_values = list(dict.fromkeys(key for _, key in known))
    place = {key: i for i, key in enumerate(out_values)}
    columns, rows = [torch.tensor([0.0, 1.0])], [torch.eye(len(out_values))[place[known[0][1]]]]
    for (low, before), (high, after) in itertools.pairwise(known):
        if before == after:
            continue
        threshold = (low + high) / 2
        change = torch.zeros(len(out_values))
        change[place[after]] += 1
        change[place[before]] -= 1
        columns += [torch.tensor([sharpness, 0.5 - sharpness * threshold])]
        columns += [torch.tensor([sharpness, -0.5 - sharpness * threshold])]
        rows += [change, -change]
    return torch.stack(columns, dim=1), torch.stack(rows), [value for _, value in out_values]
    # end solution
