"""Hidden tests of exercise 2.3: what follows a trigger is judged exactly, what follows any other token by counting.

A right answer fails a count with probability below 4e-9.
"""

import torch

from utils.grade import RARE, equal, rarity, require
from utils.grade.judge import a_thing


def probe_tokens(sample_sequences, pi_u, pi_b, triggers, outputs, seq_len, seed):
    """One call: the tokens."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed + 1)
        return sample_sequences(pi_u, pi_b, triggers, outputs, seq_len, torch.Generator().manual_seed(seed))


def probe_form(sample_sequences, pi_u, pi_b, triggers, outputs, seq_len, seed):
    """One call: what came back, without the random tokens themselves, and the tables afterwards."""
    given = [pi_u, pi_b, triggers, outputs]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed + 1)
        got = sample_sequences(*given, seq_len, torch.Generator().manual_seed(seed))
    if not torch.is_tensor(got):
        return {"kind": type(got).__name__, "none": got is None}
    inside = bool(((got >= 0) & (got < len(pi_u))).all()) if not got.is_complex() else False
    return {"kind": "tensor", "shape": list(got.shape), "dtype": str(got.dtype), "inside": inside, "given": given}


def probe_shares(sample_sequences, pi_u, pi_b, triggers, outputs, seq_len, seed):
    """asin(sqrt(share)) of first tokens, of pairs of neighbours, and of rows and neighbours that agree."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed + 1)
        x = sample_sequences(pi_u, pi_b, triggers, outputs, seq_len, torch.Generator().manual_seed(seed)).long()
    V = len(pi_u)
    last, after = x[:, :-1].flatten().clamp(0, V - 1), x[:, 1:].flatten().clamp(0, V - 1)
    even = x[:, : x.shape[1] // 2 * 2]
    pairs = torch.bincount(last * V + after, minlength=V * V).view(V, V)
    visits = pairs.sum(1)
    shares = {
        "first": torch.bincount(x[:, 0].clamp(0, V - 1), minlength=V) / len(x),
        "followers": pairs / visits.clamp(min=1).view(V, 1),
        "starts agree": (x[0::2, 0] == x[1::2, 0]).double().mean(),
        "rows agree": (x[0::2] == x[1::2]).double().mean(),
        "neighbours agree": (even[:, 0::2] == even[:, 1::2]).double().mean(),
    }
    return {name: share.double().sqrt().asin() for name, share in shares.items()} | {"visits": visits / len(last)}


def probe_repeats(sample_sequences, pi_u, pi_b, triggers, outputs, seq_len, seeds):
    """Whether equal seeds give equal tokens and others do not."""
    runs = []
    with torch.random.fork_rng(devices=[]):
        for number, seed in enumerate(seeds):
            torch.manual_seed(1000 + number)
            generator = torch.Generator().manual_seed(seed)
            runs.append([sample_sequences(pi_u, pi_b, triggers, outputs, seq_len, generator) for _ in range(2)])
    first, again, other = runs
    starts = torch.equal(first[0][:, 0], again[0][:, 0])
    same = all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    return {"starts": starts, "same": same, "other": not torch.equal(first[0], other[0]),
            "moves": not torch.equal(*first)}  # fmt: skip


def chances(draw, V, std=1.0):
    """pi_u (V,) and pi_b (V, V), uneven, with a zero in every row of pi_b."""
    pi_b = (std * draw.normal(V, V)).softmax(1)
    for row, column in enumerate(draw.permutation(V)):
        pi_b[row, column] = 0.0
    return (std * draw.normal(V)).softmax(0), pi_b / pi_b.sum(1, keepdim=True)


def formed(sample_sequences, draw, pi_u, pi_b, triggers, outputs, seq_len):
    got = sample_sequences.run(probe_form, pi_u, pi_b, triggers, outputs, seq_len, draw.seed)
    kind = a_thing(None) if got.get("none") else f"a {got['kind']}"
    require(got["kind"] == "tensor", f"the result must be a tensor of tokens, but it is {kind}")
    shape, B = tuple(got["shape"]), len(triggers)
    says = (
        f"the result has shape {shape}, but for {B} sequences with seq_len = {seq_len} it should be {(B, seq_len + 1)}"
    )
    require(shape == (B, seq_len + 1), says)
    require(got["dtype"] == "torch.int64", f"token ids are int64, but the result has dtype {got['dtype']}")
    require(got["inside"], f"a token lies outside the vocabulary, which ends at {len(pi_u) - 1}")
    for now, before, name in zip(
        got["given"], (pi_u, pi_b, triggers, outputs), ("pi_u", "pi_b", "triggers", "outputs"), strict=True
    ):
        equal(now, before, f"the caller's {name} is different after the call: work on a copy")


def counted(sample_sequences, draw, pi_u, pi_b, triggers, outputs, seq_len):
    got = sample_sequences.run(
        probe_shares, pi_u, pi_b, triggers, outputs, seq_len, draw.seed, tolerance=4 / (len(triggers)) ** 0.5
    )
    return {name: value if name == "visits" else value.sin() ** 2 for name, value in got.items()}


def distinct(draw, B, k, V):
    return torch.stack([draw.permutation(V)[:k] for _ in range(B)])


def test_form(sample_sequences, draw):
    V, B, k = 7, 5 - 2 * draw.index, 2
    pi_u, pi_b = chances(draw, V)
    formed(sample_sequences, draw, pi_u, pi_b, distinct(draw, B, k, V), draw.integers(0, V, B, k), 4 + draw.index)


def test_first_token(sample_sequences, draw):
    V, B = 5, 900
    pi_u = torch.tensor([0.45, 0.3, 0.15, 0.1, 0.0])[draw.permutation(V)]
    _, pi_b = chances(draw, V, std=2.0)
    triggers = pi_u.argsort(descending=True)[[0, 3 - draw.index]].repeat(B, 1)  # a trigger may well come first
    got = counted(sample_sequences, draw, pi_u, pi_b, triggers, draw.integers(0, V, B, 2), 1 + draw.index)
    says = "the first token does not follow pi_u"
    require(rarity(got["first"], pi_u, B) < RARE, says, expected=pi_u, got=got["first"])
    agree = float(pi_u.double().square().sum())
    says = "neighbouring sequences start alike too often or too seldom: each draws its first token by itself"
    require(rarity(got["starts agree"], agree, B // 2) < RARE, says, expected=agree, got=got["starts agree"])


def test_after_a_trigger(sample_sequences, draw):
    """Every bigram row leads to one token, and all start with the same: nothing is left to chance."""
    V, B, k, T = 7, 40, 1 + 2 * draw.index, 8
    circle, follows = draw.permutation(V), torch.empty(V, dtype=torch.int64)
    follows[circle] = circle.roll(-1)  # through all of the tokens
    pi_b, pi_u = torch.eye(V)[follows], torch.eye(V)[draw.integer(0, V)]
    triggers, outputs = distinct(draw, B, k, V), draw.integers(0, V, B, k)
    got = sample_sequences.run(probe_tokens, pi_u, pi_b, triggers, outputs, T, draw.seed)
    right = torch.is_tensor(got) and got.shape == (B, T + 1)
    require(right, "the result must be a tensor (B, seq_len + 1)", got=got)
    for row in range(B):
        table = dict(enumerate(follows.tolist())) | dict(
            zip(triggers[row].tolist(), outputs[row].tolist(), strict=True)
        )
        tokens = got[row].tolist()
        for t in range(T):
            says = "after a trigger of its row must come that trigger's output, after any other token a bigram"
            shown = {"x": got[row], "triggers": triggers[row], "outputs": outputs[row]}
            require(table.get(tokens[t]) == tokens[t + 1], says, inputs=shown)


def test_every_draw_is_fresh(sample_sequences, draw):
    V, B, T = 6, 200, 7
    shares = torch.tensor([0.4, 0.25, 0.2, 0.1, 0.05, 0.0])[draw.permutation(V)]
    q = int(shares.argmin())  # a trigger that never comes up
    pi_b = shares.expand(V, V).clone()
    got = counted(sample_sequences, draw, shares, pi_b, torch.full((B, 1), q), torch.full((B, 1), q), T)
    agree = float(shares.double().square().sum())
    says = (
        "neighbouring sequences agree too often or too seldom: each draws its own tokens, from the row of its last one"
    )
    require(rarity(got["rows agree"], agree, B // 2 * (T + 1)) < RARE, says, expected=agree, got=got["rows agree"])
    says = (
        "neighbouring tokens agree too often or too seldom: at each position draw anew, from the row of the last token"
    )
    got = got["neighbours agree"]
    require(rarity(got, agree, B * ((T + 1) // 2)) < RARE, says, expected=agree, got=got)


def test_bigrams(sample_sequences, draw):
    V, B, T = 5, 300, 8
    pi_u, pi_b = chances(draw, V, std=1.5)
    pi_u = (pi_u + 0.2) / 2
    q = draw.integer(0, V)
    pi_u[q], pi_b[:, q] = 0.0, 0.0
    pi_u, pi_b = pi_u / pi_u.sum(), (pi_b + 1e-3) * (torch.arange(V) != q)
    pi_b = pi_b / pi_b.sum(1, keepdim=True)  # the trigger never comes up, and its output never does
    got = counted(sample_sequences, draw, pi_u, pi_b, torch.full((B, 1), q), torch.full((B, 1), q), T)
    says = "after a token that isn't a trigger, the next one does not follow its row of pi_b"
    for token in range(V):
        visits = round(float(got["visits"][token]) * B * T)
        if visits:
            shares = got["followers"][token]
            shown = {"expected": pi_b[token], "got": shares}
            require(rarity(shares, pi_b[token], visits) < RARE, says, **shown)


def test_rounded_tables(sample_sequences, draw):
    V, B, T = 6, 600, 4
    pi_u, pi_b = (1 - 0.02 * draw.uniform(1)) * torch.full((V,), 1 / V), torch.full((V, V), 0.163)
    triggers, outputs = draw.integers(0, V, B, 1), draw.integers(0, V, B, 1)
    got = sample_sequences.run(probe_form, pi_u, pi_b, triggers, outputs, T, draw.seed)
    says = "rows of pi_b that add up to a little less than 1, by rounding, lead to a token outside the vocabulary"
    require(got["kind"] == "tensor" and got["inside"], says)


def test_generator(sample_sequences, draw):
    V, B = 7, 30
    (pi_u, pi_b), seed = chances(draw, V), draw.seed % 1000
    triggers, outputs = distinct(draw, B, 2, V), draw.integers(0, V, B, 2)
    got = sample_sequences.run(probe_repeats, pi_u, pi_b, triggers, outputs, 2, [seed, seed, seed + 1])
    require(got["starts"], "with equal seeds the first tokens differ: hand the generator on to every draw")
    require(got["same"], "with equal seeds the sequences differ: hand the generator on to every draw")
    require(got["other"], "generators with different seeds give the same sequences: draw from the given generator")
    require(got["moves"], "two calls with one generator give the same sequences: do not seed it anew")


def test_no_triggers(sample_sequences, draw):
    V, B = 6, 3
    pi_u, pi_b = chances(draw, V)
    none = torch.empty(B, 0, dtype=torch.int64)
    formed(sample_sequences, draw, pi_u, pi_b, none, none.clone(), 1 + 3 * draw.index)
