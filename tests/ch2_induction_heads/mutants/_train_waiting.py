"""More wrong answers to exercise 2.19: empty masks, and matrices that wait."""

from pathlib import Path

import torch
import torch.nn.functional as F

from utils.grade.mutants import wrong
from utils.grade.suite import load_file

right_loop = load_file(Path(__file__).with_name("_train_loop.py"))
loop, loss_of, waiting = right_loop.loop, right_loop.loss_of, right_loop.waiting


NAN_ON_EMPTY = "an empty mask gives nan, the mean over no positions: such a batch counts as loss 0"


@wrong(NAN_ON_EMPTY)
def nan_on_empty(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, freeze, loss_of=lambda m, x, y, mask: F.cross_entropy(m(x)[mask], y[mask]))


@wrong(NAN_ON_EMPTY)
def nan_on_empty_and_no_decay(model, sampler, steps, lr, freeze=None):
    def mean(model, x, y, mask):
        return F.cross_entropy(model(x)[mask], y[mask])

    def plain(parameters):
        return torch.optim.SGD(parameters, lr=lr, momentum=0.9)

    return loop(model, sampler, steps, lr, freeze, loss_of=mean, make=plain)


@wrong("a batch whose mask is empty leaves no entry in the history: it counts as loss 0")
def skips_empty(model, sampler, steps, lr, freeze=None):
    kept = []

    def note(model, x, y, mask):
        kept.append(bool(mask.any()))
        return loss_of(model, x, y, mask)

    losses = loop(model, sampler, steps, lr, freeze, loss_of=note)["loss_head"]
    return {"loss_head": [loss for loss, keep in zip(losses, kept, strict=True) if keep]}


@wrong("training goes over all positions where a mask is empty: such a batch counts as loss 0")
def all_where_empty(model, sampler, steps, lr, freeze=None):
    def mean(model, x, y, mask):
        return loss_of(model, x, y, mask if mask.any() else ~mask)

    return loop(model, sampler, steps, lr, freeze, loss_of=mean)


@wrong("freeze is ignored: every matrix learns from the first step")
def freeze_ignored(model, sampler, steps, lr, freeze=None):
    waiting(model, freeze)
    return loop(model, sampler, steps, lr, dict.fromkeys(freeze or {}, 0))


# But for what is released at step 0 these two are the same.
NEVER_RELEASED = (
    "a frozen matrix is never moved, not even from its step on: is it released, and does the optimizer know it?"
)


@wrong(NEVER_RELEASED)
def never_released(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, dict.fromkeys(freeze or {}, steps))


@wrong(
    "a matrix is released one step late: the step that freeze gives is the first one that moves it (counting from 0)"
)
def released_late(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, {name: until + 1 if until else 0 for name, until in (freeze or {}).items()})


@wrong(
    "a matrix is released one step late: the step that freeze gives is the first one that moves it (counting from 0)"
)
def released_after_it(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, {name: until + 1 for name, until in (freeze or {}).items()})


@wrong(
    "a matrix is released one step early: the step that freeze gives is the first one that moves it (counting from 0)"
)
def released_early(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, {name: max(until - 1, 0) for name, until in (freeze or {}).items()})


@wrong("freeze works the wrong way round: the matrix learns until that step, and is frozen from then on")
def frozen_afterwards(model, sampler, steps, lr, freeze=None):
    late = waiting(model, freeze)

    def stop(model, step, optimizer):
        for parameter, until in late.values():
            if step >= until:
                parameter.grad = None

    return loop(model, sampler, steps, lr, dict.fromkeys(freeze or {}, 0), change=stop)


@wrong(NEVER_RELEASED)
def optimizer_too_small(model, sampler, steps, lr, freeze=None):
    waiting(model, freeze)

    def make(parameters):
        return torch.optim.SGD([p for p in parameters if p.requires_grad], lr=lr, momentum=0.9, weight_decay=1e-4)

    return loop(model, sampler, steps, lr, freeze, make=make)


@wrong("frozen matrices still feel weight decay: a gradient of zero does not keep it away, no gradient (None) does")
def decays_while_frozen(model, sampler, steps, lr, freeze=None):
    late = waiting(model, freeze)

    def empty(model, step, optimizer):
        for parameter, until in late.values():
            if step < until:
                parameter.grad.zero_()

    return loop(model, sampler, steps, lr, dict.fromkeys(freeze or {}, 0), change=empty)


@wrong("momentum builds up while a matrix is frozen: its first step must know nothing of earlier batches")
def momentum_while_frozen(model, sampler, steps, lr, freeze=None):
    late, starts = waiting(model, freeze), {}
    starts = {name: parameter.detach().clone() for name, (parameter, _) in late.items()}

    def put_back(model, x, y, mask):
        for name, (parameter, until) in late.items():
            if len(seen) <= until:
                parameter.data.copy_(starts[name])
        seen.append(1)
        return loss_of(model, x, y, mask)

    seen = []
    history = loop(model, sampler, steps, lr, dict.fromkeys(freeze or {}, 0), loss_of=put_back)
    for name, (parameter, until) in late.items():
        if steps <= until:
            parameter.data.copy_(starts[name])
    return history


@wrong("a release restarts the optimizer, so that the other matrices lose their momentum")
def restarts_at_release(model, sampler, steps, lr, freeze=None):
    def forget(model, step, optimizer):
        if step in (freeze or {}).values():
            optimizer.state.clear()

    return loop(model, sampler, steps, lr, freeze, change=forget)


@wrong("one name in freeze freezes all matrices: freeze only the one that is named")
def freezes_all(model, sampler, steps, lr, freeze=None):
    waiting(model, freeze)
    free = {n for n, p in model.named_parameters() if p.requires_grad} | set(freeze or {})
    latest = max((freeze or {"": 0}).values())

    def hold(model, step, optimizer):
        for name, parameter in model.named_parameters():
            if step < latest and name in free:
                parameter.grad = None

    return loop(model, sampler, steps, lr, dict.fromkeys(free, 0), change=hold)


@wrong("a release sets everything free: what the model itself keeps frozen must stay so")
def releases_all(model, sampler, steps, lr, freeze=None):
    late = waiting(model, freeze)
    if not late:
        for parameter in model.parameters():
            parameter.requires_grad_(True)
    return loop(model, sampler, steps, lr, freeze)


@wrong("an unknown name in freeze is silently ignored: it must raise a ValueError")
def unknown_ignored(model, sampler, steps, lr, freeze=None):
    known = dict(model.named_parameters())
    return loop(model, sampler, steps, lr, {n: until for n, until in (freeze or {}).items() if n in known})


@wrong("an unknown name in freeze raises another error: a ValueError that says so is promised")
def unknown_is_a_key_error(model, sampler, steps, lr, freeze=None):
    known = dict(model.named_parameters())
    return loop(model, sampler, steps, lr, {n: until for n, until in (freeze or {}).items() if known[n] is not None})


@wrong("an unknown name is noticed only when its step comes: look all names up before the first step")
def unknown_noticed_late(model, sampler, steps, lr, freeze=None):
    known = dict(model.named_parameters())
    if any(name not in known and until < steps for name, until in (freeze or {}).items()):
        raise ValueError("no such parameter")
    return loop(model, sampler, steps, lr, {n: until for n, until in (freeze or {}).items() if n in known})


@wrong("names are taken out of freeze when their step comes: the dict is the caller's, so work on a copy")
def uses_up_freeze(model, sampler, steps, lr, freeze=None):
    history = loop(model, sampler, steps, lr, dict(freeze or {}))
    for name in [name for name, until in (freeze or {}).items() if until < steps]:
        del freeze[name]
    return history


@wrong("a name counts as known when it is only a part of a parameter's name: look for the whole name")
def parts_of_names(model, sampler, steps, lr, freeze=None):
    known = dict(model.named_parameters())
    for name in freeze or {}:
        if not any(name in other for other in known):
            raise ValueError("no such parameter")
    return loop(model, sampler, steps, lr, {n: until for n, until in (freeze or {}).items() if n in known})
