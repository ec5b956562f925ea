"""The form of the hidden tests, tried through a child process: function, module, training loop, operator object."""

import pytest
import torch

from utils.grade import LearnerError, Mismatch, Subject, close, require
from utils.grade.assess import Status, assess
from utils.grade.draw import Draw
from utils.grade.submission import Notebook

IMPORTS = "import torch\nfrom torch import nn, Tensor\nfrom jaxtyping import Float"
MASK = """def apply_causal_mask(scores: Float[Tensor, "B N T_Q T_K"]) -> Float[Tensor, "B N T_Q T_K"]:
    T_Q, T_K = scores.shape[-2:]
    future = torch.ones(T_Q, T_K, dtype=torch.bool).triu(1 + T_K - T_Q)
    return scores.masked_fill(future, float("-inf"))"""
NORM = """class LayerNorm(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.w = nn.Parameter(torch.ones(config.embedding_dimension))
        self.b = nn.Parameter(torch.zeros(config.embedding_dimension))

    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        variance = centred.pow(2).mean(-1, keepdim=True)
        return centred / (variance + self.config.layer_normalization_epsilon).sqrt() * self.w + self.b"""
STEP = """def train_step(model, optimizer, x, y):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()"""
SEQUENCE = """class SOp:
    def __init__(self, values): self.values = list(values)
    def __add__(self, other): return SOp(a + b for a, b in zip(self.values, other.values))
    def __eq__(self, other): return SOp(a == other for a in self.values)
    def __getitem__(self, i):
        if i >= len(self.values): raise IndexError(f"no element {i}")
        return self.values[i]"""
CELLS = [IMPORTS, MASK, NORM, STEP, SEQUENCE]
NAMES = ["apply_causal_mask", "LayerNorm", "train_step", "SOp"]


@pytest.fixture
def subject(box):
    def make(name, cells=CELLS):
        return Subject(name, box.runner(Notebook(cells, NAMES), name))

    return make


def losses(train_step, xs, ys, seed):
    """Losses of a few steps on a linear model, and its weights afterwards."""
    torch.manual_seed(seed)
    model = nn.Linear(xs.shape[-1], ys.shape[-1])  # noqa: F821 (nn comes with the probe)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    told = [train_step(model, optimizer, x, y) for x, y in zip(xs, ys, strict=True)]
    return {"losses": told, "weights": {name: p for name, p in model.named_parameters()}}


def operators(SOp, left, right):
    """Sum, comparison, and what an index outside does."""
    total = SOp(left) + SOp(right)
    return {"sum": [total[i] for i in range(len(left))], "equal": [(SOp(left) == left[0])[i] for i in range(len(left))]}


def beyond(SOp, values):
    return SOp(values)[len(values)]


def test_a_function(subject):
    scores = Draw(3).normal(2, 3, 4, 5)
    mask = subject("apply_causal_mask")
    out = mask.call(scores)
    future = torch.arange(5)[None] > torch.arange(4)[:, None] + 1
    close(out["result"].masked_fill(out["result"].isinf(), 0), scores.masked_fill(future, 0), "values")
    require(bool((out["result"].isinf() == future).all()), "the mask")
    close(out["args"][0], scores, "the input was changed")
    close(mask(scores), out["result"], "a second call")


def test_a_module_by_its_real_hidden_tests(box):
    notebook = Notebook(CELLS, NAMES)
    outcome = assess("ch1", "LayerNorm", box.runner(notebook, "LayerNorm"), seed=11)
    assert outcome.status is Status.FULL, outcome.says


def test_a_wrong_module_is_diagnosed(box):
    cells = [
        IMPORTS,
        NORM.replace("variance = centred.pow(2).mean(-1, keepdim=True)", "variance = x.var(-1, keepdim=True)"),
    ]
    outcome = assess("ch1", "LayerNorm", box.runner(Notebook(cells, NAMES), "LayerNorm"), seed=11)
    assert outcome.status is Status.WRONG
    assert outcome.mutant == "UnbiasedVariance"


def test_gradients_of_a_module(subject):
    draw = Draw(5)
    config = {"embedding_dimension": 6, "layer_normalization_epsilon": 1e-5}
    weights = {"w": draw.normal(6), "b": draw.normal(6)}
    out = subject("LayerNorm").gradients(config, weights, draw.normal(2, 3, 6), seed=4)
    assert set(out["gradients"]) == {"w", "b"}
    assert out["input_gradients"][0].shape == (2, 3, 6)


def test_a_training_loop(subject):
    draw = Draw(7)
    xs, ys = draw.normal(6, 8, 3), draw.normal(6, 8, 2)
    got = subject("train_step").run(losses, xs, ys, 9)
    torch.manual_seed(9)
    model = torch.nn.Linear(3, 2)
    expected = []
    for x, y in zip(xs, ys, strict=True):
        loss = (model(x) - y).pow(2).mean()
        expected.append(loss.item())
        grads = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for parameter, grad in zip(model.parameters(), grads, strict=True):
                parameter -= 0.1 * grad
    close(torch.tensor(got["losses"]), torch.tensor(expected), "losses")
    close(got["weights"]["weight"], model.weight.detach(), "weights")


def test_an_object_with_operators(subject):
    sop = subject("SOp")
    assert sop.run(operators, [1, 2, 1], [10, 20, 30]) == {"sum": [11, 22, 31], "equal": [True, False, True]}
    with pytest.raises(LearnerError) as caught:
        sop.run(beyond, [1, 2])
    assert (caught.value.kind, caught.value.text) == ("IndexError", "no element 2")
    assert caught.value.code.startswith("if i >= len") and caught.value.line == 6


def test_missing_weight_is_told(subject):
    with pytest.raises(Mismatch, match="no parameter called gain"):
        subject("LayerNorm").forward(
            {"embedding_dimension": 3, "layer_normalization_epsilon": 1e-5},
            {"gain": torch.ones(3)},
            torch.ones(1, 2, 3),
        )
