"""Hidden tests of exercise 2.21: logits of the simplified transformer from merged products.

The model that the learner's function gets has parts but no forward pass. The oracle adds up the two layers one sequence
and one position at a time, in float64, without merging anything.
"""

import torch

from utils.grade import close, draws, require, shaped

B, T, D, V, ROWS = 3, 6, 10, 13, 9  # all different; more positions than tokens
MAPS = [f"layers.{layer}.attention.{name}.weight" for layer in (0, 1) for name in ("wk", "wv", "wo")]


def probe_logits(merged_logits, weights, tokens):
    """Call the function on a model that holds these weights and cannot be called.

    Its result, whether all was left alone, and how many multiplications torch's matrix products took.
    """
    from torch.utils.flop_counter import FlopCounterMode

    class Parts(nn.Module):
        def forward(self, *_):
            raise RuntimeError("the model cannot be called here: its logits are to be computed from its parts")

    def linear(weight):
        layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        layer.weight = nn.Parameter(weight.clone())
        return layer

    model = Parts()
    vocab_size, dim = weights["tok_embeddings.weight"].shape
    model.cfg = SimpleNamespace(vocab_size=vocab_size, dim=dim, max_length=len(weights["pe"]))
    model.tok_embeddings = nn.Embedding.from_pretrained(weights["tok_embeddings.weight"].clone())
    model.register_buffer("pe", weights["pe"].clone())
    model.layers = nn.ModuleList()
    for i in (0, 1):
        attention = Parts()
        attention.dim = dim
        for name in ("wk", "wv", "wo"):
            setattr(attention, name, linear(weights[f"layers.{i}.attention.{name}.weight"]))
        model.layers.append(nn.ModuleDict({"attention": attention}))
    model.output = linear(weights["output.weight"])
    kept = tokens.clone()
    with FlopCounterMode(display=False) as counter:
        result = merged_logits(model, tokens)
    same = all(bool(value.equal(weights[key])) for key, value in model.state_dict().items())
    products = counter.get_total_flops() // 2  # a product and a sum each
    report = {"kept": same and bool(tokens.equal(kept)), "result": result, "products": products}
    if not torch.is_tensor(result):
        report["result"] = type(result).__name__
    return report


def make(draw, length=T, rows=B):
    weights = {name: draw.normal(D, D, std=0.9 / D**0.5) for name in MAPS}
    weights |= {"tok_embeddings.weight": draw.normal(V, D), "pe": draw.normal(ROWS, D)}
    return weights | {"output.weight": draw.normal(V, D, std=0.5)}, draw.integers(0, V, rows, length)


def oracle(weights, tokens):
    w = {name: value.double() for name, value in weights.items()}
    rows = []
    for row in tokens:
        stream = [w["tok_embeddings.weight"][z] + w["pe"][t] for t, z in enumerate(row)]
        for wk, wv, wo in (MAPS[:3], MAPS[3:]):
            written = []
            for t, query in enumerate(stream):
                seen = stream[: t + 1]
                shares = torch.stack([query @ (w[wk] @ key) / D**0.5 for key in seen]).softmax(0)
                written.append(w[wo] @ sum(a * (w[wv] @ value) for a, value in zip(shares, seen, strict=True)))
            stream = [x + out for x, out in zip(stream, written, strict=True)]
        rows.append(torch.stack([w["output.weight"] @ x for x in stream]))
    return torch.stack(rows).float()


def run(merged_logits, weights, tokens):
    got = merged_logits.run(probe_logits, weights, tokens)
    kind = got["result"]
    require(not isinstance(kind, str), f"merged_logits must return the logits, but returns {kind}")
    require(got["kept"], "the model's weights or the tokens were changed: they are only to be read")
    shaped(kind, (*tokens.shape, V), "the logits must have the shape (B, T, V)")
    return kind, got["products"]


def test_layers_that_write_nothing(merged_logits, draw):
    weights, tokens = make(draw)
    weights |= {MAPS[2]: torch.zeros(D, D), MAPS[5]: torch.zeros(D, D)}
    says = "with both W_O = 0 the logits must be those of token embedding plus position, through the output map"
    close(run(merged_logits, weights, tokens)[0], oracle(weights, tokens), says, inputs={"tokens": tokens})


def test_first_layer(merged_logits, draw):
    weights, tokens = make(draw)
    weights |= {MAPS[5]: torch.zeros(D, D)}
    says = "with W_O = 0 in the second layer the logits must be those of the stream after the first: look at its tables"
    close(run(merged_logits, weights, tokens)[0], oracle(weights, tokens), says, inputs={"tokens": tokens})


def test_both_layers(merged_logits, draw):
    for length in (T, 1, ROWS):
        weights, tokens = make(draw, length)
        says = "the logits are not the model's: look at how the second layer reads the stream and reaches the logits"
        close(run(merged_logits, weights, tokens)[0], oracle(weights, tokens), says, inputs={"tokens": tokens})


@draws(1)
def test_fewer_multiplications(merged_logits, draw):
    rows = 24  # far more positions than there are tokens and places
    weights, tokens = make(draw, ROWS, rows)
    _, products = run(merged_logits, weights, tokens)
    positions = rows * ROWS
    as_written = positions * (6 * D * D + 4 * ROWS * D + V * D)  # six maps, two times scores and mixing, the output
    says = f"the logits are right, but take {products:,} multiplications, and the model as it is written {as_written:,}"
    require(products < as_written, f"{says}: make once what does not depend on the batch, and look it up")
