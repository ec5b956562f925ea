"""Hidden tests of exercise 2.20. The fixture one_step is the function under test.

It works on a small memory transformer made in the probe; the oracle takes losses one by one.
"""

import torch
import torch.nn.functional as F

from utils.grade import close, raises, require
from utils.grade.suite import draws

B, T, D, V, ROWS = 3, 5, 8, 9, 7  # all different; ROWS positions, more than the tokens that come
NAMES = {"wk1": "layers.0.attention.wk.weight", "wk2": "layers.1.attention.wk.weight"}
NAMES |= {"wo2": "layers.1.attention.wo.weight"}


def probe_one_step(one_step, weights, turns):
    """Call it once for each (which, batches, eta) of `turns`, on one model: what came back, and the weights after."""

    class Attention(nn.Module):
        def __init__(self, number):
            super().__init__()
            for name in ("wk", "wv", "wo"):
                weight = weights[f"layers.{number}.attention.{name}.weight"]
                layer = nn.Linear(*weight.shape, bias=False)
                layer.weight = nn.Parameter(weight.clone(), requires_grad=name == "wk" or (number, name) == (1, "wo"))
                setattr(self, name, layer)

        def forward(self, x):
            hidden = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
            A = (x @ self.wk(x).mT / x.shape[-1] ** 0.5).masked_fill(hidden, -torch.inf).softmax(-1)
            return self.wo(A @ self.wv(x)), A

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            (vocab_size, dim), table = weights["tok_embeddings.weight"].shape, weights["pe"]
            self.cfg = SimpleNamespace(vocab_size=vocab_size, dim=dim, max_length=len(table))
            self.tok_embeddings = nn.Embedding.from_pretrained(weights["tok_embeddings.weight"].clone(), freeze=True)
            self.register_buffer("pe", table.clone())
            self.layers = nn.ModuleList(nn.ModuleDict({"attention": Attention(i)}) for i in range(2))
            self.output = nn.Linear(dim, vocab_size, bias=False)
            self.output.weight = nn.Parameter(weights["output.weight"].clone(), requires_grad=False)

        def forward(self, tokens):
            x = self.tok_embeddings(tokens) + self.pe[: tokens.shape[1]]
            for layer in self.layers:
                x = x + layer.attention(x)[0]
            return self.output(x)

    model, report = Model(), {"same": [], "kinds": [], "after": []}
    flags = [p.requires_grad for p in model.parameters()]
    for which, batches, eta in turns:
        result = one_step(model, which, [tuple(part.clone() for part in batch) for batch in batches], eta)
        report["same"].append(result is model)
        report["kinds"].append(type(result).__name__)
        report["after"].append({name: value.detach().clone() for name, value in model.state_dict().items()})
    return {**report, "flags": [p.requires_grad for p in model.parameters()] == flags}


def layer(weights, i, x):
    """What layer i adds to the stream x (B, T, d), by torch's fused attention."""
    wk, wv, wo = (weights[f"layers.{i}.attention.{name}.weight"] for name in ("wk", "wv", "wo"))
    return F.scaled_dot_product_attention(x, x @ wk.T, x @ wv.T, is_causal=True) @ wo.T


def masked_loss(weights, x, y, mask):
    """The mean of -log p(y) over the masked positions, one by one."""
    h0 = weights["tok_embeddings.weight"][x] + weights["pe"][: x.shape[1]]
    h1 = h0 + layer(weights, 0, h0)
    scores = (h1 + layer(weights, 1, h1)) @ weights["output.weight"].T
    losses = [scores[b, t].logsumexp(0) - scores[b, t, y[b, t]] for b, t in mask.nonzero().tolist()]
    return torch.stack(losses).mean() if losses else 0 * scores.sum()


def gradients(weights, names, batch):
    leaves = {name: weights[name].clone().requires_grad_() for name in names}
    loss = masked_loss(weights | leaves, *batch)
    return dict(zip(names, torch.autograd.grad(loss, list(leaves.values())), strict=True)), float(loss.detach())


def tables(draw):
    """A state dict; scores and logits have standard deviations of about 1."""
    maps = [f"layers.{i}.attention.{name}.weight" for i in (0, 1) for name in ("wk", "wv", "wo")]
    weights = {name: draw.normal(D, D, std=0.8 / D**0.5) for name in maps}
    weights |= {"tok_embeddings.weight": draw.normal(V, D), "output.weight": draw.normal(V, D, std=0.4)}
    return weights | {"pe": draw.normal(ROWS, D)}


def batch(draw, masked):
    """x, y and a mask with `masked` positions; y is no shift of x."""
    mask = torch.zeros(B * T, dtype=torch.bool)
    mask[draw.permutation(B * T)[:masked]] = True
    return draw.integers(0, V, B, T), draw.integers(0, V, B, T), mask.view(B, T)


def stepped(weights, which, batches, eta):
    """The oracle: the weights after one call."""
    name = NAMES[which]
    weights = weights | {name: torch.zeros(D, D)}
    slopes = [gradients(weights, [name], given)[0][name] for given in batches]
    return weights | {name: -eta * sum(slopes) / len(batches)}


def run(one_step, weights, turns):
    got = one_step.run(probe_one_step, weights, turns)
    says = f"one_step must return the model that it was given, changed in place, but returns a {got['kinds'][0]}"
    require(all(got["same"]), says + " of its own" * (got["kinds"][0] == "Model"))
    require(got["flags"], "afterwards other parameters require gradients than before: leave requires_grad as it is")
    return got["after"]


def turn(draw, weights, which, masks, eta=30.0):
    """The arguments of one call, and the weights that must come of it."""
    batches = [batch(draw, masked) for masked in masks]
    return (which, batches, eta), weights, stepped(weights, which, batches, eta)


def single(draw):
    weights = tables(draw)
    return weights, [turn(draw, weights, which, (5,), 5.0 + 20.0 * draw.index) for which in NAMES]


def several(draw):
    weights = tables(draw)
    return weights, [turn(draw, weights, which, (2, 9, 5, 0)[: 3 + draw.index]) for which in NAMES]


def in_turn(draw):
    weights, order, turns = tables(draw), [list(NAMES)[i] for i in draw.permutation(3)], []
    for which in [*order, order[0]]:
        turns.append(turn(draw, turns[-1][2] if turns else weights, which, (4, 7)))
    return weights, turns


def check(after, one, says):
    (which, _, _), before, wanted = one
    name = NAMES[which]
    for other in sorted(set(before) - set(NAMES.values())):
        require(bool(after[other].equal(before[other])), f"only {name} may change here, but {other} has changed")
    for other in NAMES.values():
        size = float(wanted[other].abs().max())
        text = f"{name} is off: {says}" if other == name else f"only {name} may change here, but {other} has changed"
        close(after[other], wanted[other], text, rtol=1e-3, atol=1e-3 * size + 1e-7, name=other)


@draws(1)
def test_only_that_matrix(one_step, draw):
    weights = tables(draw)
    for which, name in NAMES.items():
        (after,) = run(one_step, weights, [(which, [batch(draw, 4)], 0.0)])
        says = f"with which={which!r} and eta = 0 exactly {name} must become 0, and all else stay as it is"
        others = all(bool(after[other].equal(weights[other])) for other in set(weights) - {name})
        require(others and not after[name].any(), says)


@draws(1)
def test_one_batch(one_step, draw):
    weights, turns = draw.once(single)
    for one in turns:
        (after,) = run(one_step, weights, [one[0]])
        check(after, one, "it must be -eta times the gradient of the masked loss at zero")


def test_mean_over_batches(one_step, draw):
    weights, turns = draw.once(several)
    for one in turns:
        (after,) = run(one_step, weights, [one[0]])
        check(
            after, one, "with one batch it is right, with several it is not: the gradients, all at zero, are averaged"
        )


@draws(1)
def test_one_after_the_other(one_step, draw):
    weights, turns = draw.once(in_turn)
    for after, one in zip(run(one_step, weights, [one[0] for one in turns]), turns, strict=True):
        check(after, one, "the first call is right, a later one on the same model is not: something is left over")


@draws(1)
def test_unknown_matrix(one_step, draw):
    weights, name = tables(draw), ("wo1", "wv2", "wk0", "WK1")[draw.integer(0, 4)]
    with raises(f"which={name!r} names no matrix of the three: that must raise an error"):
        one_step.run(probe_one_step, weights, [(name, [batch(draw, 4)], 1.0)])
