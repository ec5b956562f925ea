"""Wrong answers to exercise 1.15 that learners write, and right ones written differently."""

from itertools import cycle, islice

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong


def loss_of(model, tokens):
    return F.cross_entropy(model(tokens)[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())


def train_step(model, tokens, optimizer):
    loss = loss_of(model, tokens)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("one step too many is taken: the limit is looked at after the step it should prevent")
def one_too_many(model, batches, optimizer, steps):
    before, losses = model.training, []
    model.train()
    for step, tokens in enumerate(batches):
        losses.append(train_step(model, tokens, optimizer))
        if step >= steps:
            break
    model.train(before)
    return losses


@wrong("one step too few is taken")
def one_too_few(model, batches, optimizer, steps):
    before = model.training
    model.train()
    losses = [train_step(model, tokens, optimizer) for _, tokens in zip(range(1, steps), batches, strict=False)]
    model.train(before)
    return losses


@wrong("every batch there is gets a step: stop after `steps`")
def all_batches(model, batches, optimizer, steps):
    before = model.training
    model.train()
    losses = [train_step(model, tokens, optimizer) for tokens in batches]
    model.train(before)
    return losses


@wrong("every step uses the first batch again: go on to the next one")
def same_batch(model, batches, optimizer, steps):
    before, first = model.training, next(iter(batches))
    model.train()
    losses = [train_step(model, first, optimizer) for _ in range(steps)]
    model.train(before)
    return losses


@wrong("the gradients are never set to zero: each step also follows the gradients of all earlier batches")
def no_zero_grad(model, batches, optimizer, steps):
    before, losses = model.training, []
    model.train()
    for tokens in islice(batches, steps):
        loss = loss_of(model, tokens)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.train(before)
    return losses


@wrong("the losses are those after each step: keep the one before it")
def loss_after(model, batches, optimizer, steps):
    before, losses = model.training, []
    model.train()
    for tokens in islice(batches, steps):
        train_step(model, tokens, optimizer)
        losses.append(loss_of(model, tokens).item())
    model.train(before)
    return losses


@wrong("the loss is taken on unshifted targets: the logits at t are compared with token t")
def unshifted(model, batches, optimizer, steps):
    before, losses = model.training, []
    model.train()
    for tokens in islice(batches, steps):
        loss = F.cross_entropy(model(tokens).flatten(0, 1), tokens.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.train(before)
    return losses


@wrong("the optimizer never steps: the losses are measured, but nothing is learned")
def only_measures(model, batches, optimizer, steps):
    before = model.training
    model.train()
    losses = [loss_of(model, tokens).item() for tokens in islice(batches, steps)]
    model.train(before)
    return losses


@wrong("the given optimizer is not used: a new one with settings of its own takes the steps")
def own_optimizer(model, batches, optimizer, steps):
    own = torch.optim.AdamW(model.parameters(), lr=3e-4)
    before = model.training
    model.train()
    losses = [train_step(model, tokens, own) for tokens in islice(batches, steps)]
    model.train(before)
    return losses


@wrong("only the last loss is returned: return those of all steps")
def last_loss(model, batches, optimizer, steps):
    before = model.training
    model.train()
    losses = [train_step(model, tokens, optimizer) for tokens in islice(batches, steps)]
    model.train(before)
    return losses[-1:]


@wrong("the losses are averaged as training goes on: return each step's own")
def running_mean(model, batches, optimizer, steps):
    before = model.training
    model.train()
    losses = [train_step(model, tokens, optimizer) for tokens in islice(batches, steps)]
    model.train(before)
    return [sum(losses[: i + 1]) / (i + 1) for i in range(len(losses))]


@wrong("nothing is returned: the losses are lost")
def returns_nothing(model, batches, optimizer, steps):
    before = model.training
    model.train()
    for tokens in islice(batches, steps):
        train_step(model, tokens, optimizer)
    model.train(before)


@wrong("train mode is never switched on: a model that was being evaluated trains in eval mode")
def mode_untouched(model, batches, optimizer, steps):
    return [train_step(model, tokens, optimizer) for tokens in islice(batches, steps)]


@wrong("the model is trained in eval mode, which switches dropout off")
def trains_in_eval_mode(model, batches, optimizer, steps):
    before = model.training
    model.eval()
    losses = [train_step(model, tokens, optimizer) for tokens in islice(batches, steps)]
    model.train(before)
    return losses


@wrong("the model is left in train mode: restore the mode it had before")
def left_in_train_mode(model, batches, optimizer, steps):
    model.train()
    return [train_step(model, tokens, optimizer) for tokens in islice(batches, steps)]


@wrong("the model always ends in eval mode: restore the mode it had before")
def left_in_eval_mode(model, batches, optimizer, steps):
    model.train()
    losses = [train_step(model, tokens, optimizer) for tokens in islice(batches, steps)]
    model.eval()
    return losses


@wrong("only the model's own training flag is put back, not that of its parts: call model.train or model.eval")
def flag_only(model, batches, optimizer, steps):
    before = model.training
    model.train()
    losses = [train_step(model, tokens, optimizer) for tokens in islice(batches, steps)]
    model.training = before
    return losses


@wrong("the losses are kept with their computation graphs, which fill the memory: keep plain numbers")
def keeps_graphs(model, batches, optimizer, steps):
    before, losses = model.training, []
    model.train()
    for tokens in islice(batches, steps):
        losses.append(loss_of(model, tokens))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    model.train(before)
    return losses


@wrong("batches are looked up by number, which fails for a generator or a DataLoader: iterate over them")
def by_number(model, batches, optimizer, steps):
    before = model.training
    model.train()
    losses = [train_step(model, batches[step], optimizer) for step in range(steps)]
    model.train(before)
    return losses


@wrong("the first batch is thrown away: the first step takes the first batch")
def skips_the_first(model, batches, optimizer, steps):
    before, source = model.training, iter(batches)
    model.train()
    next(source)
    losses = [train_step(model, tokens, optimizer) for tokens in islice(source, steps)]
    model.train(before)
    return losses


@wrong("return stands inside the loop, so that training ends after one step")
def returns_in_the_loop(model, batches, optimizer, steps):
    before, losses = model.training, []
    model.train()
    for tokens in islice(batches, steps):
        losses.append(train_step(model, tokens, optimizer))
        model.train(before)
        return losses


@wrong("all batches are gone through `steps` times: one step takes one batch")
def whole_rounds(model, batches, optimizer, steps):
    before, kept = model.training, list(batches)
    model.train()
    losses = [train_step(model, tokens, optimizer) for _ in range(steps) for tokens in kept]
    model.train(before)
    return losses


@wrong("the mode is put back inside the loop, after the first step: put it back after the last one")
def restores_in_the_loop(model, batches, optimizer, steps):
    before, losses = model.training, []
    model.train()
    for tokens in islice(batches, steps):
        losses.append(train_step(model, tokens, optimizer))
        model.train(before)
    return losses


@wrong("one batch more than there are steps is asked for, which fails where there is none")
def one_batch_too_many(model, batches, optimizer, steps):
    before, losses, source = model.training, [], iter(batches)
    model.train()
    tokens = next(source)
    for _ in range(steps):
        losses.append(train_step(model, tokens, optimizer))
        tokens = next(source)
    model.train(before)
    return losses


@right
def own_loop(model, batches, optimizer, steps):
    was_training, losses, source = model.training, [], iter(batches)
    model.train()
    while len(losses) < steps:
        tokens = next(source)
        log_probabilities = model(tokens)[:, :-1].log_softmax(-1)
        loss = -log_probabilities.gather(-1, tokens[:, 1:, None]).mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.detach())
    if not was_training:
        model.eval()
    return losses


@right
def by_cycle(model, batches, optimizer, steps):
    modes = {module: module.training for module in model.modules()}
    try:
        model.train()
        return [train_step(model, tokens, optimizer) for tokens in islice(cycle(batches), steps)]
    finally:
        for module, mode in modes.items():
            module.training = mode


@right
def looks_first(model, batches, optimizer, steps):
    before, losses = model.training, []
    model.train()
    for step, tokens in enumerate(batches):
        if step == steps:
            break
        losses.append(train_step(model, tokens, optimizer))
    model.train(before)
    return losses
