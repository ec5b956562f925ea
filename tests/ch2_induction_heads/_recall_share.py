"""What the hidden tests of the three probes share: models to probe, and the share of right answers in a score table."""

from pathlib import Path

import torch

from utils.grade import require
from utils.grade.probes import takes_along
from utils.grade.suite import load_file

ours = load_file(Path(__file__).with_name("_stand_in.py"))

MODELS = 4  # each with memories that are stored in part


@takes_along(ours.stand_in)
def probe_recall(probe, several):
    """Call the function on a small model for each (weights, its other arguments): results, and whether one changed."""
    report = {"results": [], "kept": True}
    for weights, *others in several:
        model = stand_in(weights)
        result = probe(model, *others)
        report["kept"] &= all(bool(value.equal(weights[key])) for key, value in model.state_dict().items())
        single = isinstance(result, (int, float)) and not isinstance(result, bool)
        kind = "tensor of several numbers" if torch.is_tensor(result) and result.ndim else type(result).__name__
        report["results"].append(result if single else kind)
    return report


def run(probe, several):
    """The shares that a probe (the subject of a hidden test) finds on several models."""
    got = probe.run(probe_recall, several)
    for result in got["results"]:
        require(result != "NoneType", f"{probe.name} returns nothing: return the share as one float")
        says = f"{probe.name} returns a {result}: return the share as one plain float"
        require(not isinstance(result, str), says + ", .item() makes one of a tensor" * (result == "Tensor"))
    require(got["kept"], "the model's weights were changed: a probe only reads them")
    return torch.tensor([float(result) for result in got["results"]])


def tables(draw, sizes):
    """A state dict for (T, V, d) = sizes."""
    T, V, D = sizes
    weights = {name: draw.normal(D, D, std=D**-0.5) for name in ours.maps()}
    weights |= {"tok_embeddings.weight": draw.normal(V, D), "output.weight": draw.normal(V, D, std=D**-0.5)}
    return weights | {"pe": draw.normal(T, D)}


def unit(x):
    """Every row at length 1."""
    return x / x.norm(dim=1, keepdim=True)


def share(scores, wanted=None):
    """How often a row's largest entry stands in the wanted column (by default the row's own number)."""
    wanted = torch.arange(len(scores)) if wanted is None else wanted
    return float((scores.argmax(1) == wanted).double().mean())


def margin(scores):
    """By how much the best candidate is ahead of the next, at the least."""
    top = scores.topk(2, dim=1).values
    return float(((top[:, 0] - top[:, 1]) / scores.std()).min())


def told_apart(draw, part, scores_of, others):
    """MODELS arguments by part(draw) whose shares are not those of any other way of counting, and the shares.

    `scores_of(*arguments)`: the score table; `others(*arguments)`: the shares that other ways of counting give.
    """
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
