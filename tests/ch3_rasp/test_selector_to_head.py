"""Hidden tests of exercise 3.24: queries and keys whose attention pattern is a selector."""

import torch

from utils.grade import close, require

PREDICATES = {
    "before": lambda key, query: key < query,
    "equal": lambda key, query: key == query,
    "mirror": lambda key, query: key == 3 - query,
    "never": lambda key, query: False,
}


def matrices(selector_to_head, kind, keys, queries, more):
    """Call the function with one of four predicates."""
    predicates = {
        "before": lambda key, query: key < query,
        "equal": lambda key, query: key == query,
        "mirror": lambda key, query: key == 3 - query,
        "never": lambda key, query: False,
    }
    found = selector_to_head(predicates[kind], keys, queries, **more)
    return found if all(torch.is_tensor(W) for W in found) else None


def scores(got, keys, queries, d_head):
    """Attention's own scores: a row per query value, a column per key value and one for BOS."""
    K, Q = len(keys), len(queries)
    says = "selector_to_head must return two tensors (W_Q, W_K), of shapes (Q + 1, K + 1) and (K + 1, K + 1)"
    good = isinstance(got, (tuple, list)) and len(got) == 2 and all(torch.is_tensor(W) for W in got)
    require(good and got[0].shape == (Q + 1, K + 1) and got[1].shape == (K + 1, K + 1), says)
    kinds = [str(W.dtype) for W in got]
    says = f"W_Q and W_K must be float32, as the vectors are that they multiply, but they are {' and '.join(kinds)}"
    require(kinds == ["torch.float32"] * 2, says)
    W_Q, W_K = (W.double() for W in got)
    x_q = torch.cat([torch.eye(Q), torch.ones(Q, 1)], dim=1).double()
    return x_q @ W_Q @ (torch.eye(K + 1).double() @ W_K).T / d_head**0.5


def compared(selector_to_head, kind, keys, queries, says, bos=0.5, c=80.0, **more):
    got = selector_to_head.run(matrices, kind, keys, queries, more)
    found = scores(got, keys, queries, more.get("d_head") or len(keys) + 1)
    wanted = [[c * PREDICATES[kind](k, q) for k in keys] + [c * bos] for q in queries]
    close(
        found,
        torch.tensor(wanted).double(),
        says,
        atol=1e-2,
        name="the scores",
        inputs={"keys": keys, "queries": queries},
    )


def test_scores(selector_to_head, draw):
    keys, queries = [0, 1, 2, 3, 5], [2, 0, 3]
    says = "divided by sqrt(d_head), a score must be c where pred(key, query) holds, else 0, and c * bos for BOS"
    compared(selector_to_head, "before", keys, queries, says)
    compared(selector_to_head, "equal", keys, queries, says)
    compared(selector_to_head, ["mirror", "never"][draw.index], keys, queries, says)


def test_sharpness_and_bos(selector_to_head):
    keys, queries = [0, 1, 2], [1, 2]
    got = selector_to_head.run(matrices, "before", keys, queries, {"c": 30.0, "bos": 1.0})
    wanted = torch.tensor([[30.0, 0, 0, 30], [30.0, 30, 0, 30]]).double()
    close(
        scores(got, keys, queries, 4), wanted, "c and bos must be used as they are given", atol=1e-2, name="the scores"
    )


def test_wider_head(selector_to_head):
    says = "with d_head, the scores are divided by its root: W_Q must make up for that"
    compared(selector_to_head, "equal", [0, 1, 2], [1, 2], says, d_head=16)
