"""Hidden tests of exercise 3.20: one head after the other on whole rows, then padding, then §.

What is expected is worked out pair by pair, in plain Python.
"""

import torch

from utils.grade import require

V = 4  # symbols; the number V is §
HEADS = {
    "sort": ["0,0", "1,0"],
    "hist2": ["0,0", "0,1", "1,0"],
    "sort_by_freq": ["0,0", "0,1", "1,0", "2,0"],
}
MEANS = {
    ("sort", "0,0"): "head (0, 0) of sort doesn't select the smaller keys and the equal ones further left",
    ("sort", "1,0"): "head (1, 0) of sort doesn't select, for query i, the key that i keys come before in sorted order",
    ("same", "0,0"): "head (0, 0) of {} doesn't select the keys that hold the query's token",
    ("same", "0,1"): "head (0, 1) of {} doesn't select the keys with the query's token that are earlier than the query",
    ("hist2", "1,0"): "head (1, 0) of hist2 doesn't select the first occurrences of tokens as frequent as the query's",
    ("sort_by_freq", "1,0"): "head (1, 0) of sort_by_freq doesn't select the keys that rank before the query",
    ("sort_by_freq", "2,0"): "head (2, 0) of sort_by_freq doesn't select, for query i, the key that i keys rank before",
}


def probe_targets(attention_targets, task, tokens, mask, bos):
    """The matrices by the names "layer,head"; and the inputs as they are afterwards."""
    found = attention_targets(task, tokens, mask, bos)
    if not isinstance(found, dict):
        return {"kind": type(found).__name__, "heads": {}, "tokens": tokens, "mask": mask}
    names = {}
    for key, matrix in found.items():
        pair = isinstance(key, tuple) and len(key) == 2
        names[",".join(str(int(part)) for part in key) if pair else "not a pair: " + repr(key)] = matrix
    return {"kind": "", "heads": names, "tokens": tokens, "mask": mask}


def rows(draw, bos=False, padded=False):
    """Tokens and mask (6, 8): one planted row in which every rule shows, the others random."""
    planted = [1, 3, 0, 1, 2, 0, 1, 3]
    tokens = draw.integers(0, V, 6, 8)
    tokens[0] = torch.tensor(planted)[draw.permutation(8)] if draw.index else torch.tensor(planted)
    lengths = torch.tensor([8, 8, 5, 3, 1, 6]) if padded else torch.full((6,), 8)
    mask = torch.arange(8) < lengths[:, None]
    tokens = torch.where(mask, tokens, V)
    if bos:
        start = torch.full((6, 1), V)
        tokens, mask = torch.cat([start, tokens], 1), torch.cat([torch.ones(6, 1, dtype=torch.bool), mask], 1)
    return tokens, mask


def expected(task, tokens, mask, bos):
    """The oracle, string by string."""
    B, T = tokens.shape
    found = {head: torch.zeros(B, T, T, dtype=torch.bool) for head in HEADS[task]}
    for b in range(B):
        s = tokens[b][mask[b]].tolist()[int(bos) :]
        n, at = len(s), int(bos)
        count = [s.count(x) for x in s]
        new = [x not in s[:i] for i, x in enumerate(s)]
        order = sorted(range(n), key=lambda i: (s[i], i))  # noqa: B023
        rank = sorted(range(n), key=lambda i: (not new[i], -count[i], i))  # noqa: B023
        for q in range(n):
            for k in range(n):
                if task == "sort":
                    chosen = {"0,0": order.index(k) < order.index(q), "1,0": order[q] == k}
                else:
                    chosen = {"0,0": s[k] == s[q], "0,1": s[k] == s[q] and k < q}
                    if task == "hist2":
                        chosen["1,0"] = new[k] and count[k] == count[q]
                    else:
                        chosen |= {"1,0": rank.index(k) < rank.index(q), "2,0": rank[q] == k}
                for head, yes in chosen.items():
                    found[head][b, q + at, k + at] = yes
        if bos:
            for head, matrix in found.items():
                matrix[b, 0, 0] = True
                if (task, head) != ("sort", "1,0"):
                    matrix[b, : n + 1, 0] = True
    return found


def check(attention_targets, draw, task, heads=None, bos=False, padded=False, about=""):
    tokens, mask = rows(draw, bos, padded)
    got = attention_targets.run(probe_targets, task, tokens, mask, bos)
    require(not got["kind"], f"attention_targets must return a dict, but it returns a {got['kind']}")
    names = ", ".join(f"({name.replace(',', ', ')})" for name in HEADS[task])
    says = f"for {task} the keys of the dict must be the pairs {names}"
    require(sorted(got["heads"]) == sorted(HEADS[task]), says, got=sorted(got["heads"]))
    wanted = expected(task, tokens, mask, bos)
    for head in heads or HEADS[task]:
        matrix, shape = got["heads"][head], (*tokens.shape, tokens.shape[1])
        require(torch.is_tensor(matrix) and tuple(matrix.shape) == shape, "a matrix hasn't the shape (B, T_Q, T_K)")
        require(matrix.dtype == torch.bool, f"a matrix must hold True and False (bool), not {matrix.dtype}")
        kind = "same" if (task, head) not in MEANS else task
        says = MEANS[kind, head].format(task) + about
        wrong = [b for b in range(len(tokens)) if not torch.equal(matrix[b], wanted[head][b])]
        if wrong:
            b = wrong[0]
            shown = {"expected": wanted[head][b], "got": matrix[b], "inputs": {"tokens": tokens[b]}}
            require(False, says, **shown)
    return got, tokens, mask


def test_sort_before(attention_targets, draw):
    check(attention_targets, draw, "sort", ["0,0"])


def test_sort_slot(attention_targets, draw):
    check(attention_targets, draw, "sort", ["1,0"])


def test_same_token(attention_targets, draw):
    for task in ("hist2", "sort_by_freq"):
        check(attention_targets, draw, task, ["0,0", "0,1"])


def test_as_frequent(attention_targets, draw):
    check(attention_targets, draw, "hist2", ["1,0"])


def test_rank(attention_targets, draw):
    check(attention_targets, draw, "sort_by_freq", ["1,0"])
    check(attention_targets, draw, "sort_by_freq", ["2,0"])


def test_padding(attention_targets, draw):
    for task in HEADS:
        check(attention_targets, draw, task, padded=True, about=", in rows with padding")


def test_bos(attention_targets, draw):
    for task in HEADS:
        check(attention_targets, draw, task, bos=True, about=", with §")
        got, tokens, mask = check(attention_targets, draw, task, bos=True, padded=True, about=", with § and padding")
        same = torch.equal(got["tokens"], tokens) and torch.equal(got["mask"], mask)
        require(same, "the caller's tokens or mask are different after the call")
