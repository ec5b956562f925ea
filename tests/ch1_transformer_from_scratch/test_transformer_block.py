"""Hidden tests of exercise 1.8. The fixture TransformerBlock is the class under test.

Its four pieces are replaced by simple stand-ins inside the probe: only the wiring is judged.
"""

from pathlib import Path

import torch

from utils.grade import close, load_file, only_parameters, require, shaped

ours = load_file(Path(__file__).with_name("_stand_in.py"))

B, T, E = 3, 5, 7
CONFIG = {
    "embedding_dimension": E,
    "vocabulary_size": 11,
    "context_length": 9,
    "attention_head_dimension": 4,
    "num_attention_heads": 2,
    "num_transformer_layers": 3,
    "mlp_dimension": 13,
    "layer_normalization_epsilon": 1e-5,
    "weight_initialization_range": 0.02,
    "device": "cpu",
}
NAMES = ("layer_norm_1", "attention", "layer_norm_2", "mlp")


def make(draw):
    """Two matrices for each piece; attention also mixes positions."""
    weights = {name: draw.normal(E, E, std=0.4) for name in NAMES}
    return weights, draw.normal(B, T, E, std=1.5)


def probe_block(cls, config, weights, x, direction):
    """Run a block whose pieces are stand-ins: x -> tanh(x M), attention after a running sum over positions."""

    class StandIn(nn.Module):
        def __init__(self, name, matrix):
            super().__init__()
            self.matrix, self.running = nn.Parameter(matrix), name == "attention"

        def forward(self, x):
            x = x.cumsum(1) * 0.5 if self.running else x * 1.0  # a copy: autograd keeps none of the stream itself
            return torch.tanh(x @ self.matrix)

    block = cls(SimpleNamespace(**config))
    state = sorted(block.state_dict())  # in any order: what is compared with the known mistakes is which there are
    missing = [name for name in weights if not isinstance(getattr(block, name, None), nn.Module)]
    if missing:
        return {"problem": missing[0]}
    parts = [getattr(block, name) for name in weights]
    if len({id(part) for part in parts}) < len(parts):
        return {"shared": [parts.index(part) for part in parts]}
    stand_ins = [StandIn(name, matrix) for name, matrix in weights.items()]
    for parent in list(block.modules()):  # wherever a part is held, also in a Sequential beside its name
        for key, child in list(parent._modules.items()):
            at = [index for index, part in enumerate(parts) if part is child]
            if at:
                parent._modules[key] = stand_ins[at[0]]
    x = x.requires_grad_()
    inside = x * 1.0
    result = block(inside)
    after = inside.detach().clone()
    if isinstance(result, torch.Tensor) and result.requires_grad and result.shape == direction.shape:
        (result * direction).sum().backward()
    gradients = {name: part.matrix.grad for name, part in zip(weights, stand_ins, strict=True)}
    return {"result": result, "after": after, "gradients": gradients, "input": x.grad, "state": state}


def run(TransformerBlock, weights, x, direction=None):
    out = TransformerBlock.run(probe_block, CONFIG, weights, x, torch.ones(B, T, E) if direction is None else direction)
    if "problem" in out:
        says = f"the block has no part called {out['problem']}; the given __init__ makes it, so restore that"
        require(False, says)
    says = "two parts of the block are one and the same: two layer norms, attention and MLP, each with its own weights"
    require("shared" not in out, says)
    return out


def oracle(x, weights):
    """Pre-norm: each half reads a normalised copy and is added to the stream."""
    norm_1, attention, norm_2, mlp = (weights[name] for name in NAMES)
    x = x + torch.tanh(torch.tanh(x @ norm_1).cumsum(1) * 0.5 @ attention)
    return x + torch.tanh(torch.tanh(x @ norm_2) @ mlp)


def test_shape_and_input(TransformerBlock, draw):
    weights, x = make(draw)
    out = run(TransformerBlock, weights, x)
    shaped(out["result"], (B, T, E), "TransformerBlock must keep the shape of the residual stream")
    close(out["after"], x, "the residual stream was changed in place: add into a new tensor")
    says = "two calls on the same input differ: use the parts made in __init__ and nothing random, such as dropout"
    close(run(TransformerBlock, weights, x)["result"], out["result"], says)
    mine = [name for name in ours.random_weights(draw, CONFIG) if name.startswith("blocks.0.")]
    only_parameters([name for name in out["state"] if f"blocks.0.{name}" not in mine])


def test_attention_half(TransformerBlock, draw):
    weights, x = make(draw)
    weights["mlp"] = torch.zeros(E, E)  # the second half writes nothing
    got = run(TransformerBlock, weights, x)["result"]
    says = (
        "with an MLP that writes zeros the result must be the input plus attention of its normalised copy: "
        "look at the first residual, and at where layer_norm_1 is"
    )
    close(got, oracle(x, weights), says, inputs={"residual": x})


def test_mlp_half(TransformerBlock, draw):
    weights, x = make(draw)
    weights["attention"] = torch.zeros(E, E)  # the first half writes nothing
    got = run(TransformerBlock, weights, x)["result"]
    says = (
        "with an attention that writes zeros the result must be the input plus the MLP of its normalised copy: "
        "look at the second residual, and at where layer_norm_2 is"
    )
    close(got, oracle(x, weights), says, inputs={"residual": x})


def test_both_halves(TransformerBlock, draw):
    weights, x = make(draw)
    got = run(TransformerBlock, weights, x)["result"]
    says = (
        "each half alone is right, together they are not: look at what the second half reads, and what it is added to"
    )
    close(got, oracle(x, weights), says, inputs={"residual": x})


def test_gradients(TransformerBlock, draw):
    weights, x = make(draw)
    direction = draw.normal(B, T, E)
    out = run(TransformerBlock, weights, x, direction)
    leaves = {name: value.clone().requires_grad_() for name, value in {**weights, "input": x}.items()}
    (oracle(leaves["input"], leaves) * direction).sum().backward()
    for name, got in {**out["gradients"], "input": out["input"]}.items():
        says = f"the gradient does not fully reach {'the' if name == 'input' else 'the part'} {name}"
        says += ": something on the path is cut off (detach, .data or no_grad)"
        require(got is not None, says)
        close(got, leaves[name].grad, says, atol=1e-4)
