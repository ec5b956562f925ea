"""Hidden tests of exercise 3.28: a plan's matrices, written into the weights of an encoder.

The plan is drawn by the judge, and the encoder is a bare one: what counts is what each layer adds to the stream.
"""

import torch
from torch import nn

from utils.grade import close, require, shaped, takes_along

SIZES = (  # (D, D_V) of the heads, and the hidden units of the functions, by layer; a layer may lack either
    (((3, 4), (5, 2)), (2, 6)),
    (((4, 3),), ()),
    (((2, 2), (5, 5), (3, 1)), (1, 4, 2)),
    ((), (3,)),
)
E, VOCAB, LONGEST, CLASSES, HEADS, HEAD_WIDTH, MLP_WIDTH = 7, 4, 6, 3, 3, 5, 8


def bare_encoder(E, V, T, C, N, H, M, L):
    """An encoder's weights without its computation, all 0, under chapter 1's names."""
    from types import SimpleNamespace

    def holder(**shapes):
        found = nn.Module()
        for name, shape in shapes.items():
            setattr(found, name, nn.Parameter(torch.zeros(shape), requires_grad=False))
        return found

    def block():
        found = nn.Module()
        found.attention = holder(
            W_Q=(N, E, H), W_K=(N, E, H), W_V=(N, E, H), W_O=(N, H, E), b_Q=(N, H), b_K=(N, H), b_V=(N, H), b_O=(E,)
        )
        found.mlp = holder(W_in=(E, M), b_in=(M,), W_out=(M, E), b_out=(E,))
        return found

    encoder = nn.Module()
    encoder.embedding, encoder.positional_embedding = holder(W_E=(V, E)), holder(W_P=(T, E))
    encoder.blocks = nn.ModuleList(block() for _ in range(L))
    encoder.unembedding = holder(W_U=(E, C), b_U=(C,))
    names = "vocabulary_size embedding_dimension num_attention_heads attention_head_dimension mlp_dimension"
    encoder.config = SimpleNamespace(**dict(zip(names.split(), (V, E, N, H, M), strict=True)))
    encoder.config.num_transformer_layers, encoder.config.context_length, encoder.config.classes = L, T, C
    return encoder


@takes_along(bare_encoder)
def written(compile_rasp, plan):
    """Call the function with this plan and a bare encoder in the notebook's place; returns the encoder's weights."""
    import inspect
    from types import SimpleNamespace

    sizes = plan["sizes"]
    E, V, T, C, N, H, M, L = sizes

    def make_plan(*given, **named):
        heads, units = plan["heads"], plan["units"]
        return SimpleNamespace(
            **{name: plan[name] for name in ("W_E", "W_P", "W_U", "b_U")},
            heads_of=lambda layer: [tuple(head) for head in heads[layer]],
            units_of=lambda layer: [tuple(unit) for unit in units[layer]],
            values=list(range(C)), vocab=["a"] * (V - 1), n=T - 1, width=E, layers=L,
            most_heads=N, head_width=H, mlp_width=M,
        )  # fmt: skip

    def empty(plan, causal=False):
        return bare_encoder(*sizes)

    put = {"Plan": make_plan, "empty_encoder": empty}
    put |= dict.fromkeys(("selector_to_head", "aggregate_to_ov", "lookup_mlp", "step_mlp"))
    own = getattr(inspect.unwrap(getattr(compile_rasp, "func", compile_rasp)), "__globals__", {})
    if not isinstance(own.get("CompiledModel"), type):  # where a class is graded, the course's own modules are away
        put["CompiledModel"] = lambda encoder, *given, **named: SimpleNamespace(encoder=encoder)
    kept = {key: own[key] for key in put if key in own}
    own.update(put)
    try:
        found = compile_rasp(None, ["a"] * (V - 1), T - 1)
        encoder = getattr(found, "encoder", None)
        if encoder is None:
            return {"problem": type(found).__name__}
        return {name: value.detach().clone() for name, value in encoder.state_dict().items()}
    finally:
        for key in put:
            own.pop(key, None)
        own.update(kept)


def drawn(draw):
    """A plan whose layers have several heads and functions, all of different sizes."""
    heads, units = [], []
    for widths, functions in SIZES:
        heads.append([])
        for D, D_V in widths:
            shapes = ((E, D), (E, D), (E, D_V), (D_V, E))
            heads[-1].append([draw.normal(*shape) for shape in shapes])
        units.append([[draw.normal(E, M), draw.normal(M, E)] for M in functions])
    return {
        "sizes": [E, VOCAB + 1, LONGEST + 1, CLASSES, HEADS, HEAD_WIDTH, MLP_WIDTH, len(SIZES)],
        "heads": heads, "units": units,
        "W_E": draw.normal(VOCAB + 1, E), "W_P": draw.normal(LONGEST + 1, E),
        "W_U": draw.normal(E, CLASSES), "b_U": draw.normal(CLASSES),
    }  # fmt: skip


def weights(compile_rasp, plan):
    found = compile_rasp.run(written, plan)
    says = f"compile_rasp must return the CompiledModel of its encoder, not a {found.get('problem')}"
    require("problem" not in found, says)
    for name, value in bare_encoder(*plan["sizes"]).state_dict().items():
        shaped(found[name], value.shape, f"the encoder's {name} must keep its shape", dtype=value.dtype)
    return found


def attended(x, W_Q, W_K, W_V, W_O):
    """What one head adds to the stream, its scores divided by the root of its own width."""
    scores = (x @ W_Q) @ (x @ W_K).T / W_Q.shape[1] ** 0.5
    return scores.softmax(dim=1) @ (x @ W_V) @ W_O


def test_embeddings(compile_rasp, draw):
    plan = drawn(draw)
    found = weights(compile_rasp, plan)
    close(found["embedding.W_E"], plan["W_E"], "the token embedding must be the plan's W_E")
    close(found["positional_embedding.W_P"], plan["W_P"], "the position embedding must be the plan's W_P")


def test_attention(compile_rasp, draw):
    plan = drawn(draw)
    found, x = weights(compile_rasp, plan), draw.normal(5, E, std=0.7)
    for layer, heads in enumerate(plan["heads"]):
        matrices = [found[f"blocks.{layer}.attention.{name}"] for name in ("W_Q", "W_K", "W_V", "W_O")]
        got = sum(attended(x, *(W[n] for W in matrices)) for n in range(HEADS))
        says = "a layer's attention must add to the stream what the plan's heads of that layer add"
        wanted = sum((attended(x, *head) for head in heads), torch.zeros(5, E))
        close(got, wanted, says, name=f"what layer {layer}'s attention adds")


def test_mlps(compile_rasp, draw):
    plan = drawn(draw)
    found, x = weights(compile_rasp, plan), draw.normal(5, E)
    for layer, units in enumerate(plan["units"]):
        got = (x @ found[f"blocks.{layer}.mlp.W_in"]).relu() @ found[f"blocks.{layer}.mlp.W_out"]
        says = "a layer's MLP must add to the stream what the plan's functions of that layer add"
        wanted = sum(((x @ W_in).relu() @ W_out for W_in, W_out in units), torch.zeros(5, E))
        close(got, wanted, says, name=f"what layer {layer}'s MLP adds")


def test_unembedding(compile_rasp, draw):
    plan = drawn(draw)
    found = weights(compile_rasp, plan)
    close(found["unembedding.W_U"], plan["W_U"], "the unembedding must be the plan's W_U")
    close(found["unembedding.b_U"], plan["b_U"], "the bias of the unembedding must be the plan's b_U")


def test_the_rest_is_zero(compile_rasp, draw):
    plan = drawn(draw)
    found = weights(compile_rasp, plan)
    for name, value in found.items():
        if ".b_" in name and "unembedding" not in name:
            require(not value.any(), "the biases of attention and MLP must stay 0", got=value)
    for layer, heads in enumerate(plan["heads"]):
        used = sum(bool(W.any()) for W in found[f"blocks.{layer}.attention.W_O"])
        require(used == len(heads), "heads that the plan does not need must stay 0", expected=len(heads), got=used)
        for place, name in enumerate(("W_Q", "W_K", "W_V")):
            used = int(found[f"blocks.{layer}.attention.{name}"].any(dim=1).sum())
            wanted = sum(head[place].shape[1] for head in heads)
            says = f"{name} must stay 0 in the coordinates that no head of the plan uses"
            require(used <= wanted, says, expected=wanted, got=used)
        used, wanted = (
            int(found[f"blocks.{layer}.mlp.W_in"].any(dim=0).sum()), sum(W.shape[1] for W, _ in plan["units"][layer])
        )  # fmt: skip
        require(used <= wanted, "W_in must stay 0 for hidden units that the plan does not need", got=used)
