"""Wrong answers to exercise 2.19 that learners write, and right ones written differently.

Most of them fill in the loop below; each changes one thing of it.
"""

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong


def loss_of(model, x, y, mask):
    """Mean cross-entropy over the mask, 0 where it is empty."""
    logits = model(x)
    return F.cross_entropy(logits[mask], y[mask]) if mask.any() else 0 * logits.sum()


def waiting(model, freeze):
    """Switch off what freeze names; ValueError for a name that the model does not have."""
    named = dict(model.named_parameters())
    for name in freeze or {}:
        if name not in named:
            raise ValueError(f"the model has no parameter {name}")
        named[name].requires_grad_(False)
    return {name: (named[name], until) for name, until in (freeze or {}).items()}


def loop(model, sampler, steps, lr, freeze, loss_of=loss_of, clear=True, make=None, change=None):
    """The right loop, with parts that can be replaced."""
    late = waiting(model, freeze)
    make = make or (lambda parameters: torch.optim.SGD(parameters, lr=lr, momentum=0.9, weight_decay=1e-4))
    optimizer, losses = make(list(model.parameters())), []
    for step in range(steps):
        for parameter, until in late.values():
            if step == until:
                parameter.requires_grad_(True)
        loss = loss_of(model, *sampler())
        if clear:
            optimizer.zero_grad()
        loss.backward()
        if change:
            change(model, step, optimizer)
        optimizer.step()
        losses.append(loss.item())
    return {"loss_head": losses}


@wrong("the loss is taken over all positions: only those of the mask count")
def mask_ignored(model, sampler, steps, lr, freeze=None):
    def mean(model, x, y, mask):
        return F.cross_entropy(model(x).flatten(0, 1), y.flatten())

    return loop(model, sampler, steps, lr, freeze, loss_of=mean)


@wrong("the mask is the wrong way round: the loss is over the positions where it is true")
def mask_inverted(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, freeze, loss_of=lambda model, x, y, mask: loss_of(model, x, y, ~mask))


@wrong("the losses of the masked positions are divided by the number of all positions: divide by that of the mask")
def divided_by_all(model, sampler, steps, lr, freeze=None):
    def mean(model, x, y, mask):
        return loss_of(model, x, y, mask) * mask.float().mean()

    return loop(model, sampler, steps, lr, freeze, loss_of=mean)


@wrong("the losses of the masked positions are summed: take their mean")
def summed(model, sampler, steps, lr, freeze=None):
    def total(model, x, y, mask):
        return loss_of(model, x, y, mask) * mask.sum()

    return loop(model, sampler, steps, lr, freeze, loss_of=total)


@wrong("each sequence is averaged first, and then the sequences: the mean is over all masked positions of the batch")
def mean_of_rows(model, sampler, steps, lr, freeze=None):
    def mean(model, x, y, mask):
        rows = [loss_of(model, *(part[b : b + 1] for part in (x, y, mask))) for b in range(len(x)) if mask[b].any()]
        return sum(rows) / len(rows) if rows else loss_of(model, x, y, mask)

    return loop(model, sampler, steps, lr, freeze, loss_of=mean)


@wrong("the logits outside the mask are set to zero and counted: those positions must not count at all")
def zeroed_logits(model, sampler, steps, lr, freeze=None):
    def mean(model, x, y, mask):
        return F.cross_entropy((model(x) * mask[..., None]).flatten(0, 1), y.flatten())

    return loop(model, sampler, steps, lr, freeze, loss_of=mean)


@wrong("the targets are the inputs shifted by one: the targets are given, as y")
def own_targets(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, freeze, loss_of=lambda m, x, y, mask: loss_of(m, x, x.roll(-1, 1), mask))


@wrong("the targets are the inputs themselves: the targets are given, as y")
def copies_inputs(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, freeze, loss_of=lambda m, x, y, mask: loss_of(m, x, x, mask))


@wrong("only the first sequence of the batch is used")
def first_row(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, freeze, loss_of=lambda m, x, y, mask: loss_of(m, x[:1], y[:1], mask[:1]))


@wrong("the gradients are never emptied: each step also follows those of all earlier batches")
def no_zero_grad(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, freeze, clear=False)


@wrong("there is no momentum: it is 0.9, and must last from step to step")
def no_momentum(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, freeze, make=lambda ps: torch.optim.SGD(ps, lr=lr, weight_decay=1e-4))


@wrong("there is no momentum: it is 0.9, and must last from step to step")
def optimizer_each_step(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, freeze, change=lambda model, step, optimizer: optimizer.state.clear())


@wrong("the momentum is not 0.9")
def other_momentum(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, freeze, make=lambda ps: torch.optim.SGD(ps, lr=lr, momentum=0.99))


@wrong("this is Nesterov's momentum, or a dampened one: plain momentum is wanted")
def nesterov(model, sampler, steps, lr, freeze=None):
    return loop(
        model, sampler, steps, lr, freeze, make=lambda ps: torch.optim.SGD(ps, lr=lr, momentum=0.9, nesterov=True)
    )


@wrong("this is Nesterov's momentum, or a dampened one: plain momentum is wanted")
def dampened(model, sampler, steps, lr, freeze=None):
    return loop(
        model, sampler, steps, lr, freeze, make=lambda ps: torch.optim.SGD(ps, lr=lr, momentum=0.9, dampening=0.9)
    )


@wrong("this is Adam: plain SGD with momentum is wanted")
def adam(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, freeze, make=lambda ps: torch.optim.Adam(ps, lr=lr))


@wrong("this is Adam: plain SGD with momentum is wanted")
def adamw(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, freeze, make=lambda ps: torch.optim.AdamW(ps, lr=lr))


@wrong("the weight decay is too large: 1e-4, or none")
def strong_decay(model, sampler, steps, lr, freeze=None):
    return loop(
        model, sampler, steps, lr, freeze, make=lambda ps: torch.optim.SGD(ps, lr=lr, momentum=0.9, weight_decay=0.01)
    )


@wrong("lr is not used: the step has a size of its own")
def fixed_lr(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, freeze, make=lambda ps: torch.optim.SGD(ps, lr=0.1, momentum=0.9))


@wrong("the learning rate falls as training goes on: it stays lr")
def decaying_lr(model, sampler, steps, lr, freeze=None):
    def lower(model, step, optimizer):
        optimizer.param_groups[0]["lr"] = lr * (1 - step / steps)

    return loop(model, sampler, steps, lr, freeze, change=lower)


@wrong("the gradients are clipped, which changes the steps: take them as they are")
def clipped(model, sampler, steps, lr, freeze=None):
    def clip(model, step, optimizer):
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)

    return loop(model, sampler, steps, lr, freeze, change=clip)


@wrong("the steps go uphill: the loss is made larger")
def uphill(model, sampler, steps, lr, freeze=None):
    def minus(model, step, optimizer):
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.grad.neg_()

    return loop(model, sampler, steps, lr, freeze, change=minus)


@wrong("nothing is learned: backward or the optimizer's step is missing")
def only_measures(model, sampler, steps, lr, freeze=None):
    waiting(model, freeze)
    return {"loss_head": [loss_of(model, *sampler()).item() for _ in range(steps)]}


@wrong("the losses are those after each step: keep the one before it")
def loss_after(model, sampler, steps, lr, freeze=None):
    seen = []

    def keep(model, x, y, mask):
        seen.append((x, y, mask))
        return loss_of(model, x, y, mask)

    losses = []
    done = loop(model, sampler, steps, lr, freeze, loss_of=keep, change=lambda *_: losses.append(None))
    return {"loss_head": done["loss_head"][1:] + [loss_of(model, *seen[-1]).item()]}


@wrong("every step uses the same batch: call sampler once a step")
def same_batch(model, sampler, steps, lr, freeze=None):
    batch = sampler()
    return loop(model, lambda: batch, steps, lr, freeze)


@wrong("sampler is called again for the measurement: call it once a step, or the data are no longer the same")
def samples_to_measure(model, sampler, steps, lr, freeze=None):
    losses = []

    def measure(model, step, optimizer):
        with torch.no_grad():
            losses.append(loss_of(model, *sampler()).item())

    loop(model, sampler, steps, lr, freeze, change=measure)
    return {"loss_head": losses}


@wrong("x, y and mask come from three calls of sampler: one call gives all three")
def three_calls(model, sampler, steps, lr, freeze=None):
    return loop(model, lambda: (sampler()[0], sampler()[1], sampler()[2]), steps, lr, freeze)


@wrong("one step too many is taken")
def one_too_many(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps + 1, lr, freeze)


@wrong("one step too few is taken")
def one_too_few(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps - 1, lr, freeze)


@wrong("the list of losses is returned: the history is a dict with the key 'loss_head'")
def returns_list(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, freeze)["loss_head"]


@wrong("nothing is returned: return the history")
def returns_nothing(model, sampler, steps, lr, freeze=None):
    loop(model, sampler, steps, lr, freeze)


@wrong("the losses stand under another name: the history's key is 'loss_head'")
def other_key(model, sampler, steps, lr, freeze=None):
    return {"loss": loop(model, sampler, steps, lr, freeze)["loss_head"]}


@wrong("only the last loss is kept: one float a step is wanted")
def last_loss(model, sampler, steps, lr, freeze=None):
    return {"loss_head": loop(model, sampler, steps, lr, freeze)["loss_head"][-1]}


@wrong("the losses are averaged as training goes on: keep each step's own")
def running_mean(model, sampler, steps, lr, freeze=None):
    losses = loop(model, sampler, steps, lr, freeze)["loss_head"]
    return {"loss_head": [sum(losses[: i + 1]) / (i + 1) for i in range(len(losses))]}


@wrong("the losses are kept with their computation graphs, which fill the memory: keep plain floats")
def keeps_graphs(model, sampler, steps, lr, freeze=None):
    losses = []

    def keep(model, x, y, mask):
        losses.append(loss_of(model, x, y, mask))
        return losses[-1]

    loop(model, sampler, steps, lr, freeze, loss_of=keep)
    return {"loss_head": losses}


@wrong("an empty mask gives nan, the mean over no positions: such a batch counts as loss 0")
def nan_on_empty(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, freeze, loss_of=lambda m, x, y, mask: F.cross_entropy(m(x)[mask], y[mask]))


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


@wrong("freeze is not looked at: every matrix learns from the first step")
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


@wrong("one name in freeze freezes all matrices: only the one that is named waits")
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


@wrong("an unknown name in freeze is passed over in silence: it must raise an error")
def unknown_ignored(model, sampler, steps, lr, freeze=None):
    known = dict(model.named_parameters())
    return loop(model, sampler, steps, lr, {n: until for n, until in (freeze or {}).items() if n in known})


@wrong("an unknown name is noticed only when its step comes: look all names up before the first step")
def unknown_noticed_late(model, sampler, steps, lr, freeze=None):
    known = dict(model.named_parameters())
    if any(name not in known and until < steps for name, until in (freeze or {}).items()):
        raise KeyError("no such parameter")
    return loop(model, sampler, steps, lr, {n: until for n, until in (freeze or {}).items() if n in known})


@right
def written_out(model, sampler, steps, lr, freeze=None):
    freeze = dict(freeze or {})
    named = dict(model.named_parameters())
    if not set(freeze) <= set(named):
        raise ValueError(set(freeze) - set(named))
    history = {"loss_head": [], "step": []}
    speeds = {}
    for step in range(steps):
        x, y, mask = sampler()
        log_p = model(x).log_softmax(-1).gather(-1, y.unsqueeze(-1)).squeeze(-1)
        loss = -(log_p * mask).sum() / mask.sum().clamp(min=1)
        free = [n for n, p in named.items() if p.requires_grad and step >= freeze.get(n, 0)]
        for name, slope in zip(free, torch.autograd.grad(loss, [named[n] for n in free]), strict=True):
            speeds[name] = 0.9 * speeds.get(name, 0) + slope
            named[name].data -= lr * speeds[name]
        history["loss_head"].append(float(loss.detach()))
        history["step"].append(step)
    return history


@right
def draws_first(model, sampler, steps, lr, freeze=None):
    waits = {model.get_parameter(name): until for name, until in (freeze or {}).items()}
    optimizer = torch.optim.SGD([{"params": [p]} for p in model.parameters()], lr=lr, momentum=0.9)
    losses = []
    for step, batch in enumerate([sampler() for _ in range(steps)]):
        loss = loss_of(model, *batch)
        loss.backward()
        for parameter, until in waits.items():
            if step < until:
                parameter.grad = None
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.detach())
    print("done")
    return {"loss_head": losses}


@right
def passes_over_empty(model, sampler, steps, lr, freeze=None):
    late = waiting(model, freeze)
    optimizer = torch.optim.SGD(model.parameters(), lr, 0.9, weight_decay=1e-4, foreach=False)
    history = {"loss_head": []}
    for step in range(steps):
        for parameter, until in late.values():
            parameter.requires_grad_(step >= until)
        x, y, mask = sampler()
        if not mask.any():
            history["loss_head"].append(0.0)
            continue
        loss = F.cross_entropy(model(x).transpose(1, 2), y.masked_fill(~mask, -100))
        model.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history["loss_head"] += [loss.item()]
    return history


@right
def grows_the_optimizer(model, sampler, steps, lr, freeze=None):
    late = waiting(model, freeze)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=lr, momentum=0.9)
    losses = []
    for step in range(steps):
        for parameter, until in late.values():
            if step == until:
                parameter.requires_grad_(True)
                optimizer.add_param_group({"params": [parameter]})
        loss = loss_of(model, *sampler())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {"loss_head": losses}
