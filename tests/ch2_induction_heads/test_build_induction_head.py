"""Hidden tests of exercise 2.18. The fixture build_induction_head is the function under test.

The probe hands back the matrices; what they do is measured here: as memories on the vectors that they store, and as an
induction head on sequences that the oracle draws and runs itself.
"""

from pathlib import Path

import torch

from utils.grade import close, require
from utils.grade.probes import takes_along
from utils.grade.suite import draws, load_file

ours = load_file(Path(__file__).with_name("_stand_in.py"))

WK1, WK2, WO2 = (f"layers.{i}.attention.{name}.weight" for i, name in ((0, "wk"), (1, "wk"), (1, "wo")))
SMALL = (7, 9, 24)  # T, V, d
LARGE = (64, 65, 256)
ALLOWED = 0.25  # ideal: without any cross-talk between the pairs
PLACES = {WK1: "p_{t-1} -> p_t", WK2: "w_1(q) -> w_E(q)", WO2: "W_V^2 w_E(b) -> w_U(b)"}


@takes_along(ours.stand_in)
def probe_build(build_induction_head, weights, turns):
    """For each (beta, triggers) of `turns` (None: left out) write into a fresh model; the matrices after."""

    memories = ("layers.0.attention.wk.weight", "layers.1.attention.wk.weight", "layers.1.attention.wo.weight")
    report = {"same": True, "kind": "", "flags": True, "changed": [], "after": []}
    for beta, triggers in turns:
        model = stand_in(weights)
        flags = [p.requires_grad for p in model.parameters()]
        given = {} if beta is None else {"beta": tuple(beta)}
        result = (
            build_induction_head(model, **given)
            if triggers is None
            else build_induction_head(model, triggers=triggers.clone(), **given)
        )
        report["same"] &= result is model
        report["kind"] = type(result).__name__
        report["flags"] &= [p.requires_grad for p in model.parameters()] == flags
        state = model.state_dict()
        report["changed"] += [name for name in weights if name not in memories and not state[name].equal(weights[name])]
        report["after"].append({name: state[name].detach().clone() for name in memories})
    return report


def tables(draw, sizes):
    """A state dict as torch's layers start: embeddings and positions normal, maps uniform."""
    T, V, d = sizes
    weights = {name: draw.uniform(d, d, low=-(d**-0.5), high=d**-0.5) for name in ours.maps()}
    weights |= {"tok_embeddings.weight": draw.normal(V, d), "pe": draw.normal(T, d)}
    return weights | {"output.weight": draw.uniform(V, d, low=-(d**-0.5), high=d**-0.5)}


def run(build_induction_head, weights, *turns):
    got = build_induction_head.run(probe_build, weights, list(turns))
    says = (
        f"build_induction_head must return the model that it was given, changed in place, but returns a {got['kind']}"
    )
    require(got["same"], says + " of its own" * (got["kind"] == "Model"))
    require(not got["changed"], f"{', '.join(sorted(set(got['changed'])))} has changed: only the three memories may")
    require(got["flags"], "afterwards other parameters require gradients than before: leave requires_grad as it is")
    for after in got["after"]:
        for name in (WK1, WK2, WO2):
            require(bool(after[name].isfinite().all()), f"{name} holds nan or infinity")
    return got["after"]


def pairs(weights, triggers):
    """For each memory the vectors (values, keys) that it should hold, row by row, and how its scores are scaled."""
    E, P = weights["tok_embeddings.weight"], weights["pe"]
    w_1 = E @ weights["layers.0.attention.wv.weight"].T @ weights["layers.0.attention.wo.weight"].T
    values = E @ weights["layers.1.attention.wv.weight"].T
    root = P.shape[1] ** 0.5
    return {
        WK1: (P[1:], P[:-1], root),
        WK2: (E[triggers], w_1[triggers], root),
        WO2: (weights["output.weight"], values, 1),
    }


def table(memory, values, keys, root):
    """Row i, column j: the score of value i with key j, as the model would see it."""
    return values @ memory @ keys.T / root


def sequences(draw, rows, length, V, triggers):
    """Tokens (rows, length + 1) of a random bigram language in which each trigger has one successor a sequence.

    Tokens are as frequent as Zipf's law has it, the triggers the most frequent of all.
    """
    ranks = torch.empty(V)
    ranks[torch.cat([triggers, torch.tensor([v for v in range(V) if v not in triggers.tolist()])])] = (
        torch.arange(V) + 1.0
    )
    language = (draw.normal(V, V) - 1.2 * (ranks + 2).log()).softmax(-1)
    outputs = (triggers + draw.integers(1, V, rows, len(triggers))) % V  # never the trigger itself
    tokens = draw.integers(0, V, rows, 1)
    for _ in range(length):
        last = tokens[:, -1]
        following = torch.multinomial(language[last], 1, generator=draw.generator)[:, 0]
        for j, trigger in enumerate(triggers):
            following = torch.where(last == trigger, outputs[:, j], following)
        tokens = torch.cat([tokens, following[:, None]], dim=1)
    return tokens


def seen_before(x):
    """Whether a position's token stands earlier in its row too."""
    return ((x[:, :, None] == x[:, None, :]).tril(-1)).any(-1)


def accuracy(weights, x, y, mask):
    """How often the model with these weights is right where the mask is true."""
    return float((ours.logits(weights, x).argmax(-1) == y)[mask].float().mean())


def small(draw):
    return tables(draw, SMALL), tables(draw, SMALL)


def large(draw):
    weights, triggers = tables(draw, LARGE), draw.permutation(LARGE[1])[:7]
    return weights, triggers, pairs(weights, triggers)


def text(draw):
    """Weights, triggers, sequences, and how well a head without any cross-talk does on them."""
    T, V, _ = LARGE
    weights, triggers = tables(draw, LARGE), draw.permutation(V)[:5]
    tokens = sequences(draw, 32, T, V, triggers)
    x, y = tokens[:, :-1], tokens[:, 1:]
    mask = torch.isin(x, triggers) & seen_before(x)
    ideal = {}
    for name, (values, keys, root) in pairs(weights, triggers).items():
        ideal[name] = 10 * root * torch.linalg.pinv(values) @ torch.linalg.pinv(keys).T
    return weights, triggers, (x, y, mask), accuracy(weights | ideal, x, y, mask)


@draws(1)
def test_in_place(build_induction_head, draw):
    weights, _ = draw.once(small)
    default, ten = run(build_induction_head, weights, (None, None), ((10.0, 10.0, 10.0), None))
    for name in (WK1, WK2, WO2):
        require(not default[name].equal(weights[name]), f"{name} is still as it was: it is one of the three memories")
        close(default[name], ten[name], f"{name} is not the same with beta=(10, 10, 10) as without beta", name=name)


@draws(1)
def test_what_is_stored(build_induction_head, draw):
    weights, triggers, wanted = draw.once(large)
    (after,) = run(build_induction_head, weights, (None, triggers))
    for name, (values, keys, root) in wanted.items():
        found = table(after[name], values, keys, root).argmax(1)
        recall = float((found == torch.arange(len(values))).float().mean())
        require(recall > 0.95, f"{name} does not hold the pairs {PLACES[name]}: only {recall:.0%} of them are recalled")
    P = weights["pe"]
    says = f"{WK1} also leads from the last position to the first, which has no predecessor: pairs start at t = 1"
    values, keys, root = wanted[WK1]
    stored = float(table(after[WK1], values, keys, root).diagonal().mean())  # how loud a pair is, is judged by itself
    require(float(P[0] @ after[WK1] @ P[-1]) / P.shape[1] ** 0.5 < 0.4 * stored, says)


@draws(1)
def test_scores(build_induction_head, draw):
    weights, triggers, wanted = draw.once(large)
    (after,) = run(build_induction_head, weights, (None, triggers))
    for name, (values, keys, root) in wanted.items():
        score = float(table(after[name], values, keys, root).diagonal().mean())
        kind = "logit" if name == WO2 else "attention score"
        says = f"{name} holds its pairs, but with beta = 10 a pair has the {kind} {score:.3g}"
        require(score > 2.5, says + ": that is too little")
        require(score < 40, says + ": that is too much")


@draws(1)
def test_triggers(build_induction_head, draw):
    weights, mixed = tables(draw, LARGE), draw.permutation(LARGE[1])
    some, every, none = run(build_induction_head, weights, (None, mixed[:5]), (None, None), (None, mixed[:0]))
    for after, inside in ((some, mixed[:5]), (every, mixed)):
        score = table(after[WK2], *pairs(weights, inside)[WK2]).diagonal()
        says = f"with {'triggers=None' if after is every else 'triggers given'} {WK2} must hold the pair of "
        require(float(score.min()) > 1.0, says + ("every token" if after is every else "each of them"))
    score = table(some[WK2], *pairs(weights, mixed[5:])[WK2]).diagonal()
    require(float(score.mean()) < 2.5, f"with triggers given {WK2} must hold the pairs of these tokens only")
    says = f"an empty tensor of triggers leaves {WK2} without a pair: only triggers=None means every token"
    require(not none[WK2].any(), says)
    says = "triggers is for W_K^2 alone: the two other memories hold all positions and all tokens"
    require(some[WK1].equal(every[WK1]) and some[WO2].equal(every[WO2]), says)


def test_each_beta(build_induction_head, draw):
    (weights, other), beta = draw.once(small), draw.uniform(3, low=1.0, high=4.0)
    triggers = draw.permutation(SMALL[1])[:4] if draw.index else None
    restarted = weights | {name: other[name] for name in (WK1, WK2, WO2)}
    (once,) = run(build_induction_head, restarted, (beta.tolist(), triggers))
    grown = [(beta * torch.tensor([2.5 if i == j else 1.0 for j in range(3)])).tolist() for i in range(3)]
    first, *more = run(build_induction_head, weights, *((each, triggers) for each in (beta.tolist(), *grown)))
    for i, name in enumerate((WK1, WK2, WO2)):
        for part in (WK1, WK2, WO2):
            says = f"beta[{i}] grows 2.5-fold, so {name} must grow 2.5-fold, and the other two must stay: {part} is off"
            close(more[i][part], first[part] * (2.5 if part == name else 1.0), says, rtol=1e-3, name=part)
        close(once[name], first[name], f"{name} still holds its random start: the memory replaces it", rtol=1e-3)


@draws(1)
def test_accuracy(build_induction_head, draw):
    """How good a head can be depends on the vectors drawn: it is compared with one built here on the same vectors."""
    weights, triggers, data, best = draw.once(text)
    (after,) = run(build_induction_head, weights, (None, triggers))
    got = accuracy(weights | after, *data)
    says = f"all three memories hold their pairs, but the head is right at only {got:.0%} of what it can know"
    require(got >= best - ALLOWED, says)
