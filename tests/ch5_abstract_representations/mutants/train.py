"""Wrong answers to exercise 5.9 that learners write, and right ones written differently."""

import torch

from utils.grade import right, slips


def sample_boards(*given):
    raise NotImplementedError("the tests bring their own")


mask_boards = measure = make_optimizer = masked_ce = Schedule = sample_boards

slip = slips("""
    def train(model, lib, steps, generator, schedule=None, watch=None, optimizer=None, draw=sample_boards):
        schedule = schedule or Schedule()
        optimizer = optimizer or make_optimizer(model, schedule)
        history = {}
        model.train()
        for step in range(steps):
            now = schedule.at(step, steps)
            for group in optimizer.param_groups:
                group["lr"] = now["lr"]
            scenes = draw(lib, schedule.batch, now["kinds"], generator)
            masked, mask = mask_boards(lib, scenes, now["masking"], now["patches"], generator)
            target = scenes["board"].flatten(1)
            loss = masked_ce(model(masked.flatten(1)), target, mask.flatten(1), schedule.where)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if (step + 1) % schedule.every == 0 or step + 1 == steps:
                found = measure(model, lib, schedule.measured, torch.Generator().manual_seed(0))
                for name, value in {"step": step + 1, **found}.items():
                    history.setdefault(name, []).append(value)
                if watch is not None:
                    watch(history)
        return history
""")

NoZeroGrad = slip("the gradients of earlier steps are never cleared", "optimizer.zero_grad()", "pass")
OneBatch = slip(
    "one batch is drawn before the loop and used at every step: draw a fresh one each time",
    "scenes = draw(lib, schedule.batch, now[\"kinds\"], generator)",
    "scenes = kept if step else draw(lib, schedule.batch, now[\"kinds\"], generator)\n        kept = scenes",
)  # fmt: skip
OneMask = slip(
    "one mask is drawn and used at every step: hide other cells each time",
    "masked, mask = mask_boards(lib, scenes, now[\"masking\"], now[\"patches\"], generator)",
    "mask = held if step else mask_boards(lib, scenes, now[\"masking\"], now[\"patches\"], generator)[1]\n"
    "        held, masked = mask, torch.where(mask, lib.unk, scenes[\"board\"])",
)  # fmt: skip
NoMasking = slip(
    "the model sees the whole board: give it the masked one",
    "model(masked.flatten(1))",
    'model(scenes["board"].flatten(1))',
)
TargetMasked = slip(
    "the target is the masked board: the model must say what was there before",
    'target = scenes["board"].flatten(1)',
    "target = masked.flatten(1)",
)
LrIgnored = slip("the learning rate of the schedule never reaches the optimizer", 'group["lr"] = now["lr"]', "pass")
OffByOne = slip(
    "the schedule is read one step ahead: the first step is number 0",
    "schedule.at(step, steps)",
    "schedule.at(step + 1, steps)",
)
WhereIgnored = slip("schedule.where is not used: the loss counts all cells", ", schedule.where)", ")")
EvalMode = slip("the model is trained in eval mode: switch it to train mode first", "model.train()", "model.eval()")
OneStepMore = slip("there is one step too many", "range(steps)", "range(steps + 1)")
NewOptimizer = slip(
    "the given optimizer is ignored", "optimizer or make_optimizer(model, schedule)", "make_optimizer(model, schedule)"
)
NoLast = slip("the last step is not measured unless `every` divides it", " or step + 1 == steps", "")
StepsFromZero = slip(
    "history counts steps from 0: it says how many have been taken", '{"step": step + 1,', '{"step": step,'
)
MeasuredBefore = slip(
    "the measurement comes before the optimizer's step: it belongs after it",
    "optimizer.step()\n", "pass\n", "watch(history)\n", "watch(history)\n        optimizer.step()\n",
)  # fmt: skip
TrainingStream = slip(
    "measure draws from the training's own generator: that changes the training, and "
    "every measurement sees other boards",
    "torch.Generator().manual_seed(0)", "generator",
)  # fmt: skip
NoWatch = slip("watch is never called", "watch(history)", "pass")
OnlyLosses = slip("history is a list of losses: it must be a dict of lists", "return history", 'return history["loss"]')
Overwritten = slip(
    "history keeps only the latest numbers: append them to lists",
    "history.setdefault(name, []).append(value)",
    "history[name] = [value]",
)
FirstGroupOnly = slip(
    "only the first of the optimizer's groups gets the learning rate: set it in all of them",
    "in optimizer.param_groups:", "in optimizer.param_groups[:1]:",
)  # fmt: skip
LrTooLate = slip(
    "the learning rate is set after the step: set it before",
    "for group in optimizer.param_groups:\n            group[\"lr\"] = now[\"lr\"]\n        scenes", "scenes",
    "optimizer.step()\n",
    "optimizer.step()\n        for group in optimizer.param_groups:\n            group[\"lr\"] = now[\"lr\"]\n",
)  # fmt: skip
ScheduleOnce = slip(
    "the schedule is read once, before the loop: read it at every step",
    "now = schedule.at(step, steps)", "now = schedule.at(0, steps)",
)  # fmt: skip
AlwaysMasked = slip(
    "the loss always counts the hidden cells: schedule.where says which", "schedule.where)", '"masked")'
)
OneGeneratorForAll = slip(
    "all measurements share one generator, so that each sees other boards: make a fresh one with seed 0 each time",
    "history = {}",
    "history, own = {}, torch.Generator().manual_seed(0)",
    "torch.Generator().manual_seed(0))\n            for",
    "own)\n            for",
)  # fmt: skip
SeedOfStep = slip(
    "every measurement has another seed: it is 0 each time, so that all see the same boards",
    "manual_seed(0)",
    "manual_seed(step)",
)
EveryOneLate = slip(
    "a measurement is taken one step late: after every `every` steps",
    "(step + 1) % schedule.every == 0",
    "step % schedule.every == 0",
)
WatchAssumed = slip("watch is called even where there is none: it may be None", "if watch is not None:", "if True:")
WatchLatest = slip(
    "watch is given the latest numbers alone: give it the whole history",
    "watch(history)",
    'watch({"step": [step + 1], **found})',
)
OtherBoards = slip(
    "the boards come from sample_boards: take them from `draw`", "scenes = draw(", "scenes = sample_boards("
)
FixedBatch = slip("the number of boards is fixed: it is schedule.batch", "schedule.batch", "64")
FixedMeasured = slip("the number of measured boards is fixed: it is schedule.measured", "schedule.measured", "300")
EvenKinds = slip("the kinds of boards are always even: take those of the step", 'now["kinds"]', "(1 / 3, 1 / 3, 1 / 3)")
Exchanged = slip(
    "masking and patches are exchanged", 'now["masking"], now["patches"]', 'now["patches"], now["masking"]'
)
Clipped = slip(
    "the gradients are clipped: nothing says so",
    "optimizer.step()\n", "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n        optimizer.step()\n",
)  # fmt: skip
SeededAnew = slip(
    "the generator that was given is seeded anew: draw from it as it comes",
    "model.train()",
    "model.train()\n    generator.manual_seed(0)",
)
MeasuredLikeTheStep = slip(
    "measure is called with the masking of the step: all measurements are to be alike",
    "torch.Generator().manual_seed(0))", "torch.Generator().manual_seed(0), now[\"masking\"], now[\"patches\"])",
)  # fmt: skip
StepBeforeBackward = slip(
    "nothing is learned: clear the gradients, go backward, and then step, in this order",
    "loss.backward()\n        optimizer.step()", "optimizer.step()\n        loss.backward()",
)  # fmt: skip
ClearedTooLate = slip(
    "nothing is learned: clear the gradients, go backward, and then step, in this order",
    "optimizer.zero_grad()\n        loss.backward()", "loss.backward()\n        optimizer.zero_grad()",
)  # fmt: skip
TrainingLoss = slip(
    "the history holds the loss of the training batch: it holds what measure gives",
    "**found}.items()", "**found, \"loss\": loss.item()}.items()",
)  # fmt: skip
NoPatches = slip(
    "no patch is ever hidden: hand on the patches of the step", 'now["masking"], now["patches"]', 'now["masking"], 0.0'
)
MasksOfTheirOwn = slip(
    "the holes come from a generator of their own: they must come from the given one",
    'now["patches"], generator)', 'now["patches"], torch.Generator().manual_seed(0))',
)  # fmt: skip
BatchBeforeTheLoop = slip(
    "one batch is drawn before the loop and used at every step: draw a fresh one each time",
    "for step in range(steps):",
    'kinds = schedule.at(0, steps)["kinds"]\n    scenes = draw(lib, schedule.batch, kinds, generator)\n'
    "    for step in range(steps):",
    '\n        scenes = draw(lib, schedule.batch, now["kinds"], generator)', "",
)  # fmt: skip
OwnOptimizer = slip(
    "an optimizer of its own is made: take the given one, or what make_optimizer makes",
    "optimizer or make_optimizer(model, schedule)",
    "optimizer or torch.optim.AdamW(model.parameters(), lr=schedule.lr)",
)  # fmt: skip
WatchAtEveryStep = slip(
    "watch is called after every step: call it after a measurement",
    "            if watch is not None:\n                watch(history)",
    "        if watch is not None:\n            watch(history)",
)  # fmt: skip
MeasuredTwice = slip(
    "where `every` divides the steps, the last one is measured twice: measure it once",
    " or step + 1 == steps", "",
    "    return history",
    "    found = measure(model, lib, schedule.measured, torch.Generator().manual_seed(0))\n"
    "    for name, value in {\"step\": steps, **found}.items():\n"
    "        history.setdefault(name, []).append(value)\n"
    "    if watch is not None:\n"
    "        watch(history)\n"
    "    return history",
)  # fmt: skip
LeftInEval = slip(
    "the model is put into eval mode for a measurement and stays in it: measure does that itself, and puts it back",
    "found = measure", "model.eval()\n            found = measure",
)  # fmt: skip

GlobalSeed = slip(
    "every measurement reseeds torch's global generator: give it a generator of its own, torch.Generator()",
    "torch.Generator().manual_seed(0))", "torch.manual_seed(0))",
)  # fmt: skip
LastNumbersOnly = slip(
    "the history must be a dict of lists, not a dict whose values are not all lists",
    "history.setdefault(name, []).append(value)", "history[name] = value",
)  # fmt: skip


@right
def in_pieces(model, lib, steps, generator, schedule=None, watch=None, optimizer=None, draw=sample_boards):
    if schedule is None:
        schedule = Schedule()
    if optimizer is None:
        optimizer = make_optimizer(model, schedule)
    rows = []

    def one(step):
        now = schedule.at(step, steps)
        optimizer.zero_grad(set_to_none=True)
        scenes = draw(lib, schedule.batch, now["kinds"], generator)
        masked, mask = mask_boards(lib, scenes, now["masking"], now["patches"], generator)
        logits = model(masked.reshape(len(masked), -1))
        target, mask = (x.reshape(len(masked), -1) for x in (scenes["board"], mask))
        masked_ce(logits, target, mask, where=schedule.where).backward()
        for group in optimizer.param_groups:
            group.update(lr=now["lr"])
        optimizer.step()

    for taken in range(1, steps + 1):
        model.train()
        one(taken - 1)
        if taken == steps or not taken % schedule.every:
            fresh = torch.Generator()
            fresh.manual_seed(0)
            rows.append({"step": taken} | measure(model, lib, schedule.measured, fresh))
            history = {name: [row[name] for row in rows] for name in rows[0]}
            if watch:
                watch(history)
    return history if rows else {}


@right
def with_while(model, lib, steps, generator, schedule=None, watch=None, optimizer=None, draw=sample_boards):
    schedule = Schedule() if schedule is None else schedule
    optimizer = make_optimizer(model, schedule) if optimizer is None else optimizer
    model.train()
    history, step = {}, 0
    while step < steps:
        plan = schedule.at(step, steps)
        optimizer.param_groups[0]["lr"] = plan["lr"]
        for group in optimizer.param_groups[1:]:
            group["lr"] = plan["lr"]
        board = draw(lib, schedule.batch, plan["kinds"], generator)
        hidden, mask = mask_boards(lib, board, plan["masking"], plan["patches"], generator)
        loss = masked_ce(model(hidden.flatten(1)), board["board"].flatten(1), mask.flatten(1), schedule.where)
        for parameter in model.parameters():
            parameter.grad = None
        loss.backward()
        optimizer.step()
        step += 1
        if step % schedule.every and step != steps:
            continue
        found = measure(model, lib, schedule.measured, torch.Generator().manual_seed(0))
        history["step"] = [*history.get("step", []), step]
        for name in found:
            history[name] = [*history.get(name, []), found[name]]
        if watch is not None:
            watch(history)
    return history
