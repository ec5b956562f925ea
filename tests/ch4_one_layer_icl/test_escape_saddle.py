"""Hidden tests of exercise 4.14. The function draws its own data, so only facts are judged that hold for all data."""

import math

from utils.grade import require
from utils.grade.judge import a_thing
from utils.grade.probes import names_of, needs
from utils.grade.suite import draws


@needs(names_of)
def probe_norms(escape_saddle):
    """Logarithms of the norms, whether autograd was asked fewer than 100 times, and the optimizers that were made.

    Where the notebook's forward is called, it is watched: kinds with which it never is, kinds whose matrices are not
    all zero at their first call, and kinds whose matrices at the last call speak for (|V|, |W|).
    """
    names = names_of(escape_saddle, "forward")
    forward, first, last = names.get("forward"), {}, {}

    def watched(*args, **more):
        given = {**dict(zip(("params", "tokens", "kappa", "kind"), args, strict=False)), **more}
        try:
            last[given["kind"]] = [float(given["params"][name].detach().norm()) for name in "WVF"]
            first.setdefault(given["kind"], last[given["kind"]])
        except Exception:  # inside vmap, say, or with arguments of another form: then nothing is watched
            last.clear()
        return forward(*args, **more)

    optimizers, calls = [], [0]
    make, grad, backward = torch.optim.Optimizer.__init__, torch.autograd.grad, torch.autograd.backward

    def noted(optimizer, *args, **more):
        optimizers.append(type(optimizer).__name__)
        return make(optimizer, *args, **more)

    def counted(function):
        def call(*args, **more):
            calls[0] += 1
            return function(*args, **more)

        return call

    torch.optim.Optimizer.__init__ = noted
    torch.autograd.grad, torch.autograd.backward = counted(grad), counted(backward)
    if forward is not None:
        names["forward"] = watched
    try:
        result = escape_saddle()
    finally:
        if forward is not None:
            names["forward"] = forward
        torch.optim.Optimizer.__init__, torch.autograd.grad, torch.autograd.backward = make, grad, backward
    import math

    form, logs = type(result).__name__, {}
    if isinstance(result, dict):
        form = "dict"
        for kind, norms in result.items():
            several = isinstance(norms, (tuple, list)) or (torch.is_tensor(norms) and norms.ndim == 1)
            norms = list(norms) if several else [norms]
            if not all(isinstance(x, (int, float)) or (torch.is_tensor(x) and x.numel() == 1) for x in norms):
                form = f"dict whose entry {kind!r} holds no plain numbers"
                continue
            norms = [float(x) for x in norms]
            logs[str(kind)] = [math.log10(max(x, 1e-30)) if math.isfinite(x) and x >= 0 else math.inf for x in norms]
    both = ("linear", "relu")
    seen = {
        "missing": [kind for kind in both if last and kind not in last],
        "started": [kind for kind in both if last and any(size > 0 for size in first.get(kind, []))],
        "swapped": [kind for kind in both if kind in last and len(logs.get(kind, [])) == 2],
    }
    for kind in list(seen["swapped"]):
        (one, two), (w, v, _) = (10**x for x in logs[kind]), last[kind]
        if not abs(one - v) + abs(two - w) < 0.5 * (abs(one - w) + abs(two - v)):
            seen["swapped"].remove(kind)
    few = 0 < calls[0] < 100
    return {"form": form, "logs": logs, "few": few, "optimizers": sorted(set(optimizers)), "seen": seen}


def norms(escape_saddle):
    got = escape_saddle.run(probe_norms, tolerance=0.02)
    says = "escape_saddle must return a dict with the norms (|W|, |V|) under 'linear' and 'relu'"
    thing = a_thing(None) if got["form"] == "NoneType" else f"a {got['form']}"
    require(got["form"] == "dict", f"{says}, but it returns {thing}")
    require({"linear", "relu"} <= got["logs"].keys(), f"{says}, but its keys are {sorted(got['logs'])}")
    for kind in ("linear", "relu"):
        require(len(got["logs"][kind]) == 2, f"under {kind!r} there must be two numbers: the norms of W and of V")
        finite = all(math.isfinite(x) for x in got["logs"][kind])
        require(
            finite, f"under {kind!r} there is nan or a number that is no norm: a zero gradient must not move a tensor"
        )
    return got


@draws(1)
def test_saddle(escape_saddle):
    got = norms(escape_saddle)
    says = "with linear attention and kappa = 0, W and V have no gradient at zero and stay exactly there"
    require(max(got["logs"]["linear"]) < -29, f"{says}, but here they move")
    says = "with relu attention the 1e-8 gives V a gradient at zero, which normalisation makes a full step"
    require(min(got["logs"]["relu"]) > -3, f"{says}, but here W and V hardly move")
    others = [name for name in got["optimizers"] if name != "SGD"]
    require(not others, f"{', '.join(others)} takes the steps: normalised gradient descent is asked for")
    require(not got["few"], "gradients are taken fewer than 100 times: 100 steps are asked for, for each kind")
    for kind in got["seen"]["missing"]:
        require(False, f"the notebook's forward is called, but never with the kind {kind!r}: both kinds are asked for")
    for kind in got["seen"]["started"]:
        says = f"with {kind!r} W, V and F are not all zero at the start: each kind begins with matrices of its own"
        require(False, says)
    require(not got["seen"]["swapped"], "the norms come in the wrong order: that of W first, then that of V")
