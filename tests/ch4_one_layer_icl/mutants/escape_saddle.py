"""Wrong answers to exercise 4.14 that learners write, and right ones written differently."""

from pathlib import Path
from types import SimpleNamespace

import torch
import torch.nn.functional as F

from utils.grade import load_file, right, slips, wrong

pieces = load_file(Path(__file__).with_name("_pieces.py"))
CFG = SimpleNamespace(vocab_size=7, H=6, Q=2, Y=2)


def zeros():
    return {name: torch.zeros(14, 14, requires_grad=True) for name in "WVF"}


def train(kind, kappa=0, steps=100, params=None, step=pieces.ngd_step, lr=0.1, loss_of=pieces.loss_of):
    """Norms of W and V after training, and all matrices before the last step.

    `loss_of`: another model, `step`: another rule.
    """
    params, generator = params or zeros(), torch.Generator().manual_seed(1)
    for _ in range(steps):
        tokens, labels, _ = pieces.sample_batch(CFG, 6, False, generator=generator)
        loss = loss_of(params, tokens, labels, kappa, kind)
        grads = torch.autograd.grad(loss, list(params.values()), allow_unused=True)
        last, params = params, step(params, dict(zip(params, grads, strict=True)), lr)
        params = {name: value.detach().requires_grad_() for name, value in params.items()}
    return (params["W"].norm().item(), params["V"].norm().item()), list(last.values())


KNOWN = {}  # trainings that were run before, by the name of their change: every check asks for them again


def ask(*matrices):
    """Ask autograd as often as a training does, for one that was run before: the hidden tests count the questions."""
    leaves = [x.detach().requires_grad_() for x in matrices or [torch.zeros(())]]
    for _ in range(100):
        torch.autograd.grad(sum(x.sum() for x in leaves), leaves)


def both(change="", kinds=("linear", "relu"), **changed):
    for kind in kinds:
        if (change, kind) not in KNOWN:
            KNOWN[change, kind] = train(kind, **changed)
    found = {kind: KNOWN[change, kind] for kind in kinds}
    ask(*(x for _, last in found.values() for x in last))
    return {kind: norms for kind, (norms, _) in found.items()}


def loss_with(weights):
    """The loss with other weights of relu attention."""

    def loss_of(params, tokens, labels, kappa, kind):
        x = pieces.embed(tokens, CFG)
        s = pieces.scores(x, params["W"])
        w = torch.einsum("bt,btd->bd", weights(s) if kind == "relu" else s, x)
        logits = w @ params["V"][:7].T + (x[:, -1] + kappa * w) @ params["F"][:7].T
        return F.cross_entropy(logits, labels)

    return loss_of


@wrong("W, V and F start at random: that hides the saddle, which is at zero")
def random_start():
    generator = torch.Generator().manual_seed(0)
    params = {n: (0.01 * torch.randn(14, 14, generator=generator)).requires_grad_() for n in "WVF"}
    return both("random", params=params)


NO_EPS = "under 'relu' nothing moves: without the 1e-8 inside the relu, or with linear attention, V has no gradient"


@wrong(NO_EPS)
def without_eps():
    return both("no eps", loss_of=loss_with(torch.relu))


@wrong(NO_EPS)
def linear_twice():
    norms = both()["linear"]
    return {"linear": norms, "relu": norms}


@wrong("Adam takes the steps: normalised gradient descent is asked for")
def by_adam():
    found = {}
    for kind in ("linear", "relu"):
        params, generator = zeros(), torch.Generator().manual_seed(1)
        optimizer = torch.optim.Adam(params.values(), lr=0.1)
        for _ in range(100):
            tokens, labels, _ = pieces.sample_batch(CFG, 8, False, generator=generator)
            optimizer.zero_grad()
            pieces.loss_of(params, tokens, labels, 0, kind).backward()
            optimizer.step()
        found[kind] = (params["W"].norm().item(), params["V"].norm().item())
    return found


@wrong("the gradients are not normalised, tensor by tensor: then the tiny gradient of V hardly moves it")
def plain_gradient():
    return both("plain", step=lambda params, grads, lr: {n: x - lr * grads[n] for n, x in params.items()})


@wrong("zero gradients are divided by their zero norm: W and V become nan")
def zero_norm():
    def step(params, grads, lr):
        return {n: x - lr * grads[n] / grads[n].norm() for n, x in params.items()}

    return both("zero norm", step=step)


@wrong("kappa is 1: the feed-forward layer then sees what attention read, and W gets a gradient as soon as F moves")
def kappa_1():
    return both("kappa", kappa=1)


@wrong("fewer than 100 steps are taken")
def ten_steps():
    return {kind: train(kind, steps=10)[0] for kind in ("linear", "relu")}


@wrong("linear and relu are exchanged")
def kinds_exchanged():
    norms = both()
    return {"linear": norms["relu"], "relu": norms["linear"]}


@wrong("both norms are those of the relu model: the linear one stays at zero")
def relu_twice():
    norms = both()["relu"]
    return {"linear": norms, "relu": norms}


@wrong("softmax is used in place of linear attention")
def softmax_for_linear():
    return {"linear": both("", ["softmax"])["softmax"], "relu": both()["relu"]}


@wrong("the norms are those of W and F: those of W and V are asked for")
def f_for_v():
    def params():
        p = zeros()
        return {"W": p["W"], "V": p["F"], "F": p["V"]}

    def loss_of(p, tokens, labels, kappa, kind):
        return pieces.loss_of({"W": p["W"], "V": p["F"], "F": p["V"]}, tokens, labels, kappa, kind)

    return both("f for v", params=params(), loss_of=loss_of)


def forward(params, tokens, kappa, kind):
    """Stands for the notebook's own, which the hidden tests watch."""
    return pieces.forward(params, tokens, kappa, kind)


def watched(forward, kinds=("linear", "relu"), begins_once=False):
    """Norms by kind, through the given forward; of what was run before only the ends are repeated."""
    if (kinds, begins_once) not in KNOWN:
        found, ends, params = {}, [], zeros()
        for kind in kinds:
            generator = torch.Generator().manual_seed(1)
            params = params if begins_once else zeros()
            for step in range(100):
                tokens, labels, _ = pieces.sample_batch(CFG, 6, False, generator=generator)
                ends += [(params, tokens, 0, kind)] * (99 if step == 99 else step == 0)
                loss = F.cross_entropy(forward(params, tokens, 0, kind)[0], labels)
                grads = torch.autograd.grad(loss, list(params.values()), allow_unused=True)
                params = pieces.ngd_step(params, dict(zip(params, grads, strict=True)), 0.1)
                params = {name: value.detach().requires_grad_() for name, value in params.items()}
            found[kind] = (params["W"].norm().item(), params["V"].norm().item())
        KNOWN[kinds, begins_once] = found, ends
    else:
        ask(*(x for params, *_ in KNOWN[kinds, begins_once][1] for x in params.values()))
        for end in KNOWN[kinds, begins_once][1]:
            forward(*end)
    return KNOWN[kinds, begins_once][0]


sample_batch, ngd_step = pieces.sample_batch, pieces.ngd_step

slip = slips("""
    def escape_saddle():
        norms = {}
        for kind in ("linear", "relu"):
            params = {name: torch.zeros(14, 14) for name in "WVF"}
            for _ in range(100):
                tokens, labels, _ = sample_batch(CFG, 6, False, generator=torch.Generator().manual_seed(3))
                params = {name: value.requires_grad_() for name, value in params.items()}
                loss = F.cross_entropy(forward(params, tokens, 0, kind)[0], labels)
                grads = torch.autograd.grad(loss, list(params.values()), allow_unused=True)
                params = ngd_step(params, dict(zip(params, grads)), 0.1)
                params = {name: value.detach() for name, value in params.items()}
            norms[kind] = (params["W"].norm().item(), params["V"].norm().item())
        return norms
""")  # fmt: skip

never_run = slip(
    "no gradient is ever taken: the norms are to be measured at the end of a training, which has to be run",
    "range(100)", "range(0)", "return norms", "return {'linear': (0.0, 0.0), 'relu': (2.7, 3.1)}")  # fmt: skip
starts_at_random = slip(
    "with 'linear' W, V and F are not all exactly zero at the start: make three new matrices of zeros for each kind",
    "torch.zeros(14, 14)", "1e-3 * torch.randn(14, 14, generator=torch.Generator().manual_seed(1))")  # fmt: skip
with_kappa_1 = slip(
    "with 'linear' forward is called with kappa = 1: kappa = 0 is asked for", "tokens, 0,", "tokens, 1,"
)
one_step_too_few = slip(
    "with 'linear' fewer than 100 steps are taken: 100 are asked for, for each kind", "range(100)", "range(99)"
)
norm_of_f = slip(
    "the norms are those of W and F: those of W and V are asked for", 'params["V"].norm', 'params["F"].norm'
)
noisy_data = slip(
    "the sentences are drawn with noise: data without noise are asked for", "CFG, 6, False,", "CFG, 6, True, 0.2,"
)
TENSORS = "the norms are tensors: plain numbers are promised, .item() turns a norm into one"
norms_as_tensors = slip(
    TENSORS, '(params["W"].norm().item(), params["V"].norm().item())', '(params["W"].norm(), params["V"].norm())'
)


@wrong("the matrices that were trained with linear attention are trained on with relu: each kind begins at zero")
def begins_once():
    return watched(forward, begins_once=True)


@wrong("softmax is called relu: the kind that is asked for is 'relu'")
def softmax_for_relu():
    norms = watched(forward, ("linear", "softmax"))
    return {"linear": norms["linear"], "relu": norms["softmax"]}


@wrong("the norms come in the wrong order: that of W first, then that of V")
def order_exchanged():
    return {kind: norms[::-1] for kind, norms in watched(forward).items()}


@wrong("one number for each kind is returned: the norms of W and of V")
def one_number():
    return {kind: norms[0] + norms[1] for kind, norms in both().items()}


@wrong(TENSORS)
def matrices():
    return {kind: (torch.ones(14, 14), torch.ones(14, 14)) for kind in both()}


@wrong("the norms of both kinds are returned without their names: a dict is asked for")
def returns_tuple():
    return tuple(both().values())


@wrong("the norms are made up: those of W and V at the end of the training are asked for")
def invented():
    ask()
    return {"linear": (0.0, 0.0), "relu": (2.7, 3.1)}


@right
def smaller_steps_and_notes():
    return {kind: list(norms) for kind, norms in both("slow", ["linear", "softmax", "relu"], lr=0.02).items()}


@right
def through_the_notebook():
    return watched(forward)


@right
def by_sgd():
    found = {}
    for kind in ("linear", "relu"):
        params = zeros()
        optimizer = torch.optim.SGD(params.values(), lr=0.3)
        for _ in range(100):
            tokens, labels, _ = pieces.sample_batch(CFG, 16, False)
            optimizer.zero_grad()
            pieces.loss_of(params, tokens, labels, 0, kind).backward()
            for value in params.values():
                length = value.grad.norm()  # tiny entries have a length of 0 in float32
                if length > 0:
                    value.grad /= length
            optimizer.step()
        found[kind] = (params["W"].detach().norm().item(), params["V"].detach().norm().item())
    return found


@right
def both_in_one_backward():
    runs = {"linear": zeros(), "relu": zeros()}
    for _ in range(100):
        tokens, labels, _ = pieces.sample_batch(CFG, 8, False)
        losses = [pieces.loss_of(params, tokens, labels, 0, kind) for kind, params in runs.items()]
        sum(losses).backward()
        with torch.no_grad():
            for params in runs.values():
                for value in params.values():
                    value -= 0.1 * value.grad / value.grad.norm().clamp(min=1e-30)
                    value.grad = None
    return {kind: (float(p["W"].detach().norm()), float(p["V"].detach().norm())) for kind, p in runs.items()}
