"""Hidden tests of exercise 1.3. The fixture LayerNorm is the class under test: the reference, a learner's, a mutant."""

import torch.nn.functional as F

from utils.grade import close, require

B, T, E = 3, 5, 7  # all different: a mixed-up axis shows


def apply(LayerNorm, draw, x, epsilon=1e-5):
    """The layer's answer on x with random gain and bias (one that ignores them shows), and torch's."""
    w, b = draw.normal(E, mean=1), draw.normal(E)
    config = {"embedding_dimension": E, "layer_normalization_epsilon": epsilon}
    out = LayerNorm.forward(config, {"w": w, "b": b}, x)
    return out, F.layer_norm(x, (E,), w, b, epsilon)


def test_shape_and_input(LayerNorm, draw):
    x = draw.normal(B, T, E, std=3, mean=2)
    out, expected = apply(LayerNorm, draw, x)
    require(
        tuple(out["result"].shape) == (B, T, E),
        f"LayerNorm must keep the shape {(B, T, E)}, but it returns {tuple(out['result'].shape)}",
    )
    close(out["args"][0], x, "the residual stream was changed in place: later layers still need it")


def test_gain_and_bias_are_used(LayerNorm, draw):
    x = draw.normal(B, T, 1).expand(B, T, E).contiguous()
    out, expected = apply(LayerNorm, draw, x)
    close(out["result"], expected, "a constant row must come out as the bias b", atol=1e-3)


def test_each_position_alone(LayerNorm, draw):
    x = draw.normal(B, T, E, std=3, mean=2)
    w, b = draw.normal(E, mean=1), draw.normal(E)
    config = {"embedding_dimension": E, "layer_normalization_epsilon": 1e-5}
    whole = LayerNorm.forward(config, {"w": w, "b": b}, x)["result"]
    part = LayerNorm.forward(config, {"w": w, "b": b}, x[:1, :2])["result"]
    close(whole[:1, :2], part, "a position's result depends on other positions: the mean is over the last axis only")


def test_matches_torch(LayerNorm, draw):
    x = draw.normal(B, T, E, std=3, mean=2)
    out, expected = apply(LayerNorm, draw, x)
    close(out["result"], expected, "the result differs from torch's own layer norm", inputs={"residual": x})


def test_epsilon(LayerNorm, draw):
    x = draw.normal(B, T, E, std=1e-2, mean=2)
    out, expected = apply(LayerNorm, draw, x, epsilon=0.1)
    close(
        out["result"],
        expected,
        "with a large epsilon on an almost constant row the result is off: look at where epsilon comes from, "
        "and on which side of the root it stands",
        inputs={"residual": x},
    )
