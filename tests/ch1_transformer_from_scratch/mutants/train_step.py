"""Wrong answers to exercise 1.14 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong


def next_token_loss(logits, tokens):
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())


@wrong("the gradients are never set to zero: each step also follows the gradients of all earlier batches")
def no_zero_grad(model, tokens, optimizer):
    loss = next_token_loss(model(tokens), tokens)
    loss.backward()
    optimizer.step()
    return loss.item()


# From outside the next two are the same: the optimizer steps, and no parameter moves.
NOTHING_TO_FOLLOW = "the optimizer finds no gradients: backward is missing, or zero_grad stands between it and step"


@wrong(NOTHING_TO_FOLLOW)
def zero_grad_too_late(model, tokens, optimizer):
    loss = next_token_loss(model(tokens), tokens)
    loss.backward()
    for parameter in model.parameters():
        parameter.grad.zero_()
    optimizer.step()
    return loss.item()


@wrong("the optimizer takes no step: backward alone changes no parameter")
def no_step(model, tokens, optimizer):
    optimizer.zero_grad()
    loss = next_token_loss(model(tokens), tokens)
    loss.backward()
    return loss.item()


@wrong(NOTHING_TO_FOLLOW)
def no_backward(model, tokens, optimizer):
    optimizer.zero_grad()
    loss = next_token_loss(model(tokens), tokens)
    optimizer.step()
    return loss.item()


@wrong("the loss is taken on unshifted targets: the logits at t are compared with token t")
def unshifted(model, tokens, optimizer):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(tokens).flatten(0, 1), tokens.flatten())
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("the loss is computed again after the step: return the one before it")
def loss_after(model, tokens, optimizer):
    optimizer.zero_grad()
    next_token_loss(model(tokens), tokens).backward()
    optimizer.step()
    return next_token_loss(model(tokens), tokens).item()


@wrong("the optimizer takes two steps on one batch")
def two_steps(model, tokens, optimizer):
    optimizer.zero_grad()
    loss = next_token_loss(model(tokens), tokens)
    loss.backward()
    optimizer.step()
    optimizer.step()
    return loss.item()


@wrong("the step goes uphill: the loss is made larger, not smaller")
def uphill(model, tokens, optimizer):
    optimizer.zero_grad()
    loss = next_token_loss(model(tokens), tokens)
    (-loss).backward()
    optimizer.step()
    return loss.item()


@wrong("the given optimizer is not used: a new one with settings of its own takes the step")
def own_optimizer(model, tokens, optimizer):
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
    optimizer.zero_grad()
    loss = next_token_loss(model(tokens), tokens)
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("the losses of all tokens are summed: the step grows with the size of the batch")
def summed(model, tokens, optimizer):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(tokens)[:, :-1].flatten(0, 1), tokens[:, 1:].flatten(), reduction="sum")
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("only the first row of the batch is used")
def first_row(model, tokens, optimizer):
    optimizer.zero_grad()
    loss = next_token_loss(model(tokens[:1]), tokens[:1])
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("the gradients are clipped, which changes the step: take the gradient as it is")
def clipped(model, tokens, optimizer):
    optimizer.zero_grad()
    loss = next_token_loss(model(tokens), tokens)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.05)
    optimizer.step()
    return loss.item()


@wrong("the loss is not returned")
def returns_nothing(model, tokens, optimizer):
    optimizer.zero_grad()
    next_token_loss(model(tokens), tokens).backward()
    optimizer.step()


@wrong("the loss is returned with its computation graph, which then stays in memory: return a plain number")
def holds_the_graph(model, tokens, optimizer):
    optimizer.zero_grad()
    loss = next_token_loss(model(tokens), tokens)
    loss.backward()
    optimizer.step()
    return loss


@wrong("the tokens are cut before the loss, which shifts once more: hand it all logits and all tokens of the batch")
def shifted_twice(model, tokens, optimizer):
    optimizer.zero_grad()
    loss = next_token_loss(model(tokens[:, :-1]), tokens[:, 1:])
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("two whole rounds are made on one batch: one loss, one backward, one step")
def two_rounds(model, tokens, optimizer):
    for _ in range(2):
        loss = no_zero_grad(model, tokens, optimizer)
        optimizer.zero_grad()
    return loss


@wrong("the loss is computed without a graph, so there is nothing to go back through: no torch.no_grad, no detach here")
def without_graph(model, tokens, optimizer):
    with torch.no_grad():
        loss = next_token_loss(model(tokens), tokens)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("the loss is turned into a number before backward: back-propagate the tensor, return its number at the end")
def number_too_early(model, tokens, optimizer):
    loss = next_token_loss(model(tokens), tokens).item()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


@wrong("the model is switched to eval mode for the step: that turns dropout off while it learns")
def in_eval_mode(model, tokens, optimizer):
    model.eval()
    return zero_grad_last(model, tokens, optimizer, mode=False).item()


@right
def zero_grad_last(model, tokens, optimizer, mode=True):
    model.train(mode)
    loss = next_token_loss(model(tokens), tokens)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach()


@right
def by_closure(model, tokens, optimizer):
    def closure():
        optimizer.zero_grad(set_to_none=False)
        loss = next_token_loss(model(tokens), tokens)
        loss.backward()
        return loss

    return optimizer.step(closure).item()


@right
def gradients_by_hand(model, tokens, optimizer):
    parameters = list(model.parameters())
    log_probabilities = model(tokens)[:, :-1].log_softmax(-1)
    loss = -log_probabilities.gather(-1, tokens[:, 1:, None]).mean()
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    optimizer.step()
    return loss.item()


@right
def shifted_by_hand(model, tokens, optimizer):
    logits = model(tokens[:, :-1])
    loss = F.cross_entropy(logits.transpose(1, 2), tokens[:, 1:])
    model.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss.detach())
