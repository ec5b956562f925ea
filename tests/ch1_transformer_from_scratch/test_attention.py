"""Hidden tests of exercise 1.5. The fixture Attention is the class under test: the reference, a learner's, a mutant.

The oracle is torch's own scaled_dot_product_attention; scores have a standard deviation between 1 and 3.
"""

import torch
import torch.nn.functional as F

from utils.grade import close, only_parameters, require, shaped, takes_along
from utils.grade.probes import weighted

B, T, E, N, H, CONTEXT = 3, 5, 7, 2, 4, 9  # all different, N * H is not E, T is below the context


def make(draw):
    config = {
        "embedding_dimension": E,
        "vocabulary_size": 11,
        "context_length": CONTEXT,
        "attention_head_dimension": H,
        "num_attention_heads": N,
        "num_transformer_layers": 3,
        "mlp_dimension": 13,
        "layer_normalization_epsilon": 1e-5,
        "weight_initialization_range": 0.02,
        "device": "cpu",
    }
    weights = {name: draw.normal(N, E, H, std=1.3 / E**0.5) for name in ("W_Q", "W_K", "W_V")}
    weights |= {name: draw.normal(N, H, std=0.7) for name in ("b_Q", "b_K", "b_V")}
    return config, {**weights, "W_O": draw.normal(N, H, E, std=0.6), "b_O": draw.normal(E)}


def oracle(x, weights):
    """The whole, by torch's fused attention, head by head."""
    total = weights["b_O"].expand(x.shape)
    for n in range(N):
        q, k, v = (x @ weights["W_" + name][n] + weights["b_" + name][n] for name in "QKV")
        total = total + F.scaled_dot_product_attention(q, k, v, is_causal=True) @ weights["W_O"][n]
    return total


def run(Attention, config, weights, x):
    return Attention.forward(config, weights, x)["result"]


def test_shape_and_input(Attention, draw):
    config, weights = make(draw)
    x = draw.normal(B, T, E)
    out = Attention.forward(config, weights, x)
    shaped(out["result"], (B, T, E), "Attention must return a vector of width E for each position")
    close(out["args"][0], x, "the residual stream was changed in place: later layers still need it")
    says = "two calls on the same input differ: use the parameters unchanged and nothing random, such as dropout"
    close(run(Attention, config, weights, x), out["result"], says)
    only_parameters(out["extra"])


def test_single_token(Attention, draw):
    config, weights = make(draw)
    x = draw.normal(B, 1, E)
    says = (
        "a single token can only read itself, so its result must be its own value through W_O plus b_O: "
        "look at values, output matrix and their biases"
    )
    close(run(Attention, config, weights, x), oracle(x, weights), says, inputs={"residual": x})


def test_batch_rows_are_separate(Attention, draw):
    config, weights = make(draw)
    x = draw.normal(B, T, E)
    order = torch.tensor([2, 0, 1])
    whole, moved = run(Attention, config, weights, x), run(Attention, config, weights, x[order])
    says = "a row of the batch depends on the other rows: queries, keys and values must all come from the same row"
    close(moved, whole[order], says, inputs={"residual": x})
    close(run(Attention, config, weights, x[1:2]), whole[1:2], says, inputs={"residual": x})


def test_future_is_hidden(Attention, draw):
    config, weights = make(draw)
    x, at = draw.normal(B, T, E), draw.integer(1, T)
    changed = x.clone()
    changed[:, at:] = draw.normal(B, T - at, E)
    before, after = run(Attention, config, weights, x), run(Attention, config, weights, changed)
    says = (
        f"changing the tokens from position {at} on changes results before it: the future leaks (look at the mask, "
        "at the axis of the softmax, and at every view or reshape: they exchange no axes)"
    )
    close(after[:, :at], before[:, :at], says, atol=3e-5, inputs={"residual": x})


def test_equal_scores_give_the_average(Attention, draw):
    config, weights = make(draw)
    weights |= {"W_Q": torch.zeros(N, E, H), "b_Q": torch.zeros(N, H)}
    x = draw.normal(B, T, E)
    says = (
        "with all queries zero every position must read the plain average of the values of itself and all before it: "
        "look at the mask, at how scores become a pattern, and at the axes of the values that it mixes"
    )
    close(run(Attention, config, weights, x), oracle(x, weights), says, inputs={"residual": x})


def test_matches_torch(Attention, draw):
    config, weights = make(draw)
    x = draw.normal(B, T, E, std=1.3)
    says = (
        "values and mask are right, but who reads from whom is not: look at the scores "
        "(queries, keys, their biases, the scale)"
    )
    close(run(Attention, config, weights, x), oracle(x, weights), says, atol=3e-5, inputs={"residual": x})


@takes_along(weighted)
def probe_lengths(cls, config, weights, inputs):
    """The results of one module for sequences of several lengths, one after the other."""
    module, _ = weighted(cls, config, weights)
    return [module(x) for x in inputs]


def test_every_length(Attention, draw):
    config, weights = make(draw)
    inputs = [draw.normal(B, length, E) for length in (2, CONTEXT, T)]
    says = "one layer must serve texts of every length up to the context: keep nothing of the length it met first"
    for got, x in zip(Attention.run(probe_lengths, config, weights, inputs), inputs, strict=True):
        close(got, oracle(x, weights), f"{says} (here {x.shape[1]})", atol=3e-5, inputs={"residual": x})


def test_gradients(Attention, draw):
    config, weights = make(draw)
    x, seed = draw.normal(B, T, E), draw.seed
    out = Attention.gradients(config, weights, x, seed=seed)
    for name in weights:
        require(
            name in out["gradients"],
            f"{name} has no influence on the result, so it would never be trained: it is not used, or it is cut off",
        )
    leaves = {name: value.clone().requires_grad_() for name, value in weights.items()}
    direction = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
    (oracle(x, leaves) * direction).sum().backward()
    for name, leaf in leaves.items():
        close(
            out["gradients"][name],
            leaf.grad,
            f"the gradient of {name} is wrong: part of the path is cut off",
            atol=1e-3,
        )
