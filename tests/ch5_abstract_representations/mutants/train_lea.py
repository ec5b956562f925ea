"""Wrong answers to exercise 5.26 that learners write, and right ones written differently."""

import torch
from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import CosineAnnealingLR

from utils.grade import right, slips


def lea_optimizer(model, lr, steps):
    linear = [module.weight for module in model.modules() if isinstance(module, nn.Linear)]
    others = [p for p in model.parameters() if all(p is not weight for weight in linear)]
    groups = [{"params": linear, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    optimizer = AdamW(groups, lr=lr, betas=(0.9, 0.95))
    return optimizer, CosineAnnealingLR(optimizer, steps)


def lea_loss(model, masked, board, speech_weight=1.0, quantised=True):
    raise AssertionError("the probe puts its own in this place")


start_codebook = update_codebook = lea_loss

slip = slips(
    """
    def train_lea(model, sample, steps, continuous_steps, lr=3e-3, generator=None, optimizer=None, score=None):
        generator = generator or torch.Generator().manual_seed(0)
        optimizer, schedule = optimizer or lea_optimizer(model, lr, steps)
        score = score or lea_loss
        history = {"loss": [], "board": [], "speech": [], "vq": []}
        for step in range(steps):
            masked, board = sample()
            if step == continuous_steps:
                start_codebook(model, masked, generator)
            parts = score(model, masked, board, quantised=step >= continuous_steps)
            optimizer.zero_grad()
            parts["loss"].backward()
            optimizer.step()
            schedule.step()
            if step >= continuous_steps:
                update_codebook(model, parts, generator)
            for name, values in history.items():
                values.append(parts[name].item())
        return history
    """
)

no_zero_grad = slip("gradients are never cleared, so that they pile up", "        optimizer.zero_grad()\n", "")
no_step = slip(
    "the weights stay as they were: it takes a backward pass and then a step, with nothing cleared in between",
    "        optimizer.step()\n",
    "",
)
no_schedule = slip("the schedule never steps, so that the rate stays at lr", "        schedule.step()\n", "")
schedule_twice = slip("the schedule steps twice a step", "schedule.step()", "schedule.step()\n        schedule.step()")
no_backward = slip(
    "the weights stay as they were: it takes a backward pass and then a step, with nothing cleared in between",
    '        parts["loss"].backward()\n',
    "",
)
cleared_after = slip(
    "the weights stay as they were: it takes a backward pass and then a step, with nothing cleared in between",
    "        optimizer.zero_grad()\n        parts[\"loss\"].backward()\n",
    "        parts[\"loss\"].backward()\n        optimizer.zero_grad()\n",
)  # fmt: skip
one_batch = slip(
    "one batch is drawn before the loop and used in every step",
    "    for step in range(steps):\n        masked, board = sample()\n",
    "    masked, board = sample()\n    for step in range(steps):\n",
)  # fmt: skip
two_batches = slip(
    "two batches are drawn a step, and one is thrown away",
    "masked, board = sample()",
    "sample()\n        masked, board = sample()",
)
exchanged = slip("masked and whole boards are exchanged", "masked, board = sample()", "board, masked = sample()")
quantised_from_start = slip(
    "sentences are quantised from the first step on", "quantised=step >= continuous_steps", "quantised=True"
)
never_quantised = slip("sentences are never quantised", "quantised=step >= continuous_steps", "quantised=False")
one_late = slip(
    "quantising begins one step late: step continuous_steps is the first", "quantised=step >=", "quantised=step >"
)
no_start = slip(
    "the words never get their start: call start_codebook before the first quantised step",
    "        if step == continuous_steps:\n            start_codebook(model, masked, generator)\n", "",
)  # fmt: skip
start_every_step = slip(
    "the words start afresh at every quantised step: they start once",
    "if step == continuous_steps",
    "if step >= continuous_steps",
)
start_after = slip(
    "the words get their start only after the first quantised loss was taken",
    "        if step == continuous_steps:\n            start_codebook(model, masked, generator)\n", "",
    "    optimizer.zero_grad()",
    "    if step == continuous_steps:\n            start_codebook(model, masked, generator)\n"
    "        optimizer.zero_grad()",
)  # fmt: skip
no_update = slip(
    "the words never follow: call update_codebook after every quantised step",
    "        if step >= continuous_steps:\n            update_codebook(model, parts, generator)\n", "",
)  # fmt: skip
update_always = slip(
    "the words are updated before they are used: only quantised steps update them",
    "if step >= continuous_steps:", "if True:",
)  # fmt: skip
own_generator = slip("the generator that was given is not used", "generator = generator or torch", "generator = torch")
tensors = slip("the history holds tensors: keep Python floats", "parts[name].item()", "parts[name].detach()")
only_loss = slip(
    "the history holds the loss alone: it holds board, speech and vq too",
    "{\"loss\": [], \"board\": [], \"speech\": [], \"vq\": []}", "{\"loss\": []}",
)  # fmt: skip
other_optimizer = slip(
    "the optimizer and the schedule that were given are not used", "optimizer or lea_optimizer", "lea_optimizer"
)
fresh_schedule = slip(
    "the schedule that was given is not used",
    "optimizer, schedule = optimizer or lea_optimizer(model, lr, steps)",
    "optimizer, _ = optimizer or lea_optimizer(model, lr, steps)\n"
    "    schedule = CosineAnnealingLR(optimizer, steps)",
)  # fmt: skip
other_score = slip("the score that was given is not used", "score = score or lea_loss", "score = lea_loss")
no_return = slip("the history is not returned", "    return history", "    return None")
last_only = slip(
    "the history holds the last step alone: append every one",
    "values.append(parts[name].item())", "values[:] = [parts[name].item()]",
)  # fmt: skip
updated_first = slip(
    "the words are updated before the optimizer's step: they are updated after it",
    "        if step >= continuous_steps:\n            update_codebook(model, parts, generator)\n", "",
    "        optimizer.step()\n",
    "        if step >= continuous_steps:\n            update_codebook(model, parts, generator)\n       "
    " optimizer.step()\n",
)  # fmt: skip
all_parts = slip(
    "the history holds every part, vectors and words as well: it holds four lists of numbers",
    "for name, values in history.items():\n            values.append(parts[name].item())",
    "for name in parts:\n            history.setdefault(name, []).append(float(parts[name].detach().float().mean()))",
)  # fmt: skip
start_late = slip(
    "the words get their start one step late", "if step == continuous_steps", "if step == continuous_steps + 1"
)
start_with_whole = slip(
    "start_codebook is given the whole boards: give it the masked ones",
    "start_codebook(model, masked,", "start_codebook(model, board,",
)  # fmt: skip
fixed_lr = slip("lr is not used: hand it to lea_optimizer", "lea_optimizer(model, lr,", "lea_optimizer(model, 3e-3,")
fixed_steps = slip(
    "the number of steps does not reach lea_optimizer: the rate must fall to 0 over all of them",
    "lea_optimizer(model, lr, steps)", "lea_optimizer(model, lr, 1600)",
)  # fmt: skip
scored_twice = slip(
    "the history holds the loss after the step: it holds that before it",
    "for name, values in",
    "parts = score(model, masked, board, quantised=step >= continuous_steps)\n        for name, values in",
)  # fmt: skip
clipped = slip(
    "the gradients are clipped: nothing says so",
    "optimizer.step()\n", "torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)\n        optimizer.step()\n",
)  # fmt: skip
schedule_first = slip(
    "the schedule steps before the optimizer: the first step has the full rate",
    "        optimizer.step()\n        schedule.step()\n", "        schedule.step()\n        optimizer.step()\n",
)  # fmt: skip
only_board = slip(
    "the loss of the board alone is differentiated: take the whole loss",
    'parts["loss"].backward()',
    'parts["board"].backward()',
)
one_early = slip(
    "quantising begins one step early: steps count from 0, and step continuous_steps is the first quantised one",
    "for step in range(steps)",
    "for step in range(1, steps + 1)",
)  # fmt: skip
all_late = slip(
    "quantising begins one step late: step continuous_steps is the first",
    "if step == continuous_steps",
    "if step == continuous_steps + 1",
    "quantised=step >=",
    "quantised=step >",
    "if step >= continuous_steps:",
    "if step > continuous_steps:",
)  # fmt: skip
turned_round = slip(
    "quantised is turned round: the first continuous_steps steps are those that are not",
    "quantised=step >= continuous_steps",
    "quantised=step < continuous_steps",
)  # fmt: skip
steps_added = slip(
    "continuous_steps come on top of steps: steps is the number of all of them",
    "range(steps)",
    "range(steps + continuous_steps)",
)  # fmt: skip
steps_missing = slip(
    "there are continuous_steps too few steps: steps is the number of all of them",
    "range(steps)",
    "range(steps - continuous_steps)",
)  # fmt: skip
batch_for_the_start = slip(
    "a batch of its own is drawn for start_codebook: give it the masked boards of that step",
    "            start_codebook(model, masked, generator)\n",
    "            start_codebook(model, sample()[0], generator)\n",
)  # fmt: skip
batch_before_the_start = slip(
    "a batch of its own is drawn for start_codebook: give it the masked boards of that step",
    "        masked, board = sample()\n        if step == continuous_steps:\n"
    "            start_codebook(model, masked, generator)\n",
    "        if step == continuous_steps:\n            masked, board = sample()\n"
    "            start_codebook(model, masked, generator)\n        masked, board = sample()\n",
)  # fmt: skip
no_start_at_0 = slip(
    "the words never get their start where continuous_steps is 0: step 0 is then the first quantised one",
    "if step == continuous_steps",
    "if 0 < step == continuous_steps",
)  # fmt: skip
start_at_0 = slip(
    "the words get their start in step 0: they get it in step continuous_steps",
    "if step == continuous_steps",
    "if step == 0",
)  # fmt: skip
update_early = slip(
    "the words are updated one step before they are used: only quantised steps update them",
    "if step >= continuous_steps:",
    "if step >= continuous_steps - 1:",
)  # fmt: skip
update_late = slip(
    "the first quantised step does not update the words: every one does",
    "if step >= continuous_steps:",
    "if step > continuous_steps:",
)  # fmt: skip
update_once = slip(
    "only the first quantised step updates the words: every one does",
    "if step >= continuous_steps:",
    "if step == continuous_steps:",
)  # fmt: skip
second_loss = slip(
    "update_codebook is given the parts of a second loss: give it those that the step has used",
    "update_codebook(model, parts, generator)",
    "update_codebook(model, score(model, masked, board, quantised=True), generator)",
)  # fmt: skip
not_the_parts = slip(
    "update_codebook is not given the dict of parts that the loss returned",
    "update_codebook(model, parts,",
    "update_codebook(model, masked,",
)  # fmt: skip
start_without_generator = slip(
    "start_codebook or update_codebook is called without its last argument, the generator",
    "start_codebook(model, masked, generator)",
    "start_codebook(model, masked)",
)  # fmt: skip
update_without_generator = slip(
    "start_codebook or update_codebook is called without its last argument, the generator",
    "update_codebook(model, parts, generator)",
    "update_codebook(model, parts)",
)  # fmt: skip
start_with_another = slip(
    "start_codebook is given another generator than train_lea was given",
    "start_codebook(model, masked, generator)",
    "start_codebook(model, masked, torch.Generator().manual_seed(0))",
)  # fmt: skip
update_with_another = slip(
    "update_codebook is given another generator than train_lea was given",
    "update_codebook(model, parts, generator)",
    "update_codebook(model, parts, torch.Generator().manual_seed(0))",
)  # fmt: skip
schedule_with_the_words = slip(
    "the schedule steps only while sentences are quantised: it steps at every step",
    "        schedule.step()\n        if step >= continuous_steps:\n",
    "        if step >= continuous_steps:\n            schedule.step()\n",
)  # fmt: skip
optimizer_again = slip(
    "a new optimizer is made when the words come: one serves all steps",
    "            start_codebook(model, masked, generator)\n",
    "            start_codebook(model, masked, generator)\n"
    "            optimizer, schedule = lea_optimizer(model, lr, steps)\n",
)  # fmt: skip
rate_of_the_words = slip(
    "the rate falls over the quantised steps only: it falls over all steps",
    "lea_optimizer(model, lr, steps)",
    "lea_optimizer(model, lr, steps - continuous_steps)",
)  # fmt: skip
pair_as_optimizer = slip(
    "the optimizer that may be given is a pair, with its schedule: take both out of it",
    "optimizer, schedule = optimizer or lea_optimizer(model, lr, steps)",
    "optimizer = optimizer or lea_optimizer(model, lr, steps)[0]\n    schedule = CosineAnnealingLR(optimizer, steps)",
)  # fmt: skip
fourth_argument = slip(
    "the fourth argument of the loss is the weight of the speech: hand quantised over by its name",
    "board, quantised=step",
    "board, step",
)  # fmt: skip
five_arguments = slip(
    "a score that is given takes the model, both boards and quantised: a weight of the speech is no concern of it",
    "board, quantised=step",
    "board, 1.0, step",
)  # fmt: skip
sum_of_parts = slip(
    "the sum of the parts is differentiated: the whole loss weighs them already",
    'parts["loss"].backward()',
    '(parts["board"] + parts["speech"] + parts["vq"]).backward()',
)  # fmt: skip
only_speech = slip(
    "the loss of the speech alone is differentiated: take the whole loss",
    'parts["loss"].backward()',
    'parts["speech"].backward()',
)  # fmt: skip
parts_and_loss = slip(
    "the parts are differentiated beside the whole loss, which holds them already",
    '        parts["loss"].backward()',
    '        parts["board"].backward(retain_graph=True)\n        parts["speech"].backward(retain_graph=True)\n'
    '        parts["loss"].backward()',
)  # fmt: skip
history_of_words = slip(
    "the history holds the quantised steps only: it holds every step",
    "        for name, values in history.items():\n            values.append(parts[name].item())\n",
    "            for name, values in history.items():\n                values.append(parts[name].item())\n",
)  # fmt: skip
returns_in_the_loop = slip(
    "the first step ends the training: the line with return is inside of the loop",
    "    return history",
    "        return history",
)  # fmt: skip
added_up = slip(
    "the numbers of the history are added up: it holds each step's own",
    "parts[name].item()",
    "sum(values[-1:]) + parts[name].item()",
)  # fmt: skip
clipped_at_1 = slip(
    "the gradients are clipped: nothing says so",
    "optimizer.step()\n",
    "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n        optimizer.step()\n",
)  # fmt: skip
two_digits = slip(
    "the history is rounded: keep each part's value as it is",
    "parts[name].item()",
    "round(parts[name].item(), 2)",
)
four_digits = slip(
    "the history is rounded: keep each part's value as it is",
    "parts[name].item()",
    "round(parts[name].item(), 4)",
)
per_board = slip(
    "each part is divided by the number of boards once more: it is a mean already",
    "parts[name].item()",
    "parts[name].item() / len(masked)",
)
eval_mode = slip(
    "the model is trained in eval mode: it came in train mode, which is right for training",
    "for step in range(steps):",
    "model.eval()\n    for step in range(steps):",
)


@right
def two_phases(model, sample, steps, continuous_steps, lr=3e-3, generator=None, optimizer=None, score=None):
    if generator is None:
        generator = torch.Generator()
    if optimizer is None:
        optimizer = lea_optimizer(model, lr, steps)
    optimizer, schedule = optimizer
    rows = []

    def learn(masked, board, quantised):
        parts = (lea_loss if score is None else score)(model, masked, board, quantised=quantised)
        parts["loss"].backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        rows.append({name: float(parts[name].detach()) for name in ("loss", "board", "speech", "vq")})
        return parts

    for _ in range(min(steps, continuous_steps)):
        learn(*sample(), False)
    for step in range(continuous_steps, steps):
        masked, board = sample()
        if step == continuous_steps:
            start_codebook(model, masked, generator)
        update_codebook(model, learn(masked, board, True), generator)
    return {name: [row[name] for row in rows] for name in ("loss", "board", "speech", "vq")}


@right
def with_flag(model, sample, steps, continuous_steps, lr=3e-3, generator=None, optimizer=None, score=None):
    generator = torch.Generator().manual_seed(1) if generator is None else generator
    given = (lea_loss, *lea_optimizer(model, lr, steps)) if optimizer is None else (lea_loss, *optimizer)
    score_of, optimizer, schedule = (score, *given[1:]) if score else given
    history, talking = {name: [] for name in ("vq", "speech", "board", "loss")}, False
    model.train()
    for step in range(steps):
        batch = sample()
        if not talking and step >= continuous_steps:
            talking = True
            start_codebook(model, batch[0], generator)
        parts = score_of(model, *batch, quantised=talking)
        for parameter in model.parameters():
            parameter.grad = None
        parts["loss"].backward()
        optimizer.step(), schedule.step()
        if talking:
            update_codebook(model, parts, generator)
        for name in history:
            history[name] += [parts[name].item()]
    return history
