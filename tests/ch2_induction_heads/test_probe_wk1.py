"""Hidden tests of exercise 2.15. The fixture probe_wk1 is the function under test.

The oracle scores every pair in float64. Weights are drawn until no two candidates come so close that rounding could
decide between them, and until the shares are none that other ways of counting give.
"""

import torch

from utils.grade import close, require
from utils.grade.suite import draws

SIZES = ((13, 11, 32), (15, 12, 40))  # T, V, d by draw
MODELS = 4  # each with memories that are stored in part


def probe_recall(probe_wk1, several):
    """Call the function on a small model for each set of weights: its results, and whether a model was changed."""

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

    report = {"results": [], "kept": True}
    for (weights,) in several:
        model = Model()
        result = probe_wk1(model)
        report["kept"] &= all(bool(value.equal(weights[key])) for key, value in model.state_dict().items())
        single = isinstance(result, (bool, int, float)) or (torch.is_tensor(result) and result.dim() == 0)
        report["results"].append(result if single else type(result).__name__)
    return report


def run(probe_wk1, several):
    got = probe_wk1.run(probe_recall, several)
    for result in got["results"]:
        require(result != "NoneType", "probe_wk1 returns nothing: return the share as one float")
        require(not isinstance(result, str), f"probe_wk1 returns a {result}: return the share as one float")
    require(got["kept"], "the model's weights were changed: a probe only reads them")
    return torch.tensor([float(result) for result in got["results"]])


def tables(draw):
    T, V, D = SIZES[draw.index % 2]
    maps = [f"layers.{i}.attention.{name}.weight" for i in (0, 1) for name in ("wk", "wv", "wo")]
    weights = {name: draw.normal(D, D, std=D**-0.5) for name in maps}
    weights |= {"tok_embeddings.weight": draw.normal(V, D), "output.weight": draw.normal(V, D, std=D**-0.5)}
    return weights | {"pe": draw.normal(T, D)}


def unit(x):
    return x / x.norm(dim=1, keepdim=True)


def share(scores, wanted=None):
    """How often a row's largest entry stands in the wanted column (by default the row's own number)."""
    wanted = torch.arange(len(scores)) if wanted is None else wanted
    return float((scores.argmax(1) == wanted).double().mean())


def margin(scores):
    """By how much the best candidate is ahead of the next, at the least."""
    top = scores.topk(2, dim=1).values
    return float(((top[:, 0] - top[:, 1]) / scores.std()).min())


def in_part(draw):
    """MODELS weights whose shares are not those of any other way of counting, and the shares."""
    while True:
        several = []
        while len(several) < MODELS:
            given = part(draw)
            table = scores_of(*given)
            if margin(table) > 1e-3 and 0.1 < share(table) < 0.95:
                several.append(given)
        values = [share(scores_of(*given)) for given in several]
        wrong = zip(*(others(*given) for given in several), strict=True)
        if all(sum(abs(a - b) > 1e-6 for a, b in zip(values, row, strict=True)) > 0 for row in wrong):
            return several, torch.tensor(values)


def scores_of(weights):
    """The probe's definition: t = 1 .. T-1 asks, s = 0 .. T-2 are the candidates; row i, column i is right."""
    P, W = weights["pe"].double(), weights["layers.0.attention.wk.weight"].double()
    keys = torch.stack([W @ p for p in P[:-1]])
    return torch.stack([torch.stack([q @ key for key in keys]) for q in P[1:]])


def others(weights):
    """Shares that other ways of counting give."""
    P, W = weights["pe"].double(), weights["layers.0.attention.wk.weight"].double()
    full, places = P @ W @ P.T, torch.arange(len(P))
    upper = torch.ones_like(full, dtype=torch.bool).triu()
    past, before = full.masked_fill(upper.triu(1), -torch.inf), full.masked_fill(upper, -torch.inf)
    rows = [share(table[1:], places[:-1]) for table in (full, past, before, full.T)]
    square = full[1:, :-1]
    rows += [
        share(full, places - 1),
        share(full),
        share(full[:-1], places[1:]),
        share(square) * len(square) / len(full),
    ]
    return [
        *rows,
        share(square.T),
        share(full.T[1:, :-1]),
        share((unit(P @ W.T) @ P.T).T[1:, :-1]),
        share(square.abs()),
    ]


def whole(draw):
    """Every pair p_{t-1} -> p_t is stored with the same score, and nothing else."""
    weights = tables(draw)
    P = weights["pe"]
    W = torch.linalg.pinv(P[1:]) @ torch.linalg.pinv(P[:-1]).T
    weights["layers.0.attention.wk.weight"] = W * 0.01
    return (weights,)


def part(draw):
    """The pairs are stored with random strength, among pairs of other kinds."""
    weights = tables(draw)
    P = unit(weights["pe"])
    T = len(P)
    pairs = [torch.outer(P[t], P[t - 1]) * draw.uniform(1, low=0.5, high=2.5) for t in range(1, T)]
    for asks, answers in ((range(T), range(T)), (range(T - 1), range(1, T)), (range(T), draw.permutation(T))):
        pairs += [torch.outer(P[t], P[s]) * draw.uniform(1, high=1.2) for t, s in zip(asks, answers, strict=True)]
    pairs += [torch.outer(p, P[-1]) * draw.uniform(1, high=1.6) for p in P]
    pairs += [-torch.outer(P[t], P[s]) * draw.uniform(1, high=1.6) for t, s in enumerate(draw.permutation(T))]
    weights["layers.0.attention.wk.weight"] = sum(pairs)
    return (weights,)


@draws(1)
def test_whole_memory(probe_wk1, draw):
    given = draw.once(whole)
    says = "a matrix that stores every pair p_{t-1} -> p_t, and nothing else, has recall 1, whatever its scale"
    close(run(probe_wk1, [given]), torch.ones(1), says, name="the share")


def test_part_of_the_memory(probe_wk1, draw):
    several, values = draw.once(in_part)
    says = (
        "where W_K^1 holds some of the pairs only, the share is off: look at which positions ask, which are "
        "candidates, and which candidate counts as right"
    )
    close(run(probe_wk1, several), values, says, name="the share")
