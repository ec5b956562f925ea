"""Hidden tests of exercise 5.26. The fixture train_lea is the function under test.

Its model is one weight, and the functions it calls (lea_loss, start_codebook, update_codebook) are recorded.
"""

import torch

from utils.grade import close, require, takes_along
from utils.grade.probes import names_of

PARTS = ("loss", "board", "speech", "vq")


@takes_along(names_of)
def probe_train(function, steps, continuous, lr, numbers, with_generator, own=False):
    """Train one weight on planted losses; the events in order, the history, and the weight before every step."""
    events, weights = [], []

    class One(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(1, 1, bias=False)
            self.layer.weight.data.fill_(2.0)
            self.settings = SimpleNamespace(quantiser="ema")
            self.register_buffer("codebook", torch.zeros(3, 1))

    model = One()
    ours = torch.Generator().manual_seed(5) if with_generator else None

    def sample():
        n = sum(event[0] == "sample" for event in events)
        events.append(("sample", float(numbers[n % len(numbers)])))
        masked = numbers[n % len(numbers)].expand(2, 3).clone()
        return masked, masked + 1

    def lea_loss(model, masked, board, speech_weight=1.0, quantised=True):
        first = [float(part.flatten()[0]) for part in (masked, board)]
        events.append(("loss", *first, bool(quantised), float(speech_weight), model.training))
        weights.append(model.layer.weight.detach().clone().reshape(()))
        loss = (model.layer.weight.reshape(()) - masked[0, 0]) ** 2
        parts = {"loss": loss, "board": loss * 2, "speech": loss * 3, "vq": loss.detach() * 4}
        return parts | {"vectors": torch.zeros(1, 1, 1), "words": torch.zeros(1, 1, dtype=torch.int64)}

    def start_codebook(model, masked, generator):
        events.append(("start", float(masked.flatten()[0]), ours is None or generator is ours))

    def update_codebook(model, parts, generator):
        moved = not torch.equal(model.layer.weight.detach().reshape(()), weights[-1])
        loss = float(parts["loss"].detach()) if isinstance(parts, dict) else float("nan")
        events.append(("update", loss, ours is None or generator is ours, moved))

    more = {"generator": ours} if with_generator else {}
    if own:
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        more["optimizer"] = optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5**step)

        def score(model, masked, board, quantised=True):
            parts = lea_loss(model, masked, board, 7.0, quantised)
            return {name: 2 * value for name, value in parts.items()}

        score.__qualname__ = "score"  # as Python's own errors name it
        more["score"] = score

    names = names_of(function, "lea_loss")
    stand_ins = {"lea_loss": lea_loss, "start_codebook": start_codebook, "update_codebook": update_codebook}
    for name, stand_in in stand_ins.items():
        stand_in.__qualname__ = name
    before = {name: names[name] for name in stand_ins if name in names}
    names.update(stand_ins)
    try:
        history = function(model, sample, steps, continuous, lr, **more)
    finally:
        for name in stand_ins:
            names.pop(name)
        names.update(before)
    report = {"kind": type(history).__name__, "events": events, "weights": torch.stack(weights or [torch.zeros(())])}
    report["final"] = model.layer.weight.detach().reshape(())
    if isinstance(history, dict):
        report["history"] = {}
        for name, values in history.items():
            plain = isinstance(values, list) and all(isinstance(v, float) for v in values)
            report["history"][str(name)] = values if plain else type(values).__name__
    return report


def oracle(steps, lr, numbers):
    """AdamW (betas 0.9 and 0.95, decay 0.01) on a cosine from lr to 0, by torch; the weight before every step."""
    w = torch.nn.Parameter(torch.tensor(2.0))
    optimizer = torch.optim.AdamW([w], lr=lr, betas=(0.9, 0.95), weight_decay=0.01)
    seen, losses = [], []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = lr * (1 + torch.cos(torch.tensor(step / steps * torch.pi)).item()) / 2
        loss = (w - numbers[step % len(numbers)]) ** 2
        seen.append(w.detach().clone())
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return torch.stack(seen + [w.detach()]), losses


def run(train_lea, draw, steps=6, continuous=2, with_generator=True):
    numbers, lr = draw.uniform(8, low=-1, high=1), 0.2 + 0.1 * draw.index
    got = train_lea.run(probe_train, steps, continuous, lr, numbers, with_generator)
    weights, losses = oracle(steps, lr, numbers)
    return got, weights, losses, numbers


def test_history(train_lea, draw):
    got, _, losses, _ = run(train_lea, draw, steps=1, continuous=1)
    require(got["kind"] == "dict", f"train_lea must return its history as a dict, but it returns a {got['kind']}")
    more = sorted(set(got["history"]) - set(PARTS))
    require(not more, f"the history holds {more[:1]}, too: it has one list for each of {', '.join(PARTS)}")
    for name, factor in zip(PARTS, (1, 2, 3, 4), strict=True):
        values = got["history"].get(name)
        require(values is not None, f"the history has no {name!r}")
        says = f"history[{name!r}] must be a list with one Python float for each step"
        require(isinstance(values, list) and len(values) == 1, says, got=values)
        close(
            values[0],
            losses[0] * factor,
            f"history[{name!r}] does not hold that part's value before the step",
            rtol=1e-3,
        )
    got = train_lea.run(probe_train, 1, 1, 0.2, torch.full((8,), 1.988), True)  # a loss of 0.00014
    for name, factor in zip(PARTS, (1, 2, 3, 4), strict=True):
        says = f"history[{name!r}] has too few digits: keep each part's value as it is"
        close(got["history"][name][0], 1.44e-4 * factor, says, rtol=1e-2, atol=0)


def test_one_batch_a_step(train_lea, draw):
    got, _, losses, numbers = run(train_lea, draw)
    sampled = [event[1] for event in got["events"] if event[0] == "sample"]
    says = f"sample() must be called once for each of the 6 steps, but it was called {len(sampled)} times"
    require(len(sampled) == 6, says)
    fed = [event[1:3] for event in got["events"] if event[0] == "loss"]
    require(len(fed) == 6, f"lea_loss must be called once a step, but it was called {len(fed)} times in 6 steps")
    says = "the model, which came in train mode, is trained in eval mode: leave its mode alone, or switch to train mode"
    require(all(event[5] for event in got["events"] if event[0] == "loss"), says)
    says = "lea_loss must be given each step's masked boards and its boards, in this order"
    close(torch.tensor(fed), torch.stack([numbers[:6], numbers[:6] + 1], 1), says)
    for name in PARTS:
        require(
            len(got["history"].get(name) or ()) == 6, f"history[{name!r}] must have one number for each of the 6 steps"
        )


def test_weights_follow_the_optimizer(train_lea, draw):
    got, weights, _, _ = run(train_lea, draw)
    close(got["weights"][:2], weights[:2], "the first step is off: clear the gradients, go backward, step", rtol=1e-3)
    says = "later steps are off: clear the gradients before each backward pass, and step the schedule once a step"
    close(torch.cat([got["weights"], got["final"].reshape(1)]), weights, says, rtol=1e-3)


def test_words_begin_after_the_continuous_steps(train_lea, draw):
    for continuous in (2, 0):
        got, _, _, numbers = run(train_lea, draw, steps=5, continuous=continuous)
        quantised = [event[3] for event in got["events"] if event[0] == "loss"]
        says = f"with continuous_steps={continuous} the steps from {continuous} on must be quantised, and none before"
        require(quantised == [step >= continuous for step in range(5)], says, got=quantised)
        starts = [event for event in got["events"] if event[0] == "start"]
        says = "start_codebook must be called once, when the first quantised step comes"
        require(len(starts) == 1, says + f"; it was called {len(starts)} times")
        order = [event[0] for event in got["events"]]
        step = order[: order.index("start")].count("sample") - 1
        require(
            step == continuous, f"start_codebook was called in step {step}: the first quantised step is {continuous}"
        )
        close(starts[0][1], float(numbers[continuous]), "start_codebook must be given that step's masked boards")
        before = order[: order.index("start")].count("loss")
        require(
            before == continuous, f"start_codebook was called when {before} losses had been taken, not {continuous}"
        )


def test_codebook_follows(train_lea, draw):
    got, _, losses, _ = run(train_lea, draw, steps=5, continuous=2)
    updates = [event[1] for event in got["events"] if event[0] == "update"]
    says = (
        f"update_codebook must be called after every quantised step, 3 times here; it was called {len(updates)} times"
    )
    require(len(updates) == 3, says)
    close(
        torch.tensor(updates),
        torch.tensor(losses[2:]),
        "update_codebook must be given the parts of that step's loss",
        rtol=1e-3,
    )
    moved = all(event[3] for event in got["events"] if event[0] == "update")
    require(moved, "update_codebook was called before the optimizer's step: the words are updated after it")
    mine = all(event[2] for event in got["events"] if event[0] in ("start", "update"))
    require(mine, "start_codebook and update_codebook must be given the generator that train_lea was given")
    got, _, _, _ = run(train_lea, draw, steps=2, continuous=1, with_generator=False)
    require(len(got["events"]) == 6, "without a generator train_lea must make one of its own and train all the same")


def test_what_is_given_is_used(train_lea, draw):
    """An optimizer with its schedule, and a score: plain gradient descent on twice the loss, the rate halved a step."""
    numbers, lr = draw.uniform(8, low=-1, high=1), 0.02 + 0.01 * draw.index
    got = train_lea.run(probe_train, 4, 2, lr, numbers, True, True)
    w, expected, losses = float(2), [], []
    for step in range(4):
        expected.append(w)
        losses.append(2 * (w - float(numbers[step])) ** 2)
        w -= lr * 0.5**step * 4 * (w - float(numbers[step]))
    scored = [event[4] == 7 for event in got["events"] if event[0] == "loss"]
    require(len(scored) == 4 and all(scored), "where a score is given, it is what scores every step, not lea_loss")
    says = (
        "where an optimizer and its schedule are given, these two move the weights, by the gradient of the whole loss"
    )
    close(torch.cat([got["weights"], got["final"].reshape(1)]), torch.tensor([*expected, w]), says, rtol=1e-3)
    close(
        torch.tensor(got["history"]["loss"]),
        torch.tensor(losses),
        "the history holds what the score returned",
        rtol=1e-3,
    )
