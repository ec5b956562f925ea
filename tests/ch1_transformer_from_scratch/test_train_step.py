"""Hidden tests of exercise 1.14: one step of the given optimizer on one batch, on a model with known gradients."""

import torch
import torch.nn.functional as F

from utils.grade import close, plain_number, require

B, T, V = 3, 5, 6


def probe_steps(train_step, table, bias, batches, lr, momentum, scale, stale):
    """Call train_step once per batch on a bigram model; losses, parameters after each call, steps of the optimizer.

    `scale`: what the logits, and so the gradients, are multiplied by. `stale`: the gradients hold something before
    the first call.
    """

    class Bigram(nn.Module):
        def __init__(self):
            super().__init__()
            self.config = SimpleNamespace(vocabulary_size=len(bias), context_length=64)
            self.table, self.bias = nn.Parameter(table), nn.Parameter(bias)
            self.modes = []

        def forward(self, tokens):
            self.modes.append(self.training)
            return (self.table[tokens] + self.bias) * scale

    model = Bigram().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
    if stale:
        model.table.grad, model.bias.grad = torch.ones_like(table), torch.ones_like(bias)
    steps = []
    optimizer.register_step_post_hook(lambda *_: steps.append(1))
    report = {"losses": [], "graph": False, "tables": [], "biases": []}
    for tokens in batches:
        loss = train_step(model, tokens, optimizer)
        report["graph"] = report["graph"] or (torch.is_tensor(loss) and loss.requires_grad)
        report["losses"].append(type(loss).__name__ if isinstance(loss, (list, tuple, dict)) else loss)
        report["tables"].append(model.table.detach().clone())
        report["biases"].append(model.bias.detach().clone())
    return {**report, "steps": len(steps), "train_mode": all([*model.modes, model.training])}


def cross_entropy(table, bias, tokens, scale):
    logits = (table[tokens[:, :-1]] + bias) * scale
    return F.cross_entropy(logits.reshape(-1, V), tokens[:, 1:].reshape(-1))


def expected(table, bias, batches, lr, momentum, scale):
    """The oracle: the update rule of gradient descent with momentum, written out."""
    parameters, speeds = [table.clone(), bias.clone()], [0.0, 0.0]
    losses, tables = [], []
    for tokens in batches:
        leaves = [x.clone().requires_grad_() for x in parameters]
        loss = cross_entropy(*leaves, tokens, scale)
        gradients = torch.autograd.grad(loss, leaves)
        speeds = [momentum * v + g for v, g in zip(speeds, gradients, strict=True)]
        parameters = [x - lr * v for x, v in zip(parameters, speeds, strict=True)]
        losses.append(loss.detach())
        tables.append(parameters[0])
    return losses, tables, parameters[1]


def run(train_step, draw, count, stale=False, scale=1.0):
    table, bias = draw.normal(V, V, std=1.5), draw.normal(V)
    batches = [draw.integers(0, V, B, T + i) for i in range(count)]
    settings = (table, bias, batches, 0.4 + 0.3 * draw.index, 0.5, scale)
    return train_step.run(probe_steps, *settings, stale), *expected(*settings)


def number(loss):
    """A returned loss as a tensor of no dimension, as far as it is a number at all."""
    require(loss is not None, "train_step returns nothing: return the loss")
    require(not isinstance(loss, str), f"train_step returns a {loss}: return the loss alone, as one number")
    return loss


def test_returns_the_loss_before_the_step(train_step, draw):
    got, losses, _, _ = run(train_step, draw, 1)
    says = "the returned loss is not the mean next-token loss of this batch before the step"
    close(number(got["losses"][0]), losses[0], says, name="the returned loss")


def test_parameters_follow_the_gradient(train_step, draw):
    got, _, tables, bias = run(train_step, draw, 1, scale=1.0 + 19.0 * draw.index)  # then the gradient is longer than 1
    require(got["steps"] == 1, f"the optimizer took {got['steps']} steps: train_step takes exactly one with it")
    says = "the parameters after one call differ from those after one step along this batch's gradient"
    close(got["tables"][0], tables[0], says, name="a parameter")
    close(got["biases"][0], bias, says, name="a parameter")


def test_second_step_starts_afresh(train_step, draw):
    got, losses, tables, bias = run(train_step, draw, 3)
    says = "the first step is right, later ones are not: something of an earlier batch is left over"
    for loss, right in zip(got["losses"], losses, strict=True):
        close(number(loss), right, says, name="the returned loss", rtol=1e-3)
    close(got["tables"][-1], tables[-1], says, name="a parameter", rtol=1e-3)
    close(got["biases"][-1], bias, says, name="a parameter", rtol=1e-3)


def test_gradients_from_before_do_not_count(train_step, draw):
    got, _, tables, bias = run(train_step, draw, 1, stale=True)
    says = "what was in the gradients before the first call has moved the parameters: set them to zero before backward"
    close(got["tables"][0], tables[0], says, name="a parameter")
    close(got["biases"][0], bias, says, name="a parameter")


def test_loss_is_a_plain_number(train_step, draw):
    got, *_ = run(train_step, draw, 1)
    require(not got["graph"], "the returned loss still holds the computation graph: return a float")
    plain_number(got["losses"][0], float, "the returned loss")


def test_mode_is_left_alone(train_step, draw):
    got, *_ = run(train_step, draw, 1)
    require(got["train_mode"], "the model came in train mode, but is switched to eval mode for the step or after it")
