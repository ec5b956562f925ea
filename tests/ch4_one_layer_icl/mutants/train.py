"""Wrong answers to exercise 4.13 that learners write, and right ones written differently."""

from copy import deepcopy
from pathlib import Path

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong
from utils.grade.suite import load_file

pieces = load_file(Path(__file__).with_name("_pieces.py"))
common = load_file(Path(__file__).with_name("_train_loop.py"))
sample_batch, loss_of, normalised, loop = pieces.sample_batch, common.loss_of, common.normalised, common.loop


@wrong("id[t] is the loss after the step: it is that before the step")
def id_after(*given, **named):
    return loop(*given, **named, late=True)


@wrong("ood[t] is the loss before the step: it is that after the step")
def ood_before(*given, **named):
    return loop(*given, **named, before=True)


@wrong("the set of unseen outputs is drawn again at every step: draw it once, before the loop")
def ood_redrawn(model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None):
    test = lambda: sample_batch(cfg, 512, noisy, alpha, True, generator)  # noqa: E731
    return loop(model, cfg, steps, noisy, alpha, lr, batch, generator, unseen=test)


@wrong("the set for 'ood' holds the outputs of training: draw it with ood=True")
def ood_of_training(model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None):
    test = sample_batch(cfg, 512, noisy, alpha, False, generator)
    return loop(model, cfg, steps, noisy, alpha, lr, batch, generator, unseen=test)


@wrong("'ood' is taken on the training batches: it is the loss on one fixed set of unseen outputs")
def ood_on_training_batch(model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None):
    last = []

    def fresh(step):
        last[:] = sample_batch(cfg, batch, noisy, alpha, False, generator)
        return last

    return loop(model, cfg, steps, noisy, alpha, lr, batch, generator, fresh=fresh, unseen=last)


@wrong("the set of unseen outputs is drawn without the noise: it has the same noise as the training")
def ood_without_noise(model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None):
    test = sample_batch(cfg, 512, False, ood=True, generator=generator)
    return loop(model, cfg, steps, noisy, alpha, lr, batch, generator, unseen=test)


@wrong("'ood' never counts the noise: its labels are the noise token with probability alpha, as in training")
def ood_without_alpha(model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None):
    test = sample_batch(cfg, 512, noisy, ood=True, generator=generator)
    return loop(model, cfg, steps, noisy, alpha, lr, batch, generator, unseen=test)


@wrong("the model is trained without the noise: hand noisy and alpha on to every draw")
def trains_without_noise(model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None):
    test = sample_batch(cfg, 512, noisy, alpha, True, generator)
    return loop(model, cfg, steps, False, alpha, lr, batch, generator, unseen=test)


@wrong(
    "noise never reaches the training loss: hand alpha on to each draw, and take the labels, the second of the three"
)
def trains_without_alpha(model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None):
    test = sample_batch(cfg, 512, noisy, alpha, True, generator)
    return loop(model, cfg, steps, noisy, 0.0, lr, batch, generator, unseen=test)


@wrong("the loss is taken against the outputs y: the labels, the second of the three, are sometimes noise")
def learns_outputs(*given, **named):
    against_y = lambda model, batch: F.cross_entropy(model(batch[0])[0], batch[2])  # noqa: E731
    return loop(*given, **named, tell=against_y, try_on=against_y)


@wrong("'ood' never counts the noise: its labels are the noise token with probability alpha, as in training")
def ood_against_outputs(*given, **named):
    return loop(*given, **named, try_on=lambda model, batch: F.cross_entropy(model(batch[0])[0], batch[2]))


@wrong("one batch is used for all steps: draw a fresh one at every step")
def same_batch(model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None):
    data = sample_batch(cfg, batch, noisy, alpha, False, generator)
    return loop(model, cfg, steps, noisy, alpha, lr, batch, generator, fresh=lambda step: data)


@wrong("the loss before the step is taken on another batch than the step")
def two_batches(model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None):
    def move(model, lr, loss):
        normalised(model, lr, loss_of(model, sample_batch(cfg, batch, noisy, alpha, False, generator)))

    return loop(model, cfg, steps, noisy, alpha, lr, batch, generator, move=move)


@wrong("the generator is not passed to every draw: the same seed must give the same sentences")
def generator_ignored(model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None):
    return loop(model, cfg, steps, noisy, alpha, lr, batch)


@wrong("the generator is not passed to every draw: the same seed must give the same sentences")
def ood_without_generator(model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None):
    test = sample_batch(cfg, 512, noisy, alpha, True)
    return loop(model, cfg, steps, noisy, alpha, lr, batch, generator, unseen=test)


@wrong("the gradients are not normalised: each tensor moves by exactly lr")
def plain_gradient(*given, **named):
    def move(model, lr, loss):
        torch.optim.SGD(model.parameters(), lr).zero_grad()
        loss.backward()
        torch.optim.SGD(model.parameters(), lr).step()

    return loop(*given, **named, move=move)


@wrong("one norm is taken over all tensors together: each tensor is normalised by its own")
def global_norm(*given, **named):
    def move(model, lr, loss):
        grads = torch.autograd.grad(loss, list(model.parameters()))
        total = sum(g.square().sum() for g in grads).sqrt()
        for p, g in zip(model.parameters(), grads, strict=True):
            p.data -= lr * g / total

    return loop(*given, **named, move=move)


@wrong("a tensor with a zero gradient is divided by its zero norm and becomes nan: it must stay")
def zero_norm(*given, **named):
    def move(model, lr, loss):
        for p, g in zip(model.parameters(), torch.autograd.grad(loss, list(model.parameters())), strict=True):
            p.data -= lr * g / g.norm()

    return loop(*given, **named, move=move)


@wrong("Adam takes the steps: per-tensor normalised gradient descent is asked for")
def adam(model, *given, **named):
    optimizer = torch.optim.Adam(model.parameters(), lr=named.get("lr", 0.5))

    def move(model, lr, loss):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return loop(model, *given, **named, move=move)


@wrong("the gradients are never set to zero: each step also follows those of all earlier batches")
def no_zero_grad(*given, **named):
    def move(model, lr, loss):
        loss.backward()
        for p in model.parameters():
            p.data -= lr * p.grad / (p.grad.norm() + (p.grad.norm() == 0))

    return loop(*given, **named, move=move)


@wrong("the step goes uphill")
def uphill(*given, **named):
    return loop(*given, **named, move=lambda model, lr, loss: normalised(model, -lr, loss))


@wrong("the model never moves: no step is taken")
def no_step(*given, **named):
    return loop(*given, **named, move=lambda model, lr, loss: loss.backward())


@wrong("the loss is that of the attention layer's logits alone: it is the cross-entropy of xi")
def attention_alone(*given, **named):
    alone = lambda model, batch: F.cross_entropy(model(batch[0])[1], batch[1])  # noqa: E731
    return loop(*given, **named, tell=alone, try_on=alone)


@wrong("the model is also trained on the set of unseen outputs: it must never learn from it")
def trains_on_unseen(model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None):
    def try_on(model, test):
        loss = loss_of(model, test)
        normalised(model, lr, loss)
        return loss

    return loop(model, cfg, steps, noisy, alpha, lr, batch, generator, try_on=try_on)


@wrong("one step too many is taken")
def one_step_too_many(model, cfg, steps, *given, **named):
    return loop(model, cfg, steps + 1, *given, **named)


@wrong("one step too few is taken")
def one_step_too_few(model, cfg, steps, *given, **named):
    return loop(model, cfg, steps - 1, *given, **named)


@wrong("`batch` is not used: every training batch has 64 sentences")
def batch_ignored(*given, **named):
    return loop(*given, **{**named, "batch": 64})


@wrong("`lr` is not used: every step has the length 0.5")
def lr_ignored(*given, **named):
    return loop(*given, **{**named, "lr": 0.5})


@wrong("'id' and 'ood' are exchanged")
def lists_exchanged(*given, **named):
    losses = loop(*given, **named)
    return {"id": losses["ood"], "ood": losses["id"]}


@wrong("the losses are returned with their computation graphs, which then stay in memory: keep plain numbers")
def holds_graphs(model, *given, **named):
    losses = loop(model, *given, **named)
    some = next(model.parameters()).sum() * 0
    return {name: [x + some for x in values] for name, values in losses.items()}


TENSORS = "the losses are tensors, which later cells cannot plot or average: .item() makes a plain number of each"


@wrong(TENSORS)
def tensors_without_graphs(*given, **named):
    return {name: [torch.tensor(x) for x in values] for name, values in loop(*given, **named).items()}


@wrong("a tensor of losses is returned under each name: a list of plain numbers is wanted")
def tensors_of_losses(*given, **named):
    return {name: torch.tensor(values) for name, values in loop(*given, **named).items()}


@wrong("'ood' holds the last loss alone: there is one for each step")
def last_ood(*given, **named):
    losses = loop(*given, **named)
    return {"id": losses["id"], "ood": losses["ood"][-1:]}


@wrong("the mean of the losses is returned: there is one for each step")
def means(*given, **named):
    return {name: sum(values) / len(values) for name, values in loop(*given, **named).items()}


@wrong("the names of the two lists are 'id' and 'ood', in small letters")
def other_names(*given, **named):
    return {name.upper(): values for name, values in loop(*given, **named).items()}


@wrong("the cross-entropy is given probabilities: it takes the logits xi and does the softmax itself")
def softmax_first(*given, **named):
    doubly = lambda model, batch: F.cross_entropy(model(batch[0])[0].softmax(-1), batch[1])  # noqa: E731
    return loop(*given, **named, tell=doubly, try_on=doubly)


@wrong("the training loss is that of the attention layer's logits alone: it is the cross-entropy of xi")
def trains_on_attention_alone(*given, **named):
    return loop(*given, **named, tell=lambda model, batch: F.cross_entropy(model(batch[0])[1], batch[1]))


@wrong("'ood' is the loss of the attention layer's logits alone: it is the cross-entropy of xi")
def ood_of_attention_alone(*given, **named):
    return loop(*given, **named, try_on=lambda model, batch: F.cross_entropy(model(batch[0])[1], batch[1]))


@wrong(
    "the training batches are drawn with ood true: a generator in the place of ood, the fifth argument, counts as true"
)
def generator_as_ood(model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None):
    test = sample_batch(cfg, 512, noisy, alpha, True, generator)
    fresh = lambda step: sample_batch(cfg, batch, noisy, alpha, generator)  # noqa: E731
    return loop(model, cfg, steps, noisy, alpha, lr, batch, generator, unseen=test, fresh=fresh)


@wrong("the unseen outputs take part in the training loss: the model must never learn from them")
def loss_of_both(model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None):
    test = sample_batch(cfg, 512, noisy, alpha, True, generator)
    both = lambda model, batch: loss_of(model, batch) + loss_of(model, test)  # noqa: E731
    return loop(model, cfg, steps, noisy, alpha, lr, batch, generator, unseen=test, tell=both)


@wrong("a copy of the model is trained: the given one must be trained")
def trains_a_copy(model, *given, **named):
    return loop(deepcopy(model), *given, **named)


@wrong("two lists are returned: a dict with 'id' and 'ood' is wanted")
def returns_lists(*given, **named):
    return tuple(loop(*given, **named).values())


@wrong("only the last losses are returned: there is one for each step")
def last_losses(*given, **named):
    return {name: values[-1] for name, values in loop(*given, **named).items()}


@wrong("training goes on until the loss is low, whatever steps says: it takes `steps` steps")
def until_it_fits(model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None):
    losses = {"id": [], "ood": []}
    while not losses["id"] or losses["id"][-1] > 1e-6:
        part = loop(model, cfg, 1, noisy, alpha, lr, batch, generator)
        losses = {name: losses[name] + part[name] for name in losses}
    return losses


@right
def by_optimizer(model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None):
    """SGD on gradients that are normalised in place; the unseen set is tried in two halves, in eval mode."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    curves = {"id": [], "ood": []}
    tokens, labels, _ = sample_batch(cfg, 60, noisy, alpha=alpha, ood=True, generator=generator)
    for _ in range(steps):
        z, target, _ = sample_batch(cfg, batch, noisy, alpha, generator=generator)
        model.train()
        optimizer.zero_grad()
        loss = F.cross_entropy(model(z)[0], target)
        loss.backward()
        for p in model.parameters():
            norm = p.grad.norm()
            p.grad = p.grad / norm if norm > 0 else p.grad
        optimizer.step()
        curves["id"].append(loss.detach().item())
        model.eval()
        with torch.inference_mode():
            halves = zip(tokens.split(30), labels.split(30), strict=True)
            curves["ood"].append(float(sum(F.cross_entropy(model(a)[0], b) for a, b in halves) / 2))
    return curves


@right
def by_functional_call(model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None):
    """Parameters in a dict, put into the model at the end; the unseen set comes last, from its own generator."""
    params = {name: value.detach().clone() for name, value in model.named_parameters()}

    def loss(params, tokens, labels):
        log_p = torch.func.functional_call(model, params, (tokens,))[0].log_softmax(-1)
        return -log_p.gather(1, labels[:, None]).mean()

    losses, history = [], []
    for _ in range(steps):
        tokens, labels, _ = sample_batch(cfg, batch, noisy, alpha, False, generator)
        grads, value = torch.func.grad_and_value(loss)(params, tokens, labels)
        params = pieces.ngd_step(params, grads, lr)
        losses.append(float(value))
        history.append(params)
    tokens, labels, _ = sample_batch(cfg, 50, noisy, alpha, True, torch.Generator().manual_seed(7))
    model.load_state_dict(params, strict=False)  # a model may hold buffers, too
    return {"id": losses, "ood": [loss(p, tokens, labels).item() for p in history]}


@right
def looks_twice(model, cfg, steps, noisy=False, alpha=0.0, lr=0.5, batch=64, generator=None):
    """The loss is told by a second call, and the same test set is drawn anew each time from the same seed."""
    losses = {"ood": [], "id": [], "steps": steps}
    params = dict(model.named_parameters())
    for _ in range(steps):
        data = sample_batch(cfg, batch, noisy, alpha, generator=generator)
        with torch.no_grad():
            losses["id"].append(loss_of(model, data).item())
        grads = dict(zip(params, torch.autograd.grad(loss_of(model, data), params.values()), strict=True))
        for name, value in pieces.ngd_step(params, grads, lr).items():
            params[name].data.copy_(value.data)
        test = sample_batch(cfg, 32, noisy, alpha, True, torch.Generator().manual_seed(0))
        losses["ood"].append(torch.no_grad()(loss_of)(model, test).item())
    return losses
