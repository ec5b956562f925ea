"""Hidden tests of exercise 1.9. The fixture Unembedding is the class under test."""

import torch
import torch.nn.functional as F

from utils.grade import close, only_parameters, require, shaped

B, T, E, V = 3, 5, 7, 11  # all different: a mixed-up axis shows


def make(draw):
    config = {
        "embedding_dimension": E,
        "vocabulary_size": V,
        "context_length": 9,
        "attention_head_dimension": 4,
        "num_attention_heads": 2,
        "num_transformer_layers": 3,
        "mlp_dimension": 13,
        "layer_normalization_epsilon": 1e-5,
        "weight_initialization_range": 0.02,
        "device": "cpu",
    }
    return config, {"W_U": draw.normal(E, V), "b_U": draw.normal(V)}  # not zero: a bias left out shows


def test_shape_and_input(Unembedding, draw):
    config, weights = make(draw)
    x = draw.normal(B, T, E)
    out = Unembedding.forward(config, weights, x)
    shaped(out["result"], (B, T, V), "Unembedding must return logits for every position, shape (B, T, V)")
    close(out["args"][0], x, "the residual stream was changed in place: it belongs to the caller")
    only_parameters(out["extra"])


def test_bias(Unembedding, draw):
    config, weights = make(draw)
    x = torch.zeros(B, T, E)
    got = Unembedding.forward(config, weights, x)["result"]
    says = "for an input of zeros the logits must be the bias b_U itself: look at how it is added, and what comes after"
    close(got, weights["b_U"].expand(B, T, V), says, inputs={"residual": x})


def test_matches_torch(Unembedding, draw):
    config, weights = make(draw)
    x = draw.normal(B, T, E)
    got = Unembedding.forward(config, weights, x)["result"]
    says = "the logits differ from the product of the input with W_U plus b_U: look at the product and what follows it"
    close(got, F.linear(x, weights["W_U"].T, weights["b_U"]), says, atol=3e-5, inputs={"residual": x})


def test_gradients(Unembedding, draw):
    config, weights = make(draw)
    x, seed = draw.normal(B, T, E), draw.seed
    out = Unembedding.gradients(config, weights, x, seed=seed)
    require("W_U" in out["gradients"], "no gradient reaches W_U, so it would never be trained: keep it in the graph")
    direction = torch.randn(B, T, V, generator=torch.Generator().manual_seed(seed))
    expected = torch.einsum("bte,btv->ev", x, direction)
    close(out["gradients"]["W_U"], expected, "the gradient of W_U is wrong: part of the path is cut off", atol=1e-4)
    says = "no gradient flows back from the logits to the input, so nothing before would be trained"
    require(out["input_gradients"][0] is not None, says)
    close(out["input_gradients"][0], direction @ weights["W_U"].T, "the gradient of the input is wrong", atol=1e-4)


def test_bias_is_not_trained(Unembedding, draw):
    config, weights = make(draw)
    out = Unembedding.gradients(config, weights, draw.normal(B, T, E), seed=draw.seed)
    require(
        "b_U" not in out["gradients"],
        "b_U receives a gradient: it is a constant here and must not be trained (look at where requires_grad is set)",
    )
