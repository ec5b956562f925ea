"""Hidden tests of exercise 1.15: exactly `steps` steps, in train mode, and the mode before is restored."""

import torch
import torch.nn.functional as F

from utils.grade import a_thing, close, equal, plain_number, require

B, T, V = 3, 5, 6


def probe_training(train, table, batches, lr, steps, mode, kind):
    """Train a bigram model that notes the mode of every call.

    `kind`: batches come as a "list", as an iterator that gives each "once", or "endless", over and over again. An
    iterator that is asked on and on gives up, so that a loop that never ends does.
    """

    class Enough(BaseException):
        pass

    class Stream:
        def __init__(self):
            self.taken, self.after = 0, 0

        def __iter__(self):
            return self

        def __next__(self):
            if kind == "once" and self.taken == len(batches):
                self.after += 1
                if self.after > 20:
                    raise Enough("once")
                raise StopIteration
            self.taken += 1
            if self.taken > steps + 50:
                raise Enough("endless")
            return batches[(self.taken - 1) % len(batches)]

    class Bigram(nn.Module):
        def __init__(self):
            super().__init__()
            self.config = SimpleNamespace(vocabulary_size=len(table), context_length=64)
            self.table, self.dropout = nn.Parameter(table), nn.Dropout(0.0)
            self.modes = []

        def forward(self, tokens):
            self.modes.append(self.training and self.dropout.training)
            return self.dropout(self.table[tokens])

    model, stream = Bigram().train(mode), Stream()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    taken = []
    optimizer.register_step_post_hook(lambda *_: taken.append(1))
    try:
        losses = train(model, batches if kind == "list" else stream, optimizer, steps)
    except Enough as error:
        return {"never_ends": str(error)}
    return {
        "never_ends": "",
        "losses": losses,
        "graph": isinstance(losses, (list, tuple)) and any(torch.is_tensor(x) and x.requires_grad for x in losses),
        "steps": len(taken),
        "modes": model.modes,
        "mode_after": [model.training, model.dropout.training],
        "table": model.table,
    }


def expected(table, batches, lr, steps):
    """The oracle: plain gradient descent, written out."""
    losses = []
    for tokens in batches[:steps]:
        leaf = table.clone().requires_grad_()
        loss = F.cross_entropy(leaf[tokens[:, :-1]].reshape(-1, V), tokens[:, 1:].reshape(-1))
        (gradient,) = torch.autograd.grad(loss, leaf)
        table = table - lr * gradient
        losses.append(loss.detach())
    return torch.stack(losses), table


def run(train, draw, mode=True, kind="list", more=3):
    steps = 4 + draw.index
    batches = [draw.integers(0, V, B, T) for _ in range(steps + more)]
    table, lr = draw.normal(V, V, std=1.5), 2.0
    got = train.run(probe_training, table, batches, lr, steps, mode, kind)
    never = {
        "endless": f"train takes batch after batch of endless ones, though steps is {steps}: it must end after `steps`",
        "once": f"train asks for more than its {len(batches)} batches without end: it must stop after `steps`, here "
        f"{steps}",
    }
    require(not got["never_ends"], never.get(got["never_ends"], ""))
    return got, steps, *expected(table, batches, lr, steps)


def as_list(losses):
    """Losses as a tensor (steps,); a list of numbers or 0-d tensors and a tensor count alike."""
    require(losses is not None, "train returns nothing: return the list of losses")
    several = len(losses.shape) == 1 if torch.is_tensor(losses) else isinstance(losses, (list, tuple))
    require(several, "train returns a single number: return the list of all losses")
    single = all(isinstance(x, (int, float)) or torch.is_tensor(x) and x.numel() == 1 for x in losses)
    require(single, "the list of losses must hold one number a step")
    return torch.stack([torch.as_tensor(x, dtype=torch.float32).reshape(()) for x in losses]) if len(losses) else []


def test_takes_exactly_steps(train, draw):
    got, steps, _, _ = run(train, draw)
    equal(got["steps"], steps, f"the optimizer took {got['steps']} steps, but steps is {steps}")


def test_one_loss_a_step(train, draw):
    got, steps, losses, _ = run(train, draw)
    result = as_list(got["losses"])
    require(len(result) == steps, f"{len(result)} losses are returned for {steps} steps", expected=losses, got=result)
    close(result[0], losses[0], "the first loss is not that of the first batch before any step", name="the first loss")


def test_learns_as_gradient_descent_does(train, draw):
    got, _, losses, table = run(train, draw)
    says = "losses or parameters are not those of one step on each batch in turn"
    close(as_list(got["losses"]), losses, says, name="the losses", rtol=1e-3)
    close(got["table"], table, says, name="the trained parameter", rtol=1e-3, atol=1e-4)


def test_train_mode_while_running(train, draw):
    got, *_ = run(train, draw, mode=False)
    says = "the model came in eval mode, and at least one step was taken in that mode"
    require(got["modes"] and all(got["modes"]), says)


def test_mode_is_restored(train, draw):
    for mode in (False, True):
        got, *_ = run(train, draw, mode=mode)
        names = {True: "train", False: "eval"}
        says = f"the model came in {names[mode]} mode, but is left in {names[not mode]} mode"
        equal(got["mode_after"], [mode, mode], says)


def test_losses_are_plain_numbers(train, draw):
    got, *_ = run(train, draw)
    require(not got["graph"], "the losses still hold their computation graphs: keep plain numbers")
    require(isinstance(got["losses"], list), f"the losses must be a list, but they are {a_thing(got['losses'])}")
    for loss in got["losses"]:
        plain_number(loss, float, "a loss in the list")


def test_batches_come_one_by_one(train, draw):
    got, _, losses, _ = run(train, draw, kind="once", more=3 * draw.index)  # the last batch may be the last there is
    says = "with batches that come one by one (from a generator) the losses are wrong"
    close(as_list(got["losses"]), losses, says, name="the losses", rtol=1e-3)


def test_endless_batches(train, draw):
    got, _, losses, _ = run(train, draw, kind="endless", more=draw.index)
    close(as_list(got["losses"]), losses, "with endless batches the losses are wrong", name="the losses", rtol=1e-3)
