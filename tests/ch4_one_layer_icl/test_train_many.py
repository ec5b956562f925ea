"""Hidden tests of exercise 4.18: every run against a loop of its own on the same data, and no loop over the runs."""

from pathlib import Path

import torch
import torch.nn.functional as F

from utils.grade import close, require, shaped
from utils.grade.probes import names_of, takes_along
from utils.grade.suite import draws, load_file

sentences = load_file(Path(__file__).with_name("_pools.py"))


@takes_along(names_of, sentences.from_pools)
def probe_sweep(train_many, cfgs, steps, pools):
    """Losses, the data of each run, and how often autograd was asked.

    The data come from a sample_batch that takes the place of the notebook's, and a generator with the run's seed, in
    calls of the same sizes as train_many makes them.
    """
    names = names_of(train_many, "sample_batch")
    notebooks, sample = names.get("sample_batch"), from_pools(pools)
    if notebooks is None:
        return {"problem": "sample_batch"}
    runs, sizes, calls = [SimpleNamespace(**cfg) for cfg in cfgs], {}, [0]

    def noted(cfg, batch, noisy, alpha=0.0, ood=False, generator=None):
        sizes.setdefault(generator.initial_seed() if generator is not None else None, []).append(batch)
        return sample(cfg, batch, noisy, alpha, ood=ood, generator=generator)

    def counted(ask):
        def call(*args, **more):
            calls[0] += 1
            return ask(*args, **more)

        return call

    grad, backward = torch.autograd.grad, torch.autograd.backward
    names["sample_batch"] = noted
    torch.autograd.grad, torch.autograd.backward = counted(grad), counted(backward)
    try:
        losses = train_many(runs, steps)
    finally:
        names["sample_batch"] = notebooks
        torch.autograd.grad, torch.autograd.backward = grad, backward

    tokens, labels = [], []
    for run in runs:
        generator, rows = torch.Generator().manual_seed(run.seed), []
        wanted = steps * run.batch_size
        asked = iter(sizes.get(run.seed, []))
        while sum(len(part[0]) for part in rows) < wanted:
            size = next(asked, run.batch_size)
            rows.append(sample(run, size, run.noisy, run.alpha, generator=generator))
        tokens.append(torch.cat([part[0] for part in rows])[:wanted].reshape(steps, run.batch_size, -1))
        labels.append(torch.cat([part[1] for part in rows])[:wanted].reshape(steps, run.batch_size))
    return {"losses": losses, "calls": calls[0], "tokens": torch.stack(tokens), "labels": torch.stack(labels)}


def sizes(draw):
    Q, Y = 2 + draw.index, 3 - draw.index
    return {"vocab_size": Q + Y + 4, "H": 7 + draw.index, "Q": Q, "Y": Y, "batch_size": 6 + draw.index}


def pools_of(draw):
    return sentences.make_pools(draw, sizes(draw))


def settings(draw, kinds, **same):
    """Runs that differ in everything but the sizes."""
    seed = draw.integer(1, 10**6)
    runs = []
    for i, kind in enumerate(kinds):
        run = {"kind": kind, "kappa": (i + 1) % 2, "noisy": i % 3 == 1, "alpha": 0.5 if i % 3 == 1 else 0.0}
        runs.append({**sizes(draw), **run, "lr": 0.2 + 0.1 * (i % 4), "seed": seed + 17 * i, **same})
    return runs


def alone(run, tokens, labels):
    """The oracle: one run in float64, with the formulas of the model on lists of ones."""
    N = run["vocab_size"]
    params = [torch.zeros(2 * N, 2 * N, dtype=torch.float64) for _ in "WVF"]
    losses = []
    for z, target in zip(tokens, labels, strict=True):
        W, V, F_ = params = [value.detach().requires_grad_() for value in params]
        hot = F.one_hot(z, N).double()
        x = torch.cat([hot, F.pad(hot, (0, 0, 1, 0))[:, :-1]], -1)
        s = (x * (x[:, -1] @ W)[:, None]).sum(-1)
        a = {"linear": s, "softmax": s.softmax(1), "relu": (s + 1e-8).clamp(min=0)}[run["kind"]]
        w = (a[..., None] * x).sum(1)
        logits = w @ V[:N].T + (x[:, -1] + run["kappa"] * w) @ F_[:N].T
        loss = F.cross_entropy(logits, target)
        losses.append(loss.item())
        moved = []
        for value, g in zip(params, torch.autograd.grad(loss, params), strict=True):
            length = (g**2).sum().sqrt()
            moved.append(value - run["lr"] * g / length if length > 0 else value)
        params = moved
    return losses


KNOWN = {}  # the oracle's losses by settings and data: many answers are judged on the same ones


def right_losses(run, tokens, labels):
    key = (*run.items(), tokens.numpy().tobytes(), labels.numpy().tobytes())
    if key not in KNOWN:
        if len(KNOWN) > 500:
            KNOWN.clear()
        KNOWN[key] = alone(run, tokens, labels)
    return KNOWN[key]


def sweep(train_many, draw, runs, steps):
    pools = draw.once(pools_of)
    got = train_many.run(probe_sweep, runs, steps, pools)
    require("problem" not in got, "sample_batch is not defined where train_many is: the data come from it")
    T = pools["clean"]["seen"][0].shape[1]
    for key, axes in (("tokens", (len(runs), steps, runs[0]["batch_size"], T)), ("labels", got["tokens"].shape[:3])):
        require(got[key].shape == axes, "the runs are trained on batches of another size than their own")
    for run, tokens in zip(runs, got["tokens"], strict=True):
        known = {tuple(row) for row in pools["noisy" if run["noisy"] else "clean"]["seen"][0].tolist()}
        says = "the runs are trained on other sentences than those of sample_batch"
        require(all(tuple(row) in known for row in tokens.flatten(0, 1).tolist()), says)
    losses = got["losses"]
    dtype = losses.dtype if torch.is_tensor(losses) and losses.is_floating_point() else torch.float32
    shaped(losses, (len(runs), steps), "train_many returns one row of losses for each run", dtype=dtype)
    return got, torch.tensor([right_losses(*run) for run in zip(runs, got["tokens"], got["labels"], strict=True)])


def check(train_many, draw, runs, steps, says):
    got, right = sweep(train_many, draw, runs, steps)
    close(got["losses"].float(), right.float(), says, rtol=1e-3, atol=1e-3, name="the losses")
    return got


def test_one_run(train_many, draw):
    for kind in (("linear", "relu"), ("softmax",))[draw.index]:
        says = f"a single run of kind {kind!r} does not have the losses that it has when trained alone"
        check(train_many, draw, settings(draw, [kind], kappa=1), 4, says)


def test_several_runs(train_many, draw):
    kind = ("softmax", "linear")[draw.index]
    says = "runs that are trained together do not have the losses that each has when trained alone"
    check(train_many, draw, settings(draw, [kind] * 4), 3, says)


@draws(1)
def test_kinds_mixed(train_many, draw):
    kinds = ["relu", "linear", "softmax", "linear", "relu"]
    says = "runs of different kinds do not have their own losses, in the order of cfgs"
    check(train_many, draw, settings(draw, kinds), 4, says)


@draws(1)
def test_trained_together(train_many, draw):
    runs, steps = settings(draw, ["softmax"] * 4), 2
    got, _ = sweep(train_many, draw, runs, steps)
    says = "the runs are trained one after the other: put those of a kind into one batched computation"
    require(got["calls"] < len(runs) * steps, says)
