"""Hidden tests of exercise 5.22. The fixture TinyLEA is the class under test; the oracle is made of functions."""

from pathlib import Path

import torch

from utils.grade import close, load_file, require

lea = load_file(Path(__file__).with_name("_lea_network.py"))
B, T, S, E = 3, 5, 3, 6


def probe_lea(cls, settings, weights, tokens, sentence, z):
    """What read and compose make of inputs, with these weights; the inputs afterwards."""
    model = cls(SimpleNamespace(**settings))
    named = dict(model.named_parameters())
    missing = [name for name in weights if name not in named or named[name].shape != weights[name].shape]
    if missing:
        return {"problem": missing[0]}
    with torch.no_grad():
        for name, value in weights.items():
            named[name].copy_(value)
    inputs = {"the sentence": sentence.clone().requires_grad_(), "z": z.clone().requires_grad_()}
    read, compose = model.read(tokens, inputs["the sentence"] * 1), model.compose(inputs["z"] * 1)
    (compose.sum() + read.square().sum()).backward()
    untrained = [name for name, leaf in (inputs | {n: named[n] for n in weights}).items() if leaf.grad is None]
    with torch.no_grad():
        model.read(tokens, sentence), model.compose(z)
    return {"read": read, "compose": compose, "untrained": untrained, "args": (tokens, sentence, z)}


def case(draw, kind):
    w = lea.weights(draw, kind)
    return w, draw.integers(0, 9, B, T), draw.normal(B, S, E), draw.normal(B, T, E)


def run(TinyLEA, draw, kind):
    w, tokens, sentence, z = case(draw, kind)
    got = TinyLEA.run(probe_lea, lea.SIZES | {"type": kind}, w, tokens, sentence, z)
    problem = got.get("problem")
    require(problem is None, f"the given __init__ makes {problem}, and here it is missing: restore that part")
    read = lea.run_blocks(w, kind, "reader", w["tokens.weight"][tokens], sentence)
    compose = lea.run_blocks(w, kind, "composer", w["slots"].expand(B, -1, -1), z)
    for name, before, after in zip(("tokens", "sentence", "z"), (tokens, sentence, z), got["args"], strict=True):
        close(after.float(), before.float(), f"{name} was changed in place: work on a new tensor")
    return got, read, compose


def test_read_factorised(TinyLEA, draw):
    got, read, _ = run(TinyLEA, draw, "factor")
    says = "read returns logits: it ends with its layer norm, and the head comes later"
    require(got["read"].shape != (B, T, lea.SIZES["vocab_size"]), says)
    says = (
        "read does not give the abstractions of the tokens: embed them, let every block of the reader hear the "
        "sentence, and end with the layer norm"
    )
    close(got["read"], read, says, name="what read returns")


def test_compose_factorised(TinyLEA, draw):
    got, _, compose = run(TinyLEA, draw, "factor")
    says = (
        "compose does not give the sentence about z: start from the slots of every board, let every block of the "
        "composer hear z, and end with the layer norm"
    )
    close(got["compose"], compose, says, name="what compose returns")


def test_vanilla(TinyLEA, draw):
    got, read, compose = run(TinyLEA, draw, "vanilla")
    says = "in the vanilla form read is off: tokens and sentence each get their positions added, once, by self.placed"
    close(got["read"], read, says, name="what read returns")
    says = "in the vanilla form compose is off: slots and z each get their positions added, once, by self.placed"
    close(got["compose"], compose, says, name="what compose returns")


def test_gradients(TinyLEA, draw):
    got, _, _ = run(TinyLEA, draw, "factor")
    says = f"no gradient reaches {', '.join(got['untrained'][:3])}, so it would never be trained"
    require(not got["untrained"], says)
