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
    """Call the function with one of four predicates: the matrices' form, and W_Q @ W_K.T, which is all that counts."""
    predicates = {
        "before": lambda key, query: key < query,
        "equal": lambda key, query: key == query,
        "mirror": lambda key, query: key == 3 - query,
        "never": lambda key, query: False,
    }
    found = selector_to_head(predicates[kind], keys, queries, **more)
    if not all(torch.is_tensor(W) for W in found):
        return {"kinds": [type(W).__name__ for W in found]}
    form = [[str(W.dtype), *W.shape] for W in found]
    fits = len(form) == 2 and [len(one) for one in form] == [3, 3] and form[0][2] == form[1][2]
    return {"form": form, "product": found[0].double() @ found[1].double().T if fits else None}


def scores(got, keys, queries, d_head):
    """Attention's own scores: a row per query value, a column per key value and one for BOS."""
    K, Q = len(keys), len(queries)
    says = "selector_to_head must return two tensors (W_Q, W_K), of shapes (Q + 1, K + 1) and (K + 1, K + 1)"
    require("form" in got, f"{says}, but it returns a {' and a '.join(got.get('kinds', []))}")
    form = [one[1:] for one in got["form"]]
    require(form == [[Q + 1, K + 1], [K + 1, K + 1]], says, got=form)
    kinds = [one[0] for one in got["form"]]
    says = f"W_Q and W_K must be float32, as the vectors are that they multiply, but they are {' and '.join(kinds)}"
    require(kinds == ["torch.float32"] * 2, says)
    x_q = torch.cat([torch.eye(Q), torch.ones(Q, 1)], dim=1).double()
    return x_q @ got["product"] / d_head**0.5


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
    keys, queries = sorted(draw.permutation(9)[:5].tolist()), [2, 0, *(3 + draw.permutation(4)[:2]).tolist()]
    says = "divided by sqrt(d_head), a score must be c where pred(key, query) holds, else 0, and c * bos for BOS"
    compared(selector_to_head, "before", keys, queries, says)
    compared(selector_to_head, "equal", keys, queries, says)
    compared(selector_to_head, ["mirror", "never"][draw.index], keys, queries, says)
    compared(selector_to_head, "before", [0, 1], [0, 3, 1, 2], "there may be more queries than keys: each has its row")


def test_sharpness_and_bos(selector_to_head, draw):
    keys, queries, c = [0, 1, 2], [1, 2], 20.0 + draw.integer(0, 1000) / 50
    got = selector_to_head.run(matrices, "before", keys, queries, {"c": c, "bos": 1.0})
    wanted = c * torch.tensor([[1.0, 0, 0, 1], [1, 1, 0, 1]]).double()
    close(
        scores(got, keys, queries, 4), wanted, "c and bos must be used as they are given", atol=1e-2, name="the scores"
    )


def test_bos_as_a_query(selector_to_head):
    got = selector_to_head.run(matrices, "before", [0, 1, 2], [1, 2], {})
    scores(got, [0, 1, 2], [1, 2], 4)
    says = "BOS asks as a query, too, with the constant 1 alone: it must look at itself, with the score c * bos"
    found = got["product"][-1:] / 2
    close(found, torch.tensor([[0.0, 0, 0, 40]]).double(), says, atol=1e-2, name="its scores for keys and BOS")


def test_wider_head(selector_to_head):
    says = "with d_head, the scores are divided by its root: W_Q must make up for that"
    compared(selector_to_head, "equal", [0, 1, 2], [1, 2], says, d_head=16)
