"""Wrong answers to exercise 2.19 that learners write, and right ones written differently.

Most of them fill in the loop of _train_loop.py; each changes one thing of it.
"""

from pathlib import Path

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong
from utils.grade.suite import load_file

right_loop = load_file(Path(__file__).with_name("_train_loop.py"))
loop, loss_of, waiting = right_loop.loop, right_loop.loss_of, right_loop.waiting
pieces = load_file(Path(__file__).with_name("_memory_pieces.py"))


def without_decay(lr):
    """The optimizer of those who leave weight decay out, which is right as well."""
    return lambda parameters: torch.optim.SGD(parameters, lr=lr, momentum=0.9)


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


NEVER_CLEARED = "the gradients are never cleared: each step also follows those of all earlier batches"


@wrong(NEVER_CLEARED)
def no_zero_grad(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, freeze, clear=False)


@wrong(NEVER_CLEARED)
def no_zero_grad_and_no_decay(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, freeze, clear=False, make=without_decay(lr))


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


@wrong("the learning rate falls during training: it stays lr")
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


@wrong("every step uses the same batch: call sampler once per step")
def same_batch(model, sampler, steps, lr, freeze=None):
    batch = sampler()
    return loop(model, lambda: batch, steps, lr, freeze)


@wrong("sampler is called again for the measurement: call it once per step, or the data are no longer the same")
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


@wrong("the losses are returned under another name: the history's key is 'loss_head'")
def other_key(model, sampler, steps, lr, freeze=None):
    return {"loss": loop(model, sampler, steps, lr, freeze)["loss_head"]}


@wrong("only the last loss is kept: return one float per step")
def last_loss(model, sampler, steps, lr, freeze=None):
    return {"loss_head": loop(model, sampler, steps, lr, freeze)["loss_head"][-1]}


@wrong("the losses are averaged during training: keep each step's own")
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


@wrong("the losses are tensors: plain floats are promised, .item() makes one of a loss")
def keeps_tensors(model, sampler, steps, lr, freeze=None):
    return {"loss_head": [torch.tensor(x) for x in loop(model, sampler, steps, lr, freeze)["loss_head"]]}


NOTHING_TO_DIFFERENTIATE = (
    "backward() is called although every matrix is still frozen: then the loss has no gradient, and it raises"
)


def loss_with_backward(model, *batch):
    loss = loss_of(model, *batch)
    loss.backward(retain_graph=True)
    model.zero_grad()
    return loss


@wrong(NOTHING_TO_DIFFERENTIATE)
def backward_without_gradients(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, freeze, loss_of=loss_with_backward)


@wrong(NOTHING_TO_DIFFERENTIATE)
def backward_without_gradients_and_no_decay(model, sampler, steps, lr, freeze=None):
    return loop(model, sampler, steps, lr, freeze, loss_of=loss_with_backward, make=without_decay(lr))


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
        slopes = torch.autograd.grad(loss, [named[n] for n in free]) if free else ()
        for name, slope in zip(free, slopes, strict=True):
            speeds[name] = 0.9 * speeds.get(name, 0) + slope
            named[name].data -= lr * speeds[name]
        history["loss_head"].append(float(loss.detach()))
        history["step"].append(step)
    return history


@right
def draws_first(model, sampler, steps, lr, freeze=None):
    named = dict(model.named_parameters())
    if unknown := [name for name in freeze or {} if name not in named]:
        raise ValueError(unknown)
    waits = {named[name]: until for name, until in (freeze or {}).items()}
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
        losses.append(loss.item())
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
        if loss.requires_grad:
            loss.backward()
        optimizer.step()
        history["loss_head"] += [loss.item()]
    return history


@right
def grows_the_optimizer(model, sampler, steps, lr, freeze=None):
    late = waiting(model, freeze)
    frozen = [p for p in model.parameters() if not p.requires_grad and all(p is not q for q, _ in late.values())]
    free = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD([{"params": free + frozen}], lr=lr, momentum=0.9)
    losses = []
    for step in range(steps):
        for parameter, until in late.values():
            if step == until:
                parameter.requires_grad_(True)
                optimizer.add_param_group({"params": [parameter]})
        loss = loss_of(model, *sampler())
        optimizer.zero_grad()
        if any(p.requires_grad for p in model.parameters()):
            loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {"loss_head": losses}


globals().update(pieces.marked("_train_waiting.py"))
