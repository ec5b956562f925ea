"""Hidden tests of exercise 1.4. The fixture apply_causal_mask is the function under test.

What is judged is the probabilities after a softmax over the keys: any fill that hides (-inf, -1e9) is right.
"""

import torch

from utils.grade import close, require, shaped

B, N, T = 3, 2, 5
RECTANGLES = [(3, 7), (1, 4)]  # (T_Q, T_K) by draw: fewer queries than keys, as with a cache


def scores_for(draw, queries=T, keys=T):
    """Scores of spread 2; far below zero in the second draw, where a fill that is too weak shows."""
    return draw.normal(B, N, queries, keys, std=2, mean=-400.0 * (draw.index % 2))


def oracle(scores):
    """Probabilities by slow loops: query i sees the keys up to i + T_K - T_Q and no others."""
    queries, keys = scores.shape[-2:]
    result = torch.zeros_like(scores)
    for i in range(queries):
        seen = i + keys - queries + 1
        result[..., i, :seen] = scores[..., i, :seen].softmax(-1)
    return result


def hidden(scores):
    """What is added to the scores of one head, for the card: minus infinity where the future is."""
    queries, keys = scores.shape[-2:]
    return torch.full((queries, keys), -torch.inf).triu(keys - queries + 1)


def masked(apply_causal_mask, scores):
    """What the function returns, its probabilities, and what a card shows."""
    result = apply_causal_mask(scores)
    return result, result.softmax(-1), {"card": (scores + hidden(scores), result), "inputs": {"scores": scores}}


def test_shape_and_input(apply_causal_mask, draw):
    scores = scores_for(draw)
    out = apply_causal_mask.call(scores)
    shaped(out["result"], scores.shape, "apply_causal_mask must keep the shape of the scores")
    close(out["args"][0], scores, "the scores were changed in place: the caller still needs them, so make a new tensor")


def test_future_is_hidden(apply_causal_mask, draw):
    scores = scores_for(draw)
    result, got, shown = masked(apply_causal_mask, scores)
    after = torch.ones(T, T, dtype=torch.bool).triu(1)
    says = "a query still gives probability to later keys: what it may not see needs probability 0 after the softmax"
    leak = torch.where(after, got, torch.zeros(())).nan_to_num(0.0)
    close(leak, torch.zeros_like(got), says, atol=1e-6, **shown)


def test_present_and_past_stay(apply_causal_mask, draw):
    scores = scores_for(draw)
    result, got, shown = masked(apply_causal_mask, scores)
    says = "a query has lost keys that it may see: each one sees itself and all before it, with their scores unchanged"
    require(
        not bool(got.isnan().any()),
        says + " (a row of nothing but hidden keys gives nan)",
        expected=scores + hidden(scores),
        got=result,
    )
    close(got, oracle(scores), says, **shown)


def test_large_scores_are_hidden(apply_causal_mask, draw):
    scores = draw.normal(B, N, T, T, std=2)
    after = torch.ones(T, T, dtype=torch.bool).triu(1)
    scores[..., after] += 300.0  # what a query may not see outshines all that it may
    result, got, shown = masked(apply_causal_mask, scores)
    says = (
        "a large score on a later key still gets through: it must be far below all others, however large it was before"
    )
    close(got.nan_to_num(0.0), oracle(scores), says, **shown)


def test_fewer_queries_than_keys(apply_causal_mask, draw):
    scores = scores_for(draw, *RECTANGLES[draw.index % 2])
    result, got, shown = masked(apply_causal_mask, scores)
    says = (
        "with fewer queries than keys a query is left without any key (its row is nan): the last query sees every key"
    )
    require(not bool(got.isnan().any()), says, expected=scores + hidden(scores), got=result)
    says = (
        "with fewer queries than keys the mask is wrong: queries are the last positions, so the last one sees every key"
    )
    close(got, oracle(scores), says, **shown)


def probe_gradients(function, scores, direction):
    leaf = scores.clone().requires_grad_()
    result = function(leaf * 1.0)
    if result.requires_grad:
        (result.softmax(-1) * direction).sum().backward()
    return {"result": result, "gradient": leaf.grad}


def test_gradients(apply_causal_mask, draw):
    scores, direction = scores_for(draw), draw.normal(B, N, T, T)
    leaf = scores.clone().requires_grad_()
    after = torch.ones(T, T, dtype=torch.bool).triu(1)
    (leaf.masked_fill(after, -torch.inf).softmax(-1) * direction).sum().backward()
    out = apply_causal_mask.run(probe_gradients, scores, direction)
    require(
        out["gradient"] is not None,
        "no gradient flows back through the mask, so queries and keys would never be trained",
    )
    close(
        out["gradient"], leaf.grad, "the gradient through the mask is wrong: it must reach the visible scores unchanged"
    )
