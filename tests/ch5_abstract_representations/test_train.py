"""Hidden tests of exercise 5.9: each step on a fresh batch, with the schedule of that step; measurements set apart.

What the loop calls (mask_boards, measure, make_optimizer) is replaced by the judge's own while the probe runs.
"""

import torch
import torch.nn.functional as F

from utils.grade import close, equal, require, takes_along
from utils.grade.probes import names_of

B, S, V = 4, 2, 6


@takes_along(names_of)
def probe_training(train, table, batches, masks, steps, options):
    """Train a table of logits, one row a token, and note everything that the loop does."""
    calls = {"draws": [], "masks": [], "at": [], "measured": [], "modes": [], "steps": 0, "watched": [], "made": 0}
    stream = torch.Generator().manual_seed(3)

    class Table(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.shift = nn.Parameter(table), nn.Parameter(torch.zeros(len(table)))

        def forward(self, tokens):
            calls["modes"].append(self.training)
            return self.table[tokens] + self.shift

    model = Table().eval()

    library = SimpleNamespace(unk=5)

    def draw(lib, n, kinds, generator):
        ours = generator is stream and generator.initial_seed() == 3
        calls["draws"].append([n, *kinds, float(ours), float(lib is library)])
        board = batches[(len(calls["draws"]) - 1) % len(batches)]
        return {"board": board.clone(), "objects": None, "kind": None}

    def mask_boards(lib, scenes, p, patch_p, generator):
        calls["masks"].append([p, patch_p, float(generator is stream), float(lib is library)])
        mask = masks[(len(calls["masks"]) - 1) % len(masks)]
        return torch.where(mask, 5, scenes["board"]), mask

    def measure(model, lib, boards, generator, *rest, **more):
        first = float(torch.rand((), generator=generator))
        state = [float(boards), float(generator is stream), float(generator.initial_seed())]
        calls["measured"].append(
            [*state, float(len(rest) + len(more)), first, float(generator is torch.default_generator)]
        )
        return {"loss": model.table.detach().square().sum().item(), "masked_object": float(len(calls["measured"]))}

    def optimizer_for(model, schedule):
        calls["made"] += 1
        return sgd(model)

    def sgd(model):
        made = torch.optim.SGD([{"params": [model.table]}, {"params": [model.shift]}], lr=123.0)
        made.register_step_post_hook(lambda *_: calls.update(steps=calls["steps"] + 1))
        return made

    def at(step, of):
        calls["at"].append([step, of])
        shares = (0.5, 0.25 + 0.01 * step, 0.25 - 0.01 * step)
        return {"lr": (0.5 + 0.25 * step) / 40, "masking": 0.1 + 0.01 * step, "patches": 0.3, "kinds": shares}

    def torchs(logits, target, mask, where="all"):
        cells = mask if where == "masked" else torch.ones_like(mask)
        return 40 * nn.CrossEntropyLoss()(logits[cells], target[cells])

    def other_boards(*given, **more):
        calls["others"] = calls.get("others", 0) + 1
        return draw(library, 4, (0.0, 0.0, 0.0), stream)

    schedule = SimpleNamespace(
        batch=4, lr=0.5, weight_decay=0.0, where=options["where"], every=options["every"], measured=17, at=at
    )
    names = names_of(train, "mask_boards")
    ours = {"mask_boards": mask_boards, "measure": measure, "make_optimizer": optimizer_for, "masked_ce": torchs}
    ours |= {"sample_boards": other_boards}
    before = {name: names.get(name) for name in ours}
    names.update(ours)
    try:
        more = {"optimizer": sgd(model)} if options["own"] else {}
        if options["watch"]:
            more["watch"] = lambda history: calls["watched"].append(len(history["step"]))
        history = train(model, library, steps, stream, schedule, draw=draw, **more)
    finally:
        for name, value in before.items():
            if value is None:
                names.pop(name)
            else:
                names[name] = value
    plain = isinstance(history, dict) and all(isinstance(v, list) for v in history.values())
    kind = "dict" if plain else type(history).__name__
    if isinstance(history, dict) and not plain:
        kind = "a dict whose values are not all lists"
    return {
        **calls,
        "kind": kind,
        "history": history if plain else None,
        "table": model.table + model.shift,
        "mode": model.training,
    }


def oracle(table, batches, masks, steps, where):
    """Plain gradient descent, written out: table plus shift, and the sum of squares of the table after every step."""
    sums, shift = [], torch.zeros(len(table))
    for step in range(steps):
        board, mask = batches[step].flatten(1), masks[step].flatten(1)
        leaves = table.clone().requires_grad_(), shift.clone().requires_grad_()
        logits = leaves[0][torch.where(mask, 5, board)] + leaves[1]
        loss = F.cross_entropy(logits.transpose(1, 2), board, reduction="none")
        loss = loss.mean() if where == "all" else (loss * mask).sum() / mask.sum()
        of_table, of_shift = torch.autograd.grad(loss, leaves)
        table, shift = table - (0.5 + 0.25 * step) * of_table, shift - (0.5 + 0.25 * step) * of_shift
        sums.append(float(table.square().sum()))
    return table + shift, sums


def run(train, draw, steps=5, where="all", every=100, own=False, watch=False):
    batches = [draw.integers(0, 5, B, S, S) for _ in range(steps + 2)]
    masks = [draw.uniform(B, S, S) < 0.5 for _ in range(steps + 2)]
    for mask in masks:
        mask[0] = torch.tensor([[True, False], [True, False]])
    table = draw.normal(V, V)
    options = {"where": where, "every": every, "own": own, "watch": watch}
    got = train.run(probe_training, table, batches, masks, steps, options)
    return got, *oracle(table, batches, masks, steps, where)


def whose(given):
    return "the given generator" if given else "another generator"


def drawn_as(boards, *rest):
    """How a call of draw reads on a card."""
    *kinds, given = rest
    return f"{boards:g} boards, kinds {', '.join(f'{share:.2f}' for share in kinds)}, {whose(given)}"


def masked_as(masking, patches, given):
    return f"masking {masking:.2f}, patches {patches:.2f}, {whose(given)}"


def measured_as(boards, given, seed):
    return f"{boards:.0f} boards, {whose(given)}, seed {seed:.0f}"


def test_steps_and_batches(train, draw):
    got, _, _ = run(train, draw, steps=4 + draw.index)
    steps = 4 + draw.index
    says = "no optimizer was made by make_optimizer: where none is given, make_optimizer(model, schedule) makes it"
    require(got["made"] > 0, says)
    equal(got["steps"], steps, f"the optimizer took {got['steps']} steps, but steps is {steps}")
    says = "every step needs one fresh batch: draw(lib, schedule.batch, kinds, generator) once a step"
    equal(len(got["draws"]), steps, says)
    require(
        "others" not in got, "the boards must come from `draw`, the function that was given, not from sample_boards"
    )
    says = "the library that was given must reach draw and mask_boards: use `lib`, and no other"
    require(all(call[-1] == 1 for call in got["draws"] + got["masks"]), says)
    says = "boards must be drawn with schedule.batch, the kinds of that step and the given generator as it comes"
    wanted = [[4, 0.5, 0.25 + 0.01 * s, 0.25 - 0.01 * s, 1.0] for s in range(steps)]
    equal([drawn_as(*call[:-1]) for call in got["draws"]], [drawn_as(*call) for call in wanted], says)
    says = "each batch must be masked with the masking and patches of its step and the given generator"
    wanted = [[0.1 + 0.01 * s, 0.3, 1.0] for s in range(steps)]
    equal([masked_as(*call[:-1]) for call in got["masks"]], [masked_as(*call) for call in wanted], says)


def test_schedule(train, draw):
    got, table, _ = run(train, draw)
    seen = {tuple(call) for call in got["at"]}
    require(all((s, 5) in seen for s in range(5)), "step s must use schedule.at(s, steps), with s from 0 to steps - 1")
    close(got["table"], table, "the weights after the training are off: loss, learning rate of the step, or gradients")


def test_where(train, draw):
    got, table, _ = run(train, draw, where="masked")
    close(got["table"], table, "the loss must count the cells that schedule.where names", atol=1e-4)


def test_train_mode(train, draw):
    got, _, _ = run(train, draw, every=2)
    require(all(got["modes"]), "the model must be in train mode while it is trained")


def test_given_optimizer(train, draw):
    got, table, _ = run(train, draw, own=True)
    close(got["table"], table, "with `optimizer`, the steps must be taken by it")
    equal(got["made"], 0, "with `optimizer`, no other one may be made")


def test_history(train, draw):
    steps, every, wanted = [(5, 2, [2, 4, 5]), (6, 3, [3, 6])][draw.index]
    got, _, sums = run(train, draw, steps=steps, every=every)
    require(got["kind"] == "dict", f"the history must be a dict of lists, not {got['kind']}")
    says = (
        f"with every = {every} and {steps} steps, history['step'] must be {wanted}: steps taken so far, the last one "
        "included, and only once"
    )
    equal(got["history"].get("step"), wanted, says)
    says = "history must hold a list for each number that measure gives, one entry a measurement"
    equal(got["history"].get("masked_object"), [float(i + 1) for i in range(len(wanted))], says)
    says = "measurements must come after the step they are entered for"
    close(torch.tensor(got["history"]["loss"]), torch.tensor([sums[s - 1] for s in wanted]), says, atol=1e-4)


def test_measuring_is_set_apart(train, draw):
    got, _, _ = run(train, draw, steps=5, every=2)
    says = "measure must get schedule.measured boards and a fresh generator with seed 0, not that of the training"
    require(bool(got["measured"]), says)
    wanted = [measured_as(17, 0, 0)] * len(got["measured"])
    equal([measured_as(*call[:3]) for call in got["measured"]], wanted, says)
    says = "every measurement reseeds torch's global generator: give it a generator of its own, torch.Generator()"
    require(not any(call[5] for call in got["measured"]), says)
    first = float(torch.rand((), generator=torch.Generator().manual_seed(0)))
    says = "each measurement needs a fresh generator with seed 0: one that was used before draws other boards"
    require(all(call[4] == first for call in got["measured"]), says)
    says = "measure must be called with nothing else: all measurements are alike, whatever the schedule says"
    require(all(call[3] == 0 for call in got["measured"]), says)


def test_watch(train, draw):
    got, _, _ = run(train, draw, steps=5, every=2, watch=True)
    equal(got["watched"], [1, 2, 3], "watch must be called with the history after each measurement")
