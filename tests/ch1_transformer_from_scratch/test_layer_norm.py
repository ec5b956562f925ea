"""Hidden tests of exercise 1.3. The fixture LayerNorm is the class under test: the reference, a learner's, a mutant."""

import torch
import torch.nn.functional as F

from utils.grade import close, only_parameters, require, shaped

B, T, E = 3, 5, 7  # all different: a mixed-up axis shows


def make(draw, epsilon=1e-5):
    """A config, and a random gain and bias (an answer that ignores them shows)."""
    config = {
        "embedding_dimension": E,
        "vocabulary_size": 11,
        "context_length": 9,
        "attention_head_dimension": 4,
        "num_attention_heads": 2,
        "num_transformer_layers": 3,
        "mlp_dimension": 13,
        "layer_normalization_epsilon": epsilon,
        "weight_initialization_range": 0.02,
        "device": "cpu",
    }
    return config, {"w": draw.normal(E, mean=1), "b": draw.normal(E)}


def torchs(x, weights, epsilon=1e-5):
    """The oracle: torch's own layer norm."""
    return F.layer_norm(x, (E,), weights["w"], weights["b"], epsilon)


def test_shape_and_input(LayerNorm, draw):
    config, weights = make(draw)
    x = draw.normal(B, T, E, std=3, mean=2)
    out = LayerNorm.forward(config, weights, x)
    shaped(out["result"], (B, T, E), "LayerNorm must keep the shape of its input", inputs={"residual": x})
    close(out["args"][0], x, "the residual stream was changed in place: later layers still need it")
    only_parameters(out["extra"])


def test_each_position_alone(LayerNorm, draw):
    config, weights = make(draw)
    x = draw.normal(B, T, E, std=3, mean=2)
    whole = LayerNorm.forward(config, weights, x)["result"]
    part = LayerNorm.forward(config, weights, x[:1, :2])["result"]
    says = "a position's result depends on other positions or rows: mean and variance are over the last axis only"
    close(whole[:1, :2], part, says, inputs={"residual": x})


def test_constant_row_gives_the_bias(LayerNorm, draw):
    config, weights = make(draw)
    eighths = (8 * draw.normal(B, T, 1)).round() / 8  # their mean is exact: no rounding noise to divide by epsilon
    x = eighths.expand(B, T, E).contiguous()
    out = LayerNorm.forward(config, weights, x)
    nan = isinstance(out["result"], torch.Tensor) and bool(out["result"].isnan().any())
    says = "a constant row gives nan: its variance is 0, and only epsilon under the root keeps it from 0 / 0"
    require(not nan, says, inputs={"residual": x})
    says = "a constant row must come out as the bias b: look at what is subtracted, and at how w and b are applied"
    close(out["result"], weights["b"].expand(B, T, E), says, atol=1e-3, inputs={"residual": x})


def test_matches_torch(LayerNorm, draw):
    config, weights = make(draw)
    x = draw.normal(B, T, E, std=3, mean=2)
    out = LayerNorm.forward(config, weights, x)
    says = (
        "a row doesn't come out with mean 0 and variance 1, times w plus b: look at the variance and at how w is used"
    )
    close(out["result"], torchs(x, weights), says, inputs={"residual": x})


def test_epsilon(LayerNorm, draw):
    config, weights = make(draw, epsilon=0.1)
    x = draw.normal(B, T, E, std=0.1, mean=2)
    out = LayerNorm.forward(config, weights, x)
    says = (
        "with a large epsilon and an almost constant row the result is wrong: look at where epsilon comes from, "
        "and at whether it is inside the root"
    )
    close(out["result"], torchs(x, weights, 0.1), says, inputs={"residual": x})


def test_gradients(LayerNorm, draw):
    config, weights = make(draw)
    x, seed = draw.normal(B, T, E, std=3, mean=2), draw.seed
    out = LayerNorm.gradients(config, weights, x, seed=seed)
    for name in ("w", "b"):
        require(name in out["gradients"], f"no gradient reaches {name}, so it would never be trained")
    leaf = x.clone().requires_grad_()
    direction = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
    (torchs(leaf, weights) * direction).sum().backward()
    says = "the gradient of the input is wrong: the mean and the variance depend on it too, so nothing may be cut off"
    close(out["input_gradients"][0], leaf.grad, says, atol=1e-4, inputs={"residual": x})
