"""Hidden tests of exercise 1.7. The fixture MLP is the class under test: the reference, a learner's, a mutant."""

import torch
import torch.nn.functional as F

from utils.grade import close, only_parameters, require, shaped

B, T, E, M = 3, 5, 7, 13  # all different: a mixed-up axis shows


def make(draw):
    config = {
        "embedding_dimension": E,
        "vocabulary_size": 11,
        "context_length": 9,
        "attention_head_dimension": 4,
        "num_attention_heads": 2,
        "num_transformer_layers": 3,
        "mlp_dimension": M,
        "layer_normalization_epsilon": 1e-5,
        "weight_initialization_range": 0.02,
        "device": "cpu",
    }
    weights = {
        "W_in": draw.normal(E, M, std=0.7),
        "b_in": draw.normal(M),
        "W_out": draw.normal(M, E),
        "b_out": draw.normal(E),
    }
    return config, weights


def oracle(x, weights):
    """Linear, tanh GELU, linear, by torch's own functions."""
    hidden = F.linear(x, weights["W_in"].T, weights["b_in"])
    return F.linear(F.gelu(hidden, approximate="tanh"), weights["W_out"].T, weights["b_out"])


def test_shape_and_input(MLP, draw):
    config, weights = make(draw)
    x = draw.normal(B, T, E)
    out = MLP.forward(config, weights, x)
    shaped(out["result"], (B, T, E), "MLP must return the width E that it was given")
    close(out["args"][0], x, "the residual stream was changed in place: later layers still need it")
    only_parameters(out["extra"])
    again = MLP.forward(config, weights, x)["result"]
    close(
        again,
        out["result"],
        "two calls on the same input differ: use the parameters unchanged and nothing random, such as dropout",
    )


def test_output_bias(MLP, draw):
    config, weights = make(draw)
    weights["W_out"] = torch.zeros(M, E)
    x = draw.normal(B, T, E)
    got = MLP.forward(config, weights, x)["result"]
    says = "with W_out all zero only the output bias b_out must be left: look at what is added at the end"
    close(got, weights["b_out"].expand(B, T, E), says, inputs={"residual": x})


def test_input_bias(MLP, draw):
    config, weights = make(draw)
    x = torch.zeros(B, T, E)
    got = MLP.forward(config, weights, x)["result"]
    says = "for zeros as input the result must come from b_in, then GELU, W_out and b_out: look at order and activation"
    close(got, oracle(x, weights), says, atol=1e-4, inputs={"residual": x})


def test_matches_torch(MLP, draw):
    config, weights = make(draw)
    x = draw.normal(B, T, E)
    got = MLP.forward(config, weights, x)["result"]
    says = "the result differs from linear, GELU with tanh, linear: look at the products and at what comes between"
    close(got, oracle(x, weights), says, atol=3e-5, inputs={"residual": x})


def test_gradients(MLP, draw):
    config, weights = make(draw)
    x, seed = draw.normal(B, T, E), draw.seed
    out = MLP.gradients(config, weights, x, seed=seed)
    for name in weights:
        require(name in out["gradients"], f"no gradient reaches {name}, so it would never be trained")
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
