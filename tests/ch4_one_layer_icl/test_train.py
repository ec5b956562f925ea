"""Hidden tests of exercise 4.13, on a small model that notes every batch it sees; the judge repeats the training.

With alpha all but 0 or 1 the labels of noisy sentences are known, so that nothing is left to chance but the sentences,
and those the model notes. The sentences are the judge's own, so that equal mistakes show equal numbers however the
learner's sample_batch draws.
"""

from pathlib import Path

import torch
import torch.nn.functional as F

from utils.grade import close, equal, require
from utils.grade.judge import a_thing
from utils.grade.probes import names_of, takes_along
from utils.grade.suite import draws, load_file

sentences = load_file(Path(__file__).with_name("_pools.py"))

ALWAYS, NEVER = 1 - 1e-12, 1e-12  # alpha for labels that are always, or never, the noise token


def answers(tokens, N):
    """The y of each sentence: what follows its trigger and is not tau."""
    after = tokens[:, 1:-1]
    pair = (tokens[:, :-2] == tokens[:, -1:]) & (after != N - 1)
    first = pair.int().argmax(1, keepdim=True)
    return torch.where(pair.any(1), after.gather(1, first)[:, 0], -1)


def batches_seen(seen, cfg, steps):
    """What the model was given: batches of training, unseen ones, mixed ones, each once and in order of first sight.

    `always`: whether every batch of unseen outputs was given at least `steps` times.
    """
    N, Q, Y = cfg["vocab_size"], cfg["Q"], cfg["Y"]
    found, times = {"batches": [], "unseen": [], "mixed": []}, []
    for tokens in seen:
        y = answers(tokens, N)
        known, new = ((y >= Q) & (y < Q + Y)).all(), (y >= Q + Y).all()
        kind = found["batches" if known else "unseen" if new else "mixed"]
        known_places = [i for i, other in enumerate(kind) if torch.equal(tokens, other)]
        if kind is found["unseen"]:
            times += [0] * (not known_places)
            times[known_places[0] if known_places else -1] += 1
        if not known_places:
            kind.append(tokens)
    return {**found, "always": all(count >= steps for count in times)}


@takes_along(names_of, sentences.from_pools, answers, batches_seen)
def probe_training(train, cfg, start, steps, settings, seeds, pools):
    """Train on a fresh copy of the model; losses, batches, parameters afterwards. `seeds`: generator's, torch's.

    For the time of the training the notebook's sample_batch gives sentences of the pools, from a place that is drawn
    with the generator.
    """
    names = names_of(train, "sample_batch")
    sample = names.get("sample_batch")

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.A, self.c = nn.Parameter(start["A"].clone()), nn.Parameter(start["c"].clone())
            self.P, self.R = nn.Parameter(0 * start["A"]), nn.Parameter(0 * start["c"])  # their gradients are zero
            self.register_buffer("one", torch.ones(()))  # no parameter, like V and F of a reparameterised model
            self.seen = []

        def forward(self, tokens):
            self.seen.append(tokens.detach().clone())
            if len(self.seen) > 10 * steps + 20:
                raise RuntimeError(f"the model was called {len(self.seen)} times in a training of {steps} steps")
            xi_A = self.one * self.A[tokens].mean(1)
            xi_F = (self.c + self.P @ self.R).expand(len(tokens), -1)
            return xi_A + xi_F, xi_A, xi_F

    model = Model()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeds[1])
        generator = None if seeds[0] is None else torch.Generator().manual_seed(seeds[0])
        if sample is not None:
            names["sample_batch"] = from_pools(pools)
        try:
            losses = train(model, SimpleNamespace(**cfg), steps, generator=generator, **settings)
        finally:
            if sample is not None:
                names["sample_batch"] = sample
    lists = list(losses.values()) if isinstance(losses, dict) else []
    flat = [x for part in lists if isinstance(part, (list, tuple)) for x in part]
    return {
        "losses": losses,
        "graph": any(torch.is_tensor(x) and x.requires_grad for x in [*lists, *flat]),
        **batches_seen(model.seen, cfg, steps),
        "after": {name: value.detach().clone() for name, value in model.named_parameters()},
    }


def as_numbers(losses, name, steps):
    """One list of losses as a tensor (steps,)."""
    several = isinstance(losses, (list, tuple))
    require(several, f"{name!r} must be the list of losses, one for each step, but it is {a_thing(losses)}")
    plain = not any(torch.is_tensor(x) for x in losses)
    require(plain, f"{name!r} must hold plain numbers, but it holds tensors: .item() turns a loss into a number")
    require(all(isinstance(x, (int, float)) for x in losses), f"{name!r} must hold one number for each step")
    require(len(losses) == steps, f"{name!r} holds {len(losses)} losses, but there are {steps} steps")
    return torch.tensor([float(x) for x in losses])


def sizes(draw):
    Q, Y = 2 + draw.index, 3 - draw.index
    return {"vocab_size": Q + Y + 4, "H": 8 + draw.index, "Q": Q, "Y": Y}


def pools_of(draw):
    return sentences.make_pools(draw, sizes(draw))


def settle(draw, noisy=False, alpha=0.0):
    """Sizes, first parameters and settings of a training."""
    cfg = sizes(draw)
    N = cfg["vocab_size"]
    start = {"A": draw.normal(N, N, std=2), "c": draw.normal(N)}
    return cfg, start, {"noisy": noisy, "alpha": alpha, "lr": 0.3, "batch": 7 + draw.index}


def run(train, draw, noisy=False, alpha=0.0, seeds=None, steps=4):
    cfg, start, settings = settle(draw, noisy, alpha)
    pools = draw.once(pools_of)
    got = train.run(probe_training, cfg, start, steps, settings, seeds or [draw.seed, draw.seed], pools)
    losses = got["losses"]
    says = "train must return a dict with the lists 'id' and 'ood'"
    require(isinstance(losses, dict), f"{says}, but it returns {a_thing(losses)}")
    require({"id", "ood"} <= losses.keys(), f"{says}, but it has the keys {sorted(losses)}")
    got["id"], got["ood"] = (as_numbers(losses[name], name, steps) for name in ("id", "ood"))
    says = "the model is given a batch that mixes outputs of training with unseen ones, or has none"
    require(not got["mixed"], says)
    return got, cfg, start, settings, steps


def check_batches(got, settings, steps):
    found = len(got["batches"])
    says = "no batch with outputs of training reaches the model: its batches are drawn without ood"
    require(found or not got["unseen"], says)
    require(found or got["unseen"], "the given model is never called: train that one, and not a copy of it")
    says = f"{steps} steps need {steps} fresh batches of training sentences, but the model saw {found} different ones"
    equal(found, steps, says)
    for tokens in got["batches"]:
        equal(len(tokens), settings["batch"], "a training batch does not have `batch` sentences")


def replay(got, cfg, start, settings):
    """The oracle: per-tensor normalised gradient descent on the batches seen, in float64."""
    N = cfg["vocab_size"]
    A, c = start["A"].double(), start["c"].double()
    unseen = torch.cat(got["unseen"]) if got["unseen"] else None

    def loss(A, c, tokens):
        y = answers(tokens, N)
        labels = torch.full_like(y, N - 1) if settings["noisy"] and settings["alpha"] > 0.5 else y
        return F.cross_entropy(A[tokens].mean(1) + c, labels)

    first, after = [], []
    for tokens in got["batches"]:
        A, c = A.detach().requires_grad_(), c.detach().requires_grad_()
        value = loss(A, c, tokens)
        gradients = torch.autograd.grad(value, [A, c])
        A, c = (x - settings["lr"] * g / (g**2).sum().sqrt() for x, g in zip((A, c), gradients, strict=True))
        first.append(value.item())
        after.append(loss(A, c, unseen).item() if unseen is not None else 0.0)
    return torch.tensor(first), torch.tensor(after), A.detach().float(), c.detach().float()


def check(train, draw, noisy=False, alpha=0.0, about=""):
    got, cfg, start, settings, steps = run(train, draw, noisy, alpha)
    check_batches(got, settings, steps)
    right_id, right_ood, A, c = replay(got, cfg, start, settings)
    says = f"the losses 'id' are not the cross-entropies of xi on each step's batch, before the step{about}"
    close(got["id"][:1], right_id[:1], says, rtol=1e-3, atol=1e-3, name="'id'")
    moves = f"the parameters do not move by lr along each tensor's own normalised gradient{about}"
    for name, right in (("A", A), ("c", c)):
        close(got["after"][name], right, moves, rtol=1e-3, atol=1e-3, name="a parameter after training")
    close(got["id"], right_id, says, rtol=1e-3, atol=1e-3, name="'id'")
    return got, right_ood


def check_unseen(got, right, about=""):
    require(got["unseen"], "the model is never tried on unseen outputs: draw that set with ood=True")
    once = len(got["unseen"]) == 1 or got["always"]
    require(once, "the set of unseen outputs changes from step to step: draw it once, before the loop")
    says = f"the losses 'ood' are not the cross-entropies on the unseen outputs after each step{about}"
    close(got["ood"], right, says, rtol=1e-3, atol=1e-3, name="'ood'")


def test_training(train, draw):
    check(train, draw)


def test_unseen_outputs(train, draw):
    got, right = check(train, draw)
    check_unseen(got, right)
    for name in ("P", "R"):
        says = "a tensor whose gradient is zero must stay as it is"
        close(got["after"][name], torch.zeros_like(got["after"][name]), says, name="a parameter after training")


def test_noise(train, draw):
    for alpha, what in ((ALWAYS, "tau"), (NEVER, "y")):
        about = f", in noisy sentences whose labels are all {what}"
        got, right = check(train, draw, True, alpha, about)
        check_unseen(got, right, about)


@draws(1)
def test_generator(train, draw):
    cfg, start, settings = settle(draw, True, 0.5)
    seed, pools = draw.seed, draw.once(pools_of)
    one, again = (train.run(probe_training, cfg, start, 3, settings, [seed, other], pools) for other in (1, 2))
    seen, seen_again = ([*x["batches"], *x["unseen"], *x["mixed"]] for x in (one, again))
    same = len(seen) == len(seen_again) and all(map(torch.equal, seen, seen_again))
    require(same, "two generators with the same seed give different sentences: pass the generator to every draw")
    for name in ("id", "ood"):
        ours, theirs = (as_numbers(x["losses"][name], name, 3) for x in (again, one))
        close(ours, theirs, f"equal seeds, but other {name!r}")
