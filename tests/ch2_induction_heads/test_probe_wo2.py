"""Hidden tests of exercise 2.17. The fixture probe_wo2 is the function under test.

The oracle scores every pair in float64. Weights are drawn until no two candidates come so close that rounding could
decide between them, and until the shares are none that other ways of counting give.
"""

import torch

from utils.grade import close, require
from utils.grade.suite import draws

SIZES = ((8, 15, 32), (7, 13, 40))  # T, V, d by draw
MODELS = 4  # each with memories that are stored in part


def probe_recall(probe_wo2, several):
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
        result = probe_wo2(model)
        report["kept"] &= all(bool(value.equal(weights[key])) for key, value in model.state_dict().items())
        single = isinstance(result, (bool, int, float)) or (torch.is_tensor(result) and result.dim() == 0)
        report["results"].append(result if single else type(result).__name__)
    return report


def run(probe_wo2, several):
    got = probe_wo2.run(probe_recall, several)
    for result in got["results"]:
        require(result != "NoneType", "probe_wo2 returns nothing: return the share as one float")
        require(not isinstance(result, str), f"probe_wo2 returns a {result}: return the share as one float")
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


def maps_of(weights):
    return [weights[f"layers.{i}.attention.{name}.weight"].double() for i in (0, 1) for name in ("wv", "wo")]


def scores_of(weights):
    """The probe's definition: a row of logits for each attended token."""
    _, _, wv, wo = maps_of(weights)
    U = weights["output.weight"].double()
    return torch.stack([U @ (wo @ (wv @ e)) for e in weights["tok_embeddings.weight"].double()])


def others(weights):
    """Shares that other ways of counting give."""
    wv1, wo1, wv, wo = maps_of(weights)
    E, U = weights["tok_embeddings.weight"].double(), weights["output.weight"].double()
    right = E @ wv.T @ wo.T
    written = E @ wv1.T @ wo1.T
    streams = [right + E, E @ wo.T, E @ wv.T, E @ wo.T @ wv.T, E @ wv.T @ wo, E @ wv @ wo.T, E @ wv1.T @ wo.T]
    streams += [written, E @ wv @ wo, (E + written) @ wv.T @ wo.T, E]
    shares = [share(stream @ U.T) for stream in streams]
    logits = right @ U.T
    shares += [share(logits.T), share(right @ E.T), share(U @ wv.T @ wo.T @ U.T), share(logits.abs())]
    return [*shares, share(right @ unit(U).T), share(logits[:-1]), share(logits[1:, 1:])]


def whole(draw):
    """Every pair W_V^2 w_E(b) -> w_U(b) is stored with the same score, and nothing else."""
    weights = tables(draw)
    values = weights["tok_embeddings.weight"] @ weights["layers.1.attention.wv.weight"].T
    W = torch.linalg.pinv(weights["output.weight"]) @ torch.linalg.pinv(values).T
    weights["layers.1.attention.wo.weight"] = W * 0.001
    return (weights,)


def part(draw):
    """The pairs are stored with random strength, among pairs of other kinds."""
    weights = tables(draw)
    wv1, wo1, wv, wo = (matrix.float() for matrix in maps_of(weights))
    E, U = weights["tok_embeddings.weight"], unit(weights["output.weight"])
    kinds = [unit(E @ wv.T), unit(E), unit(E @ wv), unit(E @ wv1.T), unit(E @ wv.T)[draw.permutation(len(E))]]
    W = (U * draw.uniform(len(E), 1, low=0.5, high=2.0)).T @ kinds[0]
    for kind in kinds[1:]:
        W += (U * draw.uniform(len(E), 1, high=1.2)).T @ kind
    W -= (U * draw.uniform(len(E), 1, high=1.5)).T @ kinds[0][draw.permutation(len(E))]
    W += (kinds[0] * draw.uniform(len(E), 1, high=1.2)).T @ U + (unit(E) * draw.uniform(len(E), 1)).T @ kinds[0]
    weights["layers.1.attention.wo.weight"] = W
    return (weights,)


@draws(1)
def test_whole_memory(probe_wo2, draw):
    given = draw.once(whole)
    says = "a matrix that stores every pair W_V^2 w_E(b) -> w_U(b), and nothing else, has recall 1, whatever its scale"
    close(run(probe_wo2, [given]), torch.ones(1), says, name="the share")


def test_part_of_the_memory(probe_wo2, draw):
    several, values = draw.once(in_part)
    says = (
        "where W_O^2 holds some of the pairs only, the share is off: look at the way from the token's embedding to "
        "the logits, at what is added on it, and over what the largest is taken"
    )
    close(run(probe_wo2, several), values, says, name="the share")
