"""Hidden tests of exercise 2.16. The fixture probe_wk2 is the function under test.

The oracle scores every pair in float64. Weights are drawn until no two candidates come so close that rounding could
decide between them, and until the shares are none that other ways of counting give.
"""

import torch

from utils.grade import close, require
from utils.grade.suite import draws

SIZES = ((8, 17, 40), (7, 15, 32))  # T, V, d by draw
MODELS = 4  # each with memories that are stored in part


def probe_recall(probe_wk2, several):
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
    for weights, tokens in several:
        model = Model()
        result = probe_wk2(model, tokens)
        report["kept"] &= all(bool(value.equal(weights[key])) for key, value in model.state_dict().items())
        single = isinstance(result, (bool, int, float)) or (torch.is_tensor(result) and result.dim() == 0)
        report["results"].append(result if single else type(result).__name__)
    return report


def run(probe_wk2, several):
    got = probe_wk2.run(probe_recall, several)
    for result in got["results"]:
        require(result != "NoneType", "probe_wk2 returns nothing: return the share as one float")
        require(not isinstance(result, str), f"probe_wk2 returns a {result}: return the share as one float")
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


def matrices(weights):
    return weights["tok_embeddings.weight"], weights["layers.1.attention.wk.weight"]


def keys_of(weights):
    """Rows of what the first layer writes of each token (w_1), and of what other ways to it give."""
    E = weights["tok_embeddings.weight"]
    wv, wo, wv2, wo2 = (weights[f"layers.{i}.attention.{name}.weight"] for i in (0, 1) for name in ("wv", "wo"))
    w_1 = torch.stack([wo @ (wv @ e) for e in E])
    return [w_1, E, E @ wv.T, E @ wo.T, E @ wo.T @ wv.T, E @ wv @ wo, E @ wv2.T @ wo2.T, E + w_1]


def scores_of(weights, tokens):
    """The probe's definition: queries and candidates are the given tokens; row i, column i is right."""
    E, W, w_1 = (x.double() for x in (*matrices(weights), keys_of(weights)[0]))
    return torch.stack([torch.stack([E[i] @ (W @ w_1[j]) for j in tokens]) for i in tokens])


def others(weights, tokens):
    """Shares that other ways of counting give."""
    (E, W), (w_1, *keys) = matrices(weights), keys_of(weights)
    full = E @ W @ w_1.T
    right = full[tokens][:, tokens]
    shares = [share(E[tokens] @ W @ key[tokens].T) for key in keys]
    shares += [share(right, tokens), share(full[tokens], tokens), share(full[tokens]), share(full), share(right.T)]
    shares += [share(right.abs()), share(right) * len(tokens) / len(full), share(full[: len(tokens), : len(tokens)])]
    return [*shares, share(E[tokens] @ W.T @ w_1[tokens].T), share(E[tokens] @ unit(w_1[tokens] @ W.T).T)]


def whole(draw):
    """Every pair w_1(q) -> w_E(q) is stored with the same score; all tokens are asked, in another order."""
    weights = tables(draw)
    w_1 = keys_of(weights)[0]
    W = torch.linalg.pinv(weights["tok_embeddings.weight"]) @ torch.linalg.pinv(w_1).T
    weights["layers.1.attention.wk.weight"] = W * 0.01
    return weights, draw.permutation(len(w_1))


def part(draw):
    """The pairs are stored with random strength, among pairs of other kinds; a subset of the tokens is asked."""
    weights = tables(draw)
    E = unit(weights["tok_embeddings.weight"])
    keys = [unit(kind) for kind in keys_of(weights)]
    W = (E * draw.uniform(len(E), 1, low=0.5, high=2.5)).T @ keys[0]
    for kind in [*keys[1:], keys[0][draw.permutation(len(E))]]:
        W += (E * draw.uniform(len(E), 1, high=1.2)).T @ kind
    W -= (E * draw.uniform(len(E), 1, high=2.0)).T @ keys[0][draw.permutation(len(E))]
    weights["layers.1.attention.wk.weight"] = W + (keys[0] * draw.uniform(len(E), 1, high=2.0)).T @ E
    return weights, draw.permutation(len(E))[: 7 + draw.index]


@draws(1)
def test_whole_memory(probe_wk2, draw):
    given = draw.once(whole)
    says = "a matrix that stores every pair w_1(q) -> w_E(q), and nothing else, has recall 1, whatever its scale"
    close(run(probe_wk2, [given]), torch.ones(1), says, name="the share", inputs={"tokens": given[1]})


def test_part_of_the_memory(probe_wk2, draw):
    several, values = draw.once(in_part)
    says = (
        "where W_K^2 holds some of the pairs only, the share is off: look at what a query is, what a candidate has "
        "been through, and that both run over the given tokens alone"
    )
    close(run(probe_wk2, several), values, says, name="the share")
