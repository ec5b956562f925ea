"""Hidden tests of exercise 4.14. The function draws its own data, so only facts are judged that hold for all data."""

import math

from utils.grade import draws, require, takes_along
from utils.grade.judge import a_thing
from utils.grade.probes import names_of

KINDS = ("linear", "relu")


@takes_along(names_of)
def probe_norms(escape_saddle):
    """Logarithms of the norms, how often autograd was asked (up to 100), and the optimizers that were made.

    The notebook's forward and sample_batch are watched where they are called: by kind the number of calls (up to 100),
    whether kappa was 0, the norms of (W, V, F) at the first and the last call; and whether the data had noise.
    """
    import math

    names = names_of(escape_saddle, "forward")
    forward, sample = names.get("forward"), names.get("sample_batch")
    kinds, noisy, broken = {}, [], []

    def watched(*args, **more):
        try:
            given = {**dict(zip(("params", "tokens", "kappa", "kind"), args, strict=False)), **more}
            sizes = [float(given["params"][name].detach().norm()) for name in "WVF"]
            seen = kinds.setdefault(given["kind"], {"calls": 0, "kappa": False, "first": sizes})
            seen.update(last=sizes, calls=seen["calls"] + 1, kappa=seen["kappa"] or bool(given["kappa"] != 0))
        except Exception:  # inside vmap, say, or with arguments of another form: then nothing is watched
            broken.append(True)
        return forward(*args, **more)

    def drawn(*args, **more):
        noisy.append(bool(more["noisy"] if "noisy" in more else len(args) > 2 and args[2]))
        return sample(*args, **more)

    optimizers, calls, sizes, unlike = [], [0], [], []
    make, grad, backward = torch.optim.Optimizer.__init__, torch.autograd.grad, torch.autograd.backward

    def noted(optimizer, *args, **more):
        optimizers.append(type(optimizer).__name__)
        return make(optimizer, *args, **more)

    def trained(outputs):
        """The tensors that a gradient of these outputs would reach."""
        nodes, known = [x.grad_fn for x in outputs if torch.is_tensor(x)], set()
        while nodes:
            node = nodes.pop()
            if node is not None and node not in known:
                known.add(node)
                nodes += [before for before, _ in node.next_functions]
        return [node.variable for node in known if hasattr(node, "variable")]

    def counted(function):
        def call(outputs, *args, **more):
            calls[0] += 1
            try:
                look = calls[0] % 4 == 0  # often enough: a few steps change no norm by much
                for x in trained(outputs if isinstance(outputs, (tuple, list)) else [outputs]) if look else ():
                    if x.ndim > 1:
                        sizes.extend(x.detach().norm(dim=(-2, -1)).flatten().tolist())
                    elif x.numel() > 1:
                        unlike.append(True)
            except Exception:  # inside vmap, say
                unlike.append(True)
            return function(outputs, *args, **more)

        return call

    torch.optim.Optimizer.__init__ = noted
    torch.autograd.grad, torch.autograd.backward = counted(grad), counted(backward)
    stand_ins = {"forward": (forward, watched), "sample_batch": (sample, drawn)}
    names.update({name: new for name, (old, new) in stand_ins.items() if old is not None})
    try:
        result = escape_saddle()
    finally:
        names.update({name: old for name, (old, new) in stand_ins.items() if old is not None})
        torch.optim.Optimizer.__init__, torch.autograd.grad, torch.autograd.backward = make, grad, backward

    form, logs = type(result).__name__, {}
    for kind, norms in result.items() if isinstance(result, dict) else ():
        if not isinstance(norms, (tuple, list)):
            form = f"dict whose entry {kind!r} is a {type(norms).__name__}"
        elif any(torch.is_tensor(x) for x in norms):
            form = f"dict whose entry {kind!r} holds tensors"
        elif not all(isinstance(x, (int, float)) for x in norms):
            form = f"dict whose entry {kind!r} holds other things than numbers"
        else:
            values = [float(x) for x in norms]
            logs[str(kind)] = [math.log10(max(x, 1e-30)) if math.isfinite(x) and x >= 0 else math.inf for x in values]
    far = 0.0  # from any norm that a trained matrix had, as a share of the number itself
    for kind in ("linear", "relu") if not unlike else ():
        for log in logs.get(kind, []):
            size = 10**log if log > -29 else 0.0
            far = max(far, min((abs(size - other) for other in sizes), default=1.0) / max(size, 1e-9))
    watch = {}
    for kind in () if broken else kinds:
        seen = kinds[kind]
        watch[str(kind)] = {"few": seen["calls"] < 100, "kappa": seen["kappa"], "zero": not any(seen["first"])}
        if len(logs.get(kind, [])) == 2:
            one, two = (10**x for x in logs[kind])
            w, v, f = seen["last"]
            distance = {p: abs(one - a) + abs(two - b) for p, a, b in (("WV", w, v), ("VW", v, w), ("WF", w, f))}
            best = min(distance, key=distance.get)
            watch[str(kind)]["pair"] = best if distance[best] < 0.5 * distance["WV"] else "WV"
    asked = {
        "invented": far > 0.3,
        "calls": min(calls[0], 100),
        "optimizers": sorted(set(optimizers)),
        "noisy": any(noisy),
    }
    return {"form": form, "logs": logs, "watch": watch, **asked}


def norms(escape_saddle):
    got = escape_saddle.run(probe_norms, tolerance=0.02)
    says = "escape_saddle must return a dict with the norms (|W|, |V|), two plain numbers, under 'linear' and 'relu'"
    thing = a_thing(None) if got["form"] == "NoneType" else f"a {got['form']}"
    require(got["form"] == "dict", f"{says}, but it returns {thing}")
    require({*KINDS} <= got["logs"].keys(), f"{says}, but its keys are {sorted(got['logs'])}")
    for kind in KINDS:
        require(len(got["logs"][kind]) == 2, f"under {kind!r} there must be two numbers: the norms of W and of V")
        says = f"under {kind!r} there is nan or a number that can't be a norm: a zero gradient must not move a tensor"
        require(all(math.isfinite(x) for x in got["logs"][kind]), says)
    return got


@draws(1)
def test_experiment_is_run(escape_saddle):
    """What is watched while the experiment runs: it says more about a mistake than the norms at the end."""
    got = norms(escape_saddle)
    says = "no gradient is ever taken: the norms are to be measured at the end of a training, which has to be run"
    require(got["calls"], says)
    others = [name for name in got["optimizers"] if name != "SGD"]
    require(not others, f"{', '.join(others)} takes the steps: normalised gradient descent is asked for")
    says = "gradients are taken fewer than 100 times: 100 steps are asked for, for each kind"
    require(got["calls"] == 100, says)
    says = "the norms are not those of any matrix that was trained: measure W and V themselves, at the end"
    require(not got["invented"], says)
    require(not got["noisy"], "the sentences are drawn with noise: data without noise are asked for")
    watch = got["watch"]
    for kind in KINDS if watch else ():
        says = f"the notebook's forward is called, but never with the kind {kind!r}: both kinds are asked for"
        require(kind in watch, says)
        require(
            not watch[kind]["few"], f"with {kind!r} fewer than 100 steps are taken: 100 are asked for, for each kind"
        )
        says = "W, V and F are not all exactly zero at the start: make three new matrices of zeros for each kind"
        require(watch[kind]["zero"], f"with {kind!r} {says}")
        require(not watch[kind]["kappa"], f"with {kind!r} forward is called with kappa = 1: kappa = 0 is asked for")
        pair = watch[kind].get("pair")
        require(pair != "WF", "the norms are those of W and F: those of W and V are asked for")
        require(pair != "VW", "the norms come in the wrong order: that of W first, then that of V")


@draws(1)
def test_saddle(escape_saddle):
    got = norms(escape_saddle)
    says = "with linear attention and kappa = 0, W and V have no gradient at zero and stay exactly there"
    require(max(got["logs"]["linear"]) < -29, f"{says}, but here they move")
    says = "with relu attention the 1e-8 gives V a gradient at zero, which normalisation makes a full step"
    require(min(got["logs"]["relu"]) > -3, f"{says}, but here W and V hardly move")
