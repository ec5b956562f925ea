"""Wrong answers to exercise 4.18 that learners write, and right ones written differently."""

from pathlib import Path

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong
from utils.grade.suite import load_file

pieces = load_file(Path(__file__).with_name("_pieces.py"))
sample_batch = pieces.sample_batch


def draw_data(runs, generators, sample):
    drawn = [
        sample(run, run.batch_size, run.noisy, run.alpha, generator=g) for run, g in zip(runs, generators, strict=True)
    ]
    return torch.stack([tokens for tokens, _, _ in drawn]), torch.stack([labels for _, labels, _ in drawn])


def batched_losses(params, tokens, labels, kappa, kind, shift=1e-8, always=1.0, axis=-1):
    """(R,) losses of R runs of one kind. `shift`: relu's; `always`: x_last at kappa = 0; `axis`: the softmax's."""
    W, V, F_ = params
    N = W.shape[-1] // 2
    hot = F.one_hot(tokens, N).float()
    x = torch.cat([hot, F.pad(hot, (0, 0, 1, 0))[:, :, :-1]], -1)
    s = torch.einsum("rbi,rij,rbtj->rbt", x[:, :, -1], W, x)
    a = {"linear": s, "softmax": s.softmax(axis), "relu": (s + shift).relu()}[kind]
    w = torch.einsum("rbt,rbtd->rbd", a, x)
    query = x[:, :, -1] * torch.where(kappa == 0, always, 1.0)
    logits = w @ V[:, :N].mT + (query + kappa * w) @ F_[:, :N].mT
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").reshape(labels.shape).mean(1)


def own_norms(g):
    norm = g.flatten(1).norm(dim=1)[:, None, None]
    return g / torch.where(norm > 0, norm, 1.0)


def column(runs, name):
    return torch.tensor([float(getattr(run, name)) for run in runs])[:, None, None]


def sweep(
    cfgs, steps, sample, normalise=own_norms, data=draw_data, start=torch.zeros, seed=lambda run: run.seed,
    told=lambda x: x, late=False, summed=False, kinds=None, **change,
):  # fmt: skip
    """The right sweep, kind by kind, with parts that can be replaced; `told`: what is known about the runs."""
    losses = torch.zeros(len(cfgs), steps)
    for kind in ("linear", "softmax", "relu"):
        members = [i for i, cfg in enumerate(cfgs) if (kinds or (lambda cfg: cfg.kind))(cfg) == kind]
        if not members:
            continue
        runs, N = told([cfgs[i] for i in members]), cfgs[0].vocab_size
        generators = [torch.Generator().manual_seed(seed(run)) for run in runs]
        params = [start(len(runs), 2 * N, 2 * N) for _ in "WVF"]
        for step in range(steps):
            params = [value.detach().requires_grad_() for value in params]
            tokens, labels = data(runs, generators, sample)
            loss = batched_losses(params, tokens, labels, column(runs, "kappa"), kind, **change)
            grads = torch.autograd.grad(loss.sum() if not summed else loss.mean(), params)
            params = [p - column(runs, "lr") * normalise(g) for p, g in zip(params, grads, strict=True)]
            if late:
                loss = batched_losses(params, tokens, labels, column(runs, "kappa"), kind, **change)
            losses[members, step] = loss.detach()
    return losses


def same(name):
    """All runs are told the first one's value of a setting."""

    def told(runs):
        return [type(run)(**{**vars(run), name: getattr(runs[0], name)}) for run in runs]

    return told


@wrong("one norm is taken over all runs: each tensor of each run is normalised by its own")
def norm_shared(cfgs, steps):
    return sweep(cfgs, steps, sample_batch, lambda g: g / (g.norm() + (g.norm() == 0)))


@wrong("each row of the gradient is normalised: one norm belongs to the whole matrix of a run")
def norm_of_rows(cfgs, steps):
    return sweep(cfgs, steps, sample_batch, lambda g: F.normalize(g, dim=-1, eps=1e-30))


@wrong("the spectral norm is used: it is the Frobenius norm of each run's matrix")
def spectral_norm(cfgs, steps):
    def spectral(g):
        norm = torch.linalg.matrix_norm(g, 2)[:, None, None]
        return g / torch.where(norm > 0, norm, 1.0)

    return sweep(cfgs, steps, sample_batch, spectral)


@wrong("zero gradients are divided by their zero norm: with linear attention everything becomes nan")
def zero_norm(cfgs, steps):
    return sweep(cfgs, steps, sample_batch, lambda g: g / g.flatten(1).norm(dim=1)[:, None, None])


@wrong("the number added to the norm weighs more than relu's tiny first gradient: V must move by lr all the same")
def large_eps(cfgs, steps):
    return sweep(cfgs, steps, sample_batch, lambda g: g / (g.flatten(1).norm(dim=1)[:, None, None] + 1e-6))


@wrong("the gradients are not normalised")
def plain_gradient(cfgs, steps):
    return sweep(cfgs, steps, sample_batch, lambda g: g)


@wrong("all runs use the first one's kappa: each has its own")
def kappa_shared(cfgs, steps):
    return sweep(cfgs, steps, sample_batch, told=same("kappa"))


@wrong("all runs use the first one's lr: each has its own")
def lr_shared(cfgs, steps):
    return sweep(cfgs, steps, sample_batch, told=same("lr"))


@wrong("all runs use the first one's seed: each has its own data")
def seed_shared(cfgs, steps):
    return sweep(cfgs, steps, sample_batch, told=same("seed"))


@wrong("all runs use the first one's noise: each has its own noisy and alpha")
def noise_shared(cfgs, steps):
    return sweep(cfgs, steps, sample_batch, told=lambda runs: same("alpha")(same("noisy")(runs)))


@wrong("alpha is not passed to sample_batch: noisy runs have labels that are noise")
def alpha_missing(cfgs, steps):
    return sweep(
        cfgs, steps, sample_batch, told=lambda runs: [type(run)(**{**vars(run), "alpha": 0.0}) for run in runs]
    )


@wrong("every generator is seeded with 0: the seed of each run counts")
def seed_0(cfgs, steps):
    return sweep(cfgs, steps, sample_batch, seed=lambda run: 0)


@wrong("the seed is the number of the run, not the seed in its settings")
def seed_is_index(cfgs, steps):
    return sweep(cfgs, steps, sample_batch, seed=lambda run: [cfg.seed for cfg in cfgs].index(run.seed))


@wrong("the generators are seeded again at every step: all steps see the same batch")
def seeded_every_step(cfgs, steps):
    def data(runs, generators, sample):
        return draw_data(runs, [torch.Generator().manual_seed(run.seed) for run in runs], sample)

    return sweep(cfgs, steps, sample_batch, data=data)


@wrong("one generator serves all runs: each has its own, seeded by its own seed")
def generator_shared(cfgs, steps):
    return sweep(
        cfgs,
        steps,
        sample_batch,
        data=lambda runs, generators, sample: draw_data(runs, [generators[0]] * len(runs), sample),
    )


@wrong("all runs of a kind see the first one's batch: each has its own data")
def batch_shared(cfgs, steps):
    def data(runs, generators, sample):
        tokens, labels = draw_data(runs, generators, sample)
        return tokens[:1].expand_as(tokens), labels[:1].expand_as(labels)

    return sweep(cfgs, steps, sample_batch, data=data)


@wrong("every run is of the first one's kind: each has its own")
def kind_of_the_first(cfgs, steps):
    return sweep(cfgs, steps, sample_batch, kinds=lambda cfg: cfgs[0].kind)


@wrong("the rows come kind by kind: they must be in the order of cfgs")
def order_lost(cfgs, steps):
    losses = sweep(cfgs, steps, sample_batch)
    return torch.stack([losses[i] for i in sorted(range(len(cfgs)), key=lambda i: cfgs[i].kind)])


@wrong("the losses are those after each step: the loss before it is wanted")
def after_the_step(cfgs, steps):
    return sweep(cfgs, steps, sample_batch, late=True)


@wrong("relu lacks its 1e-8: from zero scores it has no derivative, and V never moves")
def relu_without_eps(cfgs, steps):
    return sweep(cfgs, steps, sample_batch, shift=0.0)


@wrong("kappa switches x_last off as well: the feed-forward layer always reads x_last")
def kappa_on_both(cfgs, steps):
    return sweep(cfgs, steps, sample_batch, always=0.0)


@wrong("the losses are those against the outputs y: the labels, the second of the three, are sometimes noise")
def learns_outputs(cfgs, steps):
    def data(runs, generators, sample):
        drawn = [sample(r, r.batch_size, r.noisy, r.alpha, generator=g) for r, g in zip(runs, generators, strict=True)]
        return torch.stack([part[0] for part in drawn]), torch.stack([part[2] for part in drawn])

    return sweep(cfgs, steps, sample_batch, data=data)


@wrong("the softmax runs over the sentences of a batch: each sentence has a softmax over its own positions")
def softmax_over_batch(cfgs, steps):
    return sweep(cfgs, steps, sample_batch, axis=1)


@wrong("the parameters start at random: the full model starts from zero")
def random_start(cfgs, steps):
    g = torch.Generator().manual_seed(0)
    return sweep(cfgs, steps, sample_batch, start=lambda *shape: 0.1 * torch.randn(*shape, generator=g))


@wrong("the result is (steps, runs): one row for each run is wanted")
def transposed(cfgs, steps):
    return sweep(cfgs, steps, sample_batch).T


@wrong("the mean over the runs is returned: one row for each run is wanted")
def averaged(cfgs, steps):
    return sweep(cfgs, steps, sample_batch).mean(0)


@wrong("only the last losses are returned: one for each step is wanted")
def last_losses(cfgs, steps):
    return sweep(cfgs, steps, sample_batch)[:, -1]


@wrong("the first step is left out: one loss for each step is wanted")
def first_step_missing(cfgs, steps):
    return sweep(cfgs, steps, sample_batch)[:, 1:]


@wrong("the runs are trained one after the other in a loop: those of a kind belong in one batched computation")
def one_after_the_other(cfgs, steps):
    return torch.cat([sweep([cfg], steps, sample_batch) for cfg in cfgs])


@wrong("the runs are trained one after the other in a loop: those of a kind belong in one batched computation")
def backward_for_each(cfgs, steps):
    def data_of(cfg):
        generator = torch.Generator().manual_seed(cfg.seed)
        return [sample_batch(cfg, cfg.batch_size, cfg.noisy, cfg.alpha, generator=generator) for _ in range(steps)]

    rows = []
    for cfg in cfgs:
        params = {name: torch.zeros(2 * cfg.vocab_size, 2 * cfg.vocab_size, requires_grad=True) for name in "WVF"}
        rows.append([])
        for tokens, labels, _ in data_of(cfg):
            loss = pieces.loss_of(params, tokens, labels, cfg.kappa, cfg.kind)
            loss.backward()
            rows[-1].append(loss.item())
            moved = pieces.ngd_step(params, {name: value.grad for name, value in params.items()}, cfg.lr)
            params = {name: value.detach().requires_grad_() for name, value in moved.items()}
    return torch.tensor(rows)


@right
def mean_of_losses(cfgs, steps):
    """The gradient of a mean over runs is smaller by a factor, which the norm takes out again."""
    return sweep(cfgs, steps, sample_batch, summed=True).double()


@right
def by_vmap(cfgs, steps):
    """vmap over grad_and_value; data of all steps in one call of sample_batch a run."""
    drawn = [
        sample_batch(c, c.batch_size * steps, c.noisy, c.alpha, generator=torch.Generator().manual_seed(c.seed))
        for c in cfgs
    ]
    out, d = [None] * len(cfgs), 2 * cfgs[0].vocab_size
    for kind in dict.fromkeys(c.kind for c in cfgs):
        ids = [i for i, c in enumerate(cfgs) if c.kind == kind]
        params = {name: torch.zeros(len(ids), d, d) for name in "WVF"}
        tokens = torch.stack([drawn[i][0].reshape(steps, cfgs[i].batch_size, -1) for i in ids])
        labels = torch.stack([drawn[i][1].reshape(steps, cfgs[i].batch_size) for i in ids])
        kappa = torch.tensor([float(cfgs[i].kappa) for i in ids])
        lr = torch.tensor([cfgs[i].lr for i in ids])

        def loss(p, z, y, k, kind=kind):
            x = torch.cat([torch.eye(d // 2)[z], F.pad(torch.eye(d // 2)[z], (0, 0, 1, 0))[:, :-1]], -1)
            w = torch.einsum("bt,btd->bd", pieces.weights(pieces.scores(x, p["W"]), kind), x)
            return F.cross_entropy((w @ p["V"].T + (x[:, -1] + k * w) @ p["F"].T)[:, : d // 2], y)

        step = torch.func.vmap(torch.func.grad_and_value(loss))
        curves = []
        for t in range(steps):
            grads, values = step(params, tokens[:, t], labels[:, t], kappa)
            curves.append(values)
            for name, g in grads.items():
                params[name] = params[name] - lr[:, None, None] * torch.nan_to_num(g / g.norm(dim=(1, 2), keepdim=True))
        for i, row in zip(ids, torch.stack(curves, 1), strict=True):
            out[i] = row
    return torch.stack(out)


@right
def one_backward_for_all(cfgs, steps):
    """Forward passes in a loop, but one backward pass for all runs."""
    generators = [torch.Generator().manual_seed(cfg.seed) for cfg in cfgs]
    params = [{n: torch.zeros(2 * cfg.vocab_size, 2 * cfg.vocab_size) for n in "WVF"} for cfg in cfgs]
    losses = []
    for _ in range(steps):
        params = [{n: value.detach().requires_grad_() for n, value in p.items()} for p in params]
        row = []
        for cfg, p, g in zip(cfgs, params, generators, strict=True):
            tokens, labels, _ = sample_batch(cfg, cfg.batch_size, cfg.noisy, alpha=cfg.alpha, generator=g)
            row.append(pieces.loss_of(p, tokens, labels, cfg.kappa, cfg.kind))
        torch.stack(row).sum().backward()
        params = [
            pieces.ngd_step(p, {n: value.grad for n, value in p.items()}, cfg.lr)
            for cfg, p in zip(cfgs, params, strict=True)
        ]
        losses.append(torch.stack(row).detach())
    return torch.stack(losses, dim=1)
