"""Hidden tests of exercise 1.10. The fixture Transformer is the class under test.

Its parts are replaced by simple stand-ins inside the probe: only the wiring is judged.
"""

from pathlib import Path

import torch

from utils.grade import LearnerError, close, load_file, only_parameters, raises, require, shaped

ours = load_file(Path(__file__).with_name("_stand_in.py"))

B, T, E, V, CONTEXT = 3, 5, 7, 11, 9  # all different, the sequence is shorter than the context
LAYERS = (3, 4)  # number of blocks by draw
PARTS = ("embedding", "positional_embedding", "blocks", "final_layer_norm", "unembedding")


def make(draw):
    """A config, one matrix for each stand-in (`blocks` has several), and tokens."""
    layers = LAYERS[draw.index % 2]
    config = {
        "embedding_dimension": E,
        "vocabulary_size": V,
        "context_length": CONTEXT,
        "attention_head_dimension": 4,
        "num_attention_heads": 2,
        "num_transformer_layers": layers,
        "mlp_dimension": 13,
        "layer_normalization_epsilon": 1e-5,
        "weight_initialization_range": 0.02,
        "device": "cpu",
    }
    weights = {
        "embedding": draw.normal(V, E),
        "positional_embedding": draw.normal(CONTEXT, E),
        "blocks": [draw.normal(E, E, std=0.5) for _ in range(layers)],
        "final_layer_norm": draw.normal(E, E, std=0.5),
        "unembedding": draw.normal(E, V),
    }
    return config, weights, draw.integers(0, V, B, T)


def probe_transformer(cls, config, weights, tokens, direction):
    """Run a transformer whose parts are stand-ins: tables, tanh(x M) (blocks add it to x), and a product at the end."""

    class StandIn(nn.Module):
        def __init__(self, kind, matrix):
            super().__init__()
            self.kind, self.matrix = kind, nn.Parameter(matrix)
            if kind in ("embedding", "positional_embedding", "unembedding"):  # who ties the tables reads them by name
                self.register_parameter({"e": "W_E", "p": "W_P", "u": "W_U"}[kind[0]], self.matrix)

        def forward(self, x):
            wanted = {"embedding": x.dim() == 2 and not x.is_floating_point(), "positional_embedding": x.dim() == 2}
            if not wanted.get(self.kind, True):
                fed.append(self.kind)
                x = torch.zeros_like(tokens)
            if self.kind == "embedding":
                return self.matrix[x]
            if self.kind == "positional_embedding":
                return self.matrix[: x.shape[1]].expand(x.shape[0], -1, -1)
            if self.kind == "unembedding":
                return x @ self.matrix
            written = torch.tanh(x @ self.matrix)
            return x + written if self.kind == "blocks" else written

    fed = []
    model = cls(SimpleNamespace(**config))
    state = sorted(model.state_dict())
    for name in weights:
        part = getattr(model, name, None)
        if not isinstance(part, (nn.Module, list, tuple)) or (name == "blocks" and not hasattr(part, "__iter__")):
            return {"problem": name}
    made = list(model.blocks)
    blocks = {"count": len(made), "different": len({id(block) for block in made})}
    if len(made) == len(weights["blocks"]):
        for name, matrix in weights.items():
            if name != "blocks":
                old, new = getattr(model, name), StandIn(name, matrix)
                setattr(model, name, new)
                for parent in list(model.modules()):  # wherever a part is held, also in a Sequential beside its name
                    for key, child in list(parent._modules.items()):
                        if child is old:
                            parent._modules[key] = new
        if isinstance(model.blocks, tuple):
            model.blocks = made
        for index, matrix in enumerate(weights["blocks"]):
            model.blocks[index] = StandIn("blocks", matrix)
        stand_ins = [getattr(model, name).matrix for name in weights if name != "blocks"]
        inner = [block.matrix for block in model.blocks]
        found = {id(parameter) for parameter in model.parameters()}
        blocks["trained"] = all(id(matrix) in found for matrix in inner)
        result = model(tokens)
        if isinstance(result, torch.Tensor) and result.requires_grad and result.shape == direction.shape:
            (result * direction).sum().backward()
        names = [name for name in weights if name != "blocks"]
        gradients = {name: matrix.grad for name, matrix in zip(names, stand_ins, strict=True)}
        gradients["blocks"] = [matrix.grad for matrix in inner]
        told = {"blocks": blocks, "fed": fed, "state": state}
        return {**told, "result": result, "tokens": tokens, "gradients": gradients}
    return {"blocks": blocks}


def run(Transformer, config, weights, tokens, direction=None):
    direction = torch.ones(*tokens.shape, V) if direction is None else direction
    out = Transformer.run(probe_transformer, config, weights, tokens, direction)
    if "problem" in out:
        says = f"{out['problem']} is missing, or of another kind than the given __init__ makes it: restore that line"
        require(False, says)
    wanted = config["num_transformer_layers"]
    require(
        out["blocks"]["count"] == wanted,
        f"the model must hold num_transformer_layers blocks, here {wanted}, but it holds {out['blocks']['count']}",
    )
    return out


def oracle(tokens, weights):
    x = torch.stack([weights["embedding"][row] + weights["positional_embedding"][: len(row)] for row in tokens])
    for matrix in weights["blocks"]:
        x = x + torch.tanh(x @ matrix)
    return torch.tanh(x @ weights["final_layer_norm"]) @ weights["unembedding"]


def test_parts(Transformer, draw):
    config, weights, tokens = make(draw)
    out = run(Transformer, config, weights, tokens)
    says = "one block is used for every layer, so all layers share their weights: each layer has a block of its own"
    require(out["blocks"]["different"] == out["blocks"]["count"], says)
    says = "the blocks are kept where torch does not see them, so their weights would not be trained or saved"
    require(out["blocks"]["trained"], says)
    mine = ours.random_weights(draw, config)
    only_parameters([name for name in out["state"] if name not in mine])


def test_shape_and_input(Transformer, draw):
    config, weights, tokens = make(draw)
    out = run(Transformer, config, weights, tokens)
    shaped(out["result"], (B, T, V), "Transformer must return logits for every position, shape (B, T, V)")
    require(bool(out["tokens"].equal(tokens)), "the tokens were changed in place: they belong to the caller")
    require(
        not out["fed"],
        f"the {(out['fed'] or [''])[0]} was not given the tokens: both embeddings read the tokens, shape (B, T)",
    )
    says = "two calls on the same tokens differ: use the parts made in __init__ and nothing random, such as dropout"
    close(run(Transformer, config, weights, tokens)["result"], out["result"], says)


def test_whole_context(Transformer, draw):
    config, weights, _ = make(draw)
    tokens = draw.integers(0, V, B, CONTEXT)
    try:
        run(Transformer, config, weights, tokens, torch.ones(B, CONTEXT, V))
    except LearnerError as error:
        if error.kind != "ValueError":
            raise
        require(False, f"exactly context_length = {CONTEXT} tokens are refused, but they fit: {error.text}")


def test_too_long(Transformer, draw):
    config, weights, _ = make(draw)
    tokens = draw.integers(0, V, B, CONTEXT + 1 + draw.index)
    says = "more tokens than context_length must raise a ValueError, as the given lines do: cutting them off hides it"
    with raises(says, "ValueError"):
        Transformer.run(probe_transformer, config, weights, tokens, torch.ones(B, CONTEXT, V))


def test_around_the_blocks(Transformer, draw):
    config, weights, tokens = make(draw)
    weights["blocks"] = [torch.zeros(E, E) for _ in weights["blocks"]]  # blocks that write nothing
    got = run(Transformer, config, weights, tokens)["result"]
    says = (
        "with blocks that write nothing the logits are wrong: look at the sum of the two embeddings before the blocks, "
        "and at the final layer norm and the unembedding after them"
    )
    close(got, oracle(tokens, weights), says, inputs={"tokens": tokens})


def test_blocks(Transformer, draw):
    config, weights, tokens = make(draw)
    got = run(Transformer, config, weights, tokens)["result"]
    says = (
        "the start and the end are right, but the blocks between are not: each must run once, in order, on the stream "
        "that the one before returned, with the final layer norm after the last"
    )
    close(got, oracle(tokens, weights), says, inputs={"tokens": tokens})


def test_gradients(Transformer, draw):
    config, weights, tokens = make(draw)
    direction = draw.normal(B, T, V)
    got = run(Transformer, config, weights, tokens, direction)["gradients"]
    leaves = {name: value.clone().requires_grad_() for name, value in weights.items() if name != "blocks"}
    leaves["blocks"] = [value.clone().requires_grad_() for value in weights["blocks"]]
    (oracle(tokens, leaves) * direction).sum().backward()
    for name in PARTS:
        pairs = list(zip(got["blocks"], leaves["blocks"], strict=True))
        for gradient, leaf in pairs if name == "blocks" else [(got[name], leaves[name])]:
            says = f"the gradient does not fully reach {name}: something on the path is cut off (no_grad)"
            require(gradient is not None, says)
            close(gradient, leaf.grad, says, atol=1e-3)
