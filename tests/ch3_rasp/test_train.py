"""Hidden tests of exercise 3.23, on a bigram table whose training the judge repeats; the rules come one by one.

Batches with wrong targets make the validation loss rise where a test needs it to. Every scene is told by its epochs:
"+" has a batch with the validation's own targets, "-" one with wrong targets.
"""

import torch
import torch.nn.functional as F

from utils.grade import close, draws, equal, raises, require
from utils.grade.judge import a_thing

V = 4


def probe_training(train, table, look, epochs, validation, settings):
    """Train a table of logits, with one attention head, on given batches; what came of it as plain data.

    `settings`: momentum, lr, `stop` = [epoch, batch], before which a KeyboardInterrupt comes (with `broken`, an error),
    and arguments of train. The two parameters are in two groups; the second has `ratio` times the learning rate.
    """

    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.look, self.dropout = nn.Parameter(table), nn.Parameter(look), nn.Dropout(0.0)
            self.modes = []

        def forward(self, tokens, mask):
            self.modes.append(self.training and self.dropout.training)
            T = tokens.shape[1]
            hidden = ~mask[:, None, None, :]
            scores = self.look[:T, :T].expand(len(tokens), 1, T, T).masked_fill(hidden, -torch.inf)
            return self.dropout(self.table[tokens]), [scores.softmax(-1)]

    def batch_of(part):
        tokens, targets, matrix = part
        mask = targets != -100
        return tokens, targets, mask, {} if matrix is None else {(0, 0): matrix}

    started, model = [], Small().eval()
    stop, Stop = settings.pop("stop"), ZeroDivisionError if settings.pop("broken") else KeyboardInterrupt
    notes = [] if settings.pop("notes") else None

    def one_by_one(number, epoch):
        for place, part in enumerate(epoch):
            if [number, place] == stop:
                raise Stop
            yield batch_of(part)
        if [number, len(epoch)] == stop:
            raise Stop

    def all_epochs():
        for number, epoch in enumerate(epochs):
            started.append(number)
            yield one_by_one(number, epoch)

    def after_epoch(found):
        notes.append([dict(found) if isinstance(found, dict) else type(found).__name__, len(started)])

    if notes is not None:
        settings["after_epoch"] = after_epoch
    lr = settings.pop("lr")
    groups = [{"params": [model.table]}, {"params": [model.look], "lr": lr * settings.pop("ratio")}]
    optimizer = torch.optim.SGD(groups, lr=lr, momentum=settings.pop("momentum"))
    taken = []
    optimizer.register_step_post_hook(lambda *_: taken.append(model.modes[-1]))
    escaped = False
    try:
        history = train(model, all_epochs(), [batch_of(part) for part in validation], optimizer, **settings)
    except KeyboardInterrupt:
        history, escaped = [], True
    return {
        "history": history,
        "notes": notes or [],
        "escaped": escaped,
        "table": model.table,
        "look": model.look,
        "modes": taken,
        "lr": [group["lr"] for group in optimizer.param_groups],
        "state": sum(torch.is_tensor(value) for state in optimizer.state.values() for value in state.values()),
        "started": len(started),
    }


def losses(table, look, part):
    """Sequence loss and attention loss of a batch, row by row."""
    tokens, targets, matrix = part
    lengths = (targets != -100).sum(1).tolist()
    rows = [F.cross_entropy(table[t[:n]], y[:n]) for t, y, n in zip(tokens, targets, lengths, strict=True)]
    if matrix is None:
        return torch.stack(rows).mean(), None
    squares = []
    for b, n in enumerate(lengths):
        wanted = matrix[b, :n, :n].double()
        wanted = wanted / wanted.sum(1, keepdim=True)
        squares.append((look[:n, :n].softmax(-1) - wanted).square().mean())
    return torch.stack(rows).mean(), torch.stack(squares).mean()


def measured(table, look, validation, weight, bos):
    """The oracle of `evaluate`."""
    rows, loss, right, positions = 0, 0.0, 0, 0
    for part in validation:
        one, two = losses(table, look, part)
        loss += (one + weight * (0 if two is None else two)).item() * len(part[0])
        rows += len(part[0])
        guesses, targets = table[part[0]].argmax(-1)[:, int(bos) :], part[1][:, int(bos) :]
        right += int((guesses == targets).sum())
        positions += int((targets != -100).sum())
    return {"loss": loss / rows, "accuracy": right / positions}


def replay(table, look, epochs, validation, settings, cleared="step"):
    """The oracle, in float64: history, weights, learning rate, and how often the best weights came back.

    `cleared`: how often the gradients are, which is before each step; an "epoch" or "never" are mistakes.
    """
    weight, bos = settings.get("attention_weight", 0.0), settings.get("bos", False)
    patience, gamma, stop = settings.get("patience", 10), settings.get("gamma", 1.0), settings["stop"]
    values, speed = [table.double(), look.double()], [0.0, 0.0]
    lr, history, best, best_loss, since, perfect, resets = settings["lr"], [], None, None, 0, 0, 0
    before = [0.0, 0.0]  # gradients that were not cleared
    for number, epoch in enumerate(epochs):
        before = before if cleared == "never" else [0.0, 0.0]
        for place, part in enumerate(epoch):
            if [number, place] == stop:
                return history, best or values, lr, resets
            values = [value.detach().requires_grad_() for value in values]
            one, two = losses(*values, part)
            loss = one if two is None else one + weight * two
            gradients = torch.autograd.grad(loss, values, allow_unused=True)
            for i, gradient in enumerate(gradients):
                if gradient is not None:
                    gradient = gradient + before[i]
                    before[i] = 0.0 if cleared == "step" else gradient
                    speed[i] = settings["momentum"] * speed[i] + gradient
                    values[i] = values[i].detach() - lr * [1, settings["ratio"]][i] * speed[i]
        if [number, len(epoch)] == stop:
            return history, best or values, lr, resets
        lr *= gamma
        found = measured(*[value.detach() for value in values], validation, weight, bos)
        history.append(found)
        since += 1
        if best is None or found["loss"] < best_loss:
            best, best_loss, since = [value.detach().clone() for value in values], found["loss"], 0
        perfect = perfect + 1 if found["accuracy"] == 1 else 0
        if perfect == 3:
            break
        if since > patience:
            values, speed, since, resets = [value.clone() for value in best], [0.0, 0.0], 0, resets + 1
    return history, best or values, lr, resets


def part_of(draw, B, T, change=0, matrix=False, repeat=False):
    """A batch of strings; token v has the target v + 1, plus `change`. One row is shorter than the others."""
    tokens = draw.integers(0, V, B, T)
    if repeat:
        tokens = (torch.arange(T) + draw.integer(0, V)).expand(B, T) % V
    targets = (tokens + 1 + change) % V
    targets[-1, T - 2 :] = -100
    real = targets != -100
    tokens = tokens.masked_fill(~real, 0)
    if not matrix:
        return tokens, targets, None
    chosen = torch.eye(T, dtype=torch.bool).flip(0).expand(B, T, T) | torch.eye(T, dtype=torch.bool)
    return tokens, targets, chosen & real[:, :, None] & real[:, None, :]


def scene(draw, plan, batches=1, matrix=False, spread=0.5, T=6):
    """Table, look, the epochs of a plan such as "+-", validation batches of different sizes."""
    epochs = [
        [part_of(draw, 3, T, 0 if sign == "+" else 1, matrix, repeat=True) for _ in range(batches)] for sign in plan
    ]
    validation = [part_of(draw, 3, T, 0, matrix), part_of(draw, 2, T - 1, 0, matrix)]
    return draw.normal(V, V, std=spread), draw.normal(T, T), epochs, validation


def run(train, draw, made, says, **more):
    """Train and compare with the replay: what was returned, and the replay's own numbers."""
    table, look, epochs, validation = made
    settings = {"lr": 1.0, "ratio": 1.0, "momentum": 0.0, "stop": None, "broken": False, "notes": False, **more}
    history, values, lr, resets = replay(*made, settings)
    got = train.run(probe_training, table, look, epochs, validation, settings)
    require(not got["escaped"], "a KeyboardInterrupt gets out of train: catch it, and keep what was learned")
    found = got["history"]
    require(isinstance(found, list), f"train must return the history, a list of dicts, but it returns {a_thing(found)}")
    got["expected"] = history, values, lr, resets, settings
    got["says"] = says
    return got


def same_history(got, says=None):
    history, says = got["expected"][0], says or got["says"]
    equal(
        len(got["history"]), len(history), f"{says}: the history has {len(got['history'])} epochs, not {len(history)}"
    )
    form = "each entry of the history must be the dict that evaluate returns, with the entry 'epoch' added"
    for number, (one, right) in enumerate(zip(got["history"], history, strict=True), start=1):
        require(isinstance(one, dict) and {"epoch", "loss", "accuracy", "sequence_loss"} <= one.keys(), form)
        equal(one["epoch"], number, "the epochs in the history must be counted from 1")
        for name in ("loss", "accuracy"):
            close(one[name], right[name], says, rtol=1e-3, atol=1e-4, name=f"'{name}' of epoch {number}")


def same_weights(got, says=None):
    for name, right in zip(("table", "look"), got["expected"][1], strict=True):
        close(got[name], right.float(), says or got["says"], rtol=1e-3, atol=1e-3, name="a parameter after training")


def same_rates(got):
    rates = torch.tensor(got["lr"])
    close(rates[0], got["expected"][2], got["says"], name="the learning rate at the end")
    says = "the optimizer may have several groups of parameters: every learning rate is multiplied by gamma"
    close(rates[1], got["expected"][2] * got["expected"][4]["ratio"], says, name="the second learning rate at the end")


MISTAKES = {
    "never": "the gradients of earlier steps are never cleared",
    "epoch": "the gradients are cleared once an epoch: clear them before every step",
}


def other_steps(got, made):
    """Refuses, by its name, the history of a mistake in the order of clear, backward and step, whatever else is amiss.

    Learners check the plain loop before they have written the other rules, so that no known wrong answer agrees.
    """
    right = [entry["loss"] for entry in got["expected"][0]]
    found = [entry.get("loss") if isinstance(entry, dict) else None for entry in got["history"]]
    if len(found) != len(right) or not all(isinstance(loss, float) for loss in found):
        return
    for cleared, says in MISTAKES.items():
        other = [entry["loss"] for entry in replay(*made, got["expected"][4], cleared)[0]]
        assert max(abs(a - b) for a, b in zip(other, right, strict=True)) > 0.01, (other, right)
        require(max(abs(a - b) for a, b in zip(other, found, strict=True)) > 1e-3, says)
    table, look, _, validation = made
    start = measured(table.double(), look.double(), validation, 0.0, False)["loss"]
    same = all(abs(loss - start) < 1e-4 for loss in found)
    says = "the steps change nothing, because the gradients are gone by then: first clear, then backward, then step"
    require(not (same and got["modes"]), says)


@draws(1)
def test_plain_training(train, draw):
    says = "the validation losses aren't those of one step of the optimizer on each batch"
    made = scene(draw, "++", batches=3)
    got = run(train, draw, made, says, lr=0.3)
    other_steps(got, made)
    same_history(got)
    same_weights(got, "after two epochs that both help, the weights aren't those of the last step")
    says = "the model came in eval mode, and at least one step was taken in it: switch to train mode"
    require(got["modes"] and all(got["modes"]), says)
    _, look, epochs, validation = scene(draw, "+")
    tokens, targets = epochs[0][0][:2]
    tokens[:], targets[targets != -100] = 1, 2  # all gradients point the same way
    sure = torch.eye(V).roll(-1, 0) * 8.0  # of what is wrong
    says = "a gradient longer than 1 isn't used as it is: a step takes the gradients of the batch, and shortens nothing"
    same_weights(run(train, draw, (sure, look, epochs, validation), says, lr=1.0))


@draws(1)
def test_best_weights(train, draw):
    made = scene(draw, "+--", spread=0.1)
    got = run(
        train, draw, made, "the best epoch is the first of three, but the model doesn't end with its weights", lr=2.0
    )
    same_history(got, "with batches that make the validation loss rise, the history is off")
    same_weights(got)
    made = made[:2] + (made[2][:1] + scene(draw, "-")[2] + made[2][:1] * 2,) + made[3:]
    says = "the best epoch is the one with the lowest validation loss, here the last of four"
    same_weights(run(train, draw, made, says, lr=0.4))
    table, look, _, validation = scene(draw, "+")
    sure = torch.eye(V)[[1, 2, 3, 0]] * 2.0 + draw.normal(V, V, std=0.1)
    epochs = scene(draw, "---")[2]
    says = "the best epoch is the one with the lowest validation loss, also where another has the higher accuracy"
    same_weights(run(train, draw, (sure, look, epochs, validation), says, lr=0.3))


@draws(1)
def test_learning_rate(train, draw):
    says = "with gamma, the learning rate isn't multiplied by it once after every epoch"
    got = run(train, draw, scene(draw, "+++", batches=2), says, gamma=0.5, lr=0.4, ratio=3.0)
    same_rates(got)
    same_history(got)


@draws(1)
def test_attention(train, draw):
    made = scene(draw, "++", matrix=True)
    says = "with selectors, the loss of a batch must be sequence_loss plus attention_weight times attention_loss"
    got = run(train, draw, made, says, attention_weight=30.0, lr=0.2)
    same_weights(got)
    same_history(got, "evaluate must be given the attention_weight too")
    table, look, epochs, validation = scene(draw, "++", matrix=True)
    look = 0 * look  # at first, all keys alike
    (tokens, targets, chosen), *_ = epochs[1]
    real = targets != -100
    epochs[1] = [(tokens, targets, ~chosen & real[:, :, None] & real[:, None, :])]  # heads learn to look elsewhere
    says = "the best epoch is the one with the lowest `loss`, in which the attention counts, not the sequence_loss"
    got = run(train, draw, (table, look, epochs, validation), says, attention_weight=100.0, lr=0.2)
    losses_ = [entry["loss"] for entry in got["expected"][0]]
    assert losses_[0] < losses_[1], losses_
    same_weights(got)


@draws(1)
def test_bos(train, draw):
    table, look, epochs, validation = scene(draw, "+", T=5)
    for tokens, targets, _ in validation:
        targets[:, 0] = (tokens[:, 0] + 3) % V  # position 0 is never right
    sure = torch.eye(V)[[1, 2, 3, 0]] * 9.0
    says = "bos must be handed on to evaluate"
    same_history(run(train, draw, (sure, look, epochs, validation), says, bos=True, lr=0.1))


@draws(1)
def test_after_epoch(train, draw):
    got = run(train, draw, scene(draw, "+++"), "the history is off", notes=True, lr=0.3)
    notes = got["notes"]
    equal(
        len(notes), 3, f"after_epoch must be called once after each epoch, but it was called {len(notes)} times for 3"
    )
    for found, _ in notes:
        says = "after_epoch must be given the entry of the history, a dict, but it is given"
        require(isinstance(found, dict), f"{says} {'an' if found == 'int' else 'a'} {found}")
    same = [found for found, _ in notes] == [dict(entry) for entry in got["history"]]
    require(same, "after_epoch must be given the entry of the history")
    equal([started for _, started in notes], [1, 2, 3], "after_epoch must be called before the next epoch begins")
    got = run(train, draw, scene(draw, "+-+", spread=0.1), "", notes=True, lr=0.9)
    first, second, _ = (entry["loss"] for entry in got["expected"][0])
    assert first < second, (first, second)
    says = "after_epoch must be called after every epoch, also where the loss has risen"
    equal(len(got["notes"]), len(got["history"]), says)
    got = run(train, draw, scene(draw, "+++++", spread=0.05), "", notes=True, lr=30.0)
    assert len(got["expected"][0]) == 3, got["expected"][0]
    says = "after_epoch must be given the last epoch, too, before three perfect ones in a row end the training"
    equal(len(got["notes"]), len(got["history"]), says)


@draws(1)
def test_perfect_epochs(train, draw):
    made = scene(draw, "++-++++++", spread=0.05)
    got = run(train, draw, made, "training must end after three epochs in a row with an accuracy of exactly 1", lr=30.0)
    accuracies = [entry["accuracy"] == 1 for entry in got["expected"][0]]
    assert accuracies[:3] == [True, True, False] and accuracies[-3:] == [True] * 3 and len(accuracies) < 9, accuracies
    same_history(got)


@draws(1)
def test_almost_perfect(train, draw):
    table, look, epochs, _ = scene(draw, "+++++", spread=0.05)
    validation = [part_of(draw, 400, 6)]
    validation[0][1][0, 0] = (validation[0][0][0, 0] + 3) % V  # this one is never right
    says = "an epoch whose accuracy is below 1, however little, must not count as perfect"
    got = run(train, draw, (table, look, epochs, validation), says, lr=30.0)
    accuracies = [entry["accuracy"] for entry in got["expected"][0]]
    assert len(accuracies) == 5 and all(0.9995 < accuracy < 1 for accuracy in accuracies[-3:]), accuracies
    same_history(got)


def patient(draw):
    """An epoch that helps, three that don't, so that the best weights come back; then more of both."""
    return scene(draw, "+---+---++", spread=0.05)


@draws(1)
def test_patience(train, draw):
    says = "after more than `patience` epochs without a lower loss, training must go on from the best weights"
    got = run(train, draw, patient(draw), says, patience=2, momentum=0.8, lr=0.9)
    assert got["expected"][3] == 2, got["expected"][3]
    same_history(got, f"{says}, with an empty optimizer state, and the count must start anew")
    same_weights(got)


@draws(1)
def test_what_counts_for_patience(train, draw):
    says = "only epochs in a row count for patience: a lower loss starts the count anew"
    made = scene(draw, "+-+-+-+", spread=0.05)  # each "-" costs less than the "+" behind it brings
    made[3][0][1][0, 0] = (made[3][0][0][0, 0] + 3) % V  # no epoch is perfect
    got = run(train, draw, made, says, patience=1, lr=0.4)
    assert got["expected"][3] == 0, got["expected"][3]
    same_history(got)
    says = "an epoch with the same loss as the best hasn't brought a lower one: it counts for patience"
    got = run(train, draw, scene(draw, "+++"), says, patience=1, momentum=0.8, lr=0.0)
    require(got["state"] == 0, says)


@draws(1)
def test_learning_rate_is_kept(train, draw):
    says = "when the best weights come back, the learning rate stays what it is by then"
    got = run(train, draw, patient(draw), says, patience=2, gamma=0.7, lr=1.5)
    same_rates(got)
    same_history(got)


@draws(1)
def test_interruption(train, draw):
    made = scene(draw, "+--", batches=2, spread=0.1)
    got = run(
        train, draw, made, "after an interruption the model must have the best weights so far", stop=[2, 1], lr=1.5
    )
    same_history(got, "after an interruption the history must hold the epochs that were complete")
    same_weights(got)
    says = "after an interruption in the first epoch the model must keep the weights it has by then"
    got = run(train, draw, made, says, stop=[0, 1])
    same_history(got, "after an interruption in the first epoch the history must be empty")
    same_weights(got)


@draws(1)
def test_other_errors_get_out(train, draw):
    with raises("only Ctrl-C ends the training quietly: any other error must get out of train"):
        run(train, draw, scene(draw, "++"), "", stop=[1, 0], broken=True)
