"""Wrong answers to exercise 1.15 that learners write, and right ones written differently."""

from itertools import cycle, islice

import torch

from utils.grade import right, slips, wrong

F = torch.nn.functional


def loss_of(model, tokens):
    return F.cross_entropy(model(tokens)[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())


def train_step(model, tokens, optimizer):
    loss = loss_of(model, tokens)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


slip = slips("""
    def train(model, batches, optimizer, steps):
        before, losses = model.training, []
        model.train()
        for tokens in islice(batches, steps):
            losses.append(train_step(model, tokens, optimizer))
        model.train(before)
        return losses
""")
FEW, STEP = "islice(batches, steps)", "losses.append(train_step(model, tokens, optimizer))"
LOOP = f"for tokens in {FEW}:\n"
END = "\n    model.train(before)\n    return losses"
# a step written out, to leave a part of it away
LOSS, CLEAR = "loss = loss_of(model, tokens)\n        ", "optimizer.zero_grad()\n        "
BACK, ON, NOTE = "loss.backward()\n        ", "optimizer.step()\n        ", "losses.append(loss.item())"

# Told apart by what they do once the batches, or the steps, are used up.
ONE_TOO_MANY = "one step too many is taken: the limit is checked only after the step that it should prevent"
ALL_BATCHES = "a step is taken on every batch there is: stop after `steps`"
one_too_many = slip(
    ONE_TOO_MANY,
    LOOP, "for step, tokens in enumerate(batches):\n", STEP, f"{STEP}\n        if step >= steps:\n            break",
)  # fmt: skip
while_at_most = slip(
    "the outer loop goes on until there are more losses than steps, but the inner one never checks: once the batches "
    "are used up, it never ends",
    f"{LOOP}        {STEP}", f"while len(losses) <= steps:\n        for tokens in batches:\n            {STEP}",
)  # fmt: skip
while_fewer = slip(
    ALL_BATCHES,
    f"{LOOP}        {STEP}", f"while len(losses) < steps:\n        for tokens in batches:\n            {STEP}",
)  # fmt: skip
whole_list = slip(
    "the batches are put into a list first, which takes forever when they are endless: take them one at a time",
    "islice(batches, steps)", "list(batches)[:steps]",
)  # fmt: skip
one_too_few = slip("one step too few is taken", FEW, "islice(batches, steps - 1)")
all_batches = slip(ALL_BATCHES, FEW, "batches")
same_batch = slip(
    "every step uses the first batch again: take the next one",
    LOOP, "tokens = next(iter(batches))\n    for _ in range(steps):\n",
)  # fmt: skip
no_zero_grad = slip(
    "the gradients are never set to zero: each step also follows the gradients of all earlier batches",
    STEP, LOSS + BACK + ON + NOTE,
)  # fmt: skip
loss_after = slip(
    "the losses are those after each step: keep the one before it",
    STEP, "train_step(model, tokens, optimizer)\n        losses.append(loss_of(model, tokens).item())",
)  # fmt: skip
unshifted = slip(
    "the loss is taken on unshifted targets: the logits at t are compared with token t",
    STEP, "loss = F.cross_entropy(model(tokens).flatten(0, 1), tokens.flatten())\n        " + CLEAR + BACK + ON + NOTE,
)  # fmt: skip
only_measures = slip(
    "the optimizer never steps: the losses are measured, but nothing is learned",
    STEP, "losses.append(loss_of(model, tokens).item())",
)  # fmt: skip
own_optimizer = slip(
    "the given optimizer is not used: a new one with settings of its own takes the steps",
    "model.train()\n", "model.train()\n    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)\n",
)  # fmt: skip
last_loss = slip("only the last loss is returned: return those of all steps", "return losses", "return losses[-1:]")
running_mean = slip(
    "the losses are averaged along the way: return each step's own",
    "return losses", "return [sum(losses[: i + 1]) / (i + 1) for i in range(len(losses))]",
)  # fmt: skip
returns_nothing = slip("nothing is returned: the losses are lost", "\n    return losses", "")
mode_untouched = slip(
    "train mode is never switched on: a model that was being evaluated trains in eval mode",
    "    model.train()\n", "", "\n    model.train(before)", "",
)  # fmt: skip
trains_in_eval_mode = slip(
    "the model is trained in eval mode, which switches dropout off", "model.train()\n", "model.eval()\n"
)
left_in_train_mode = slip(
    "the model is left in train mode: restore the mode it had before", "\n    model.train(before)", ""
)
left_in_eval_mode = slip(
    "the model always ends in eval mode: restore the mode it had before", "model.train(before)", "model.eval()"
)
flag_only = slip(
    "only the model's own training flag is put back, not that of its parts: call model.train or model.eval",
    "model.train(before)", "model.training = before",
)  # fmt: skip
keeps_graphs = slip(
    "the losses are kept with their computation graphs, which fill the memory: keep plain numbers",
    STEP, LOSS + CLEAR + BACK + "optimizer.step()\n        losses.append(loss)",
)  # fmt: skip
keeps_tensors = slip(
    "the losses are kept as tensors: return a list of Python floats, as .item() or train_step gives them",
    STEP, LOSS + CLEAR + BACK + "optimizer.step()\n        losses.append(loss.detach())",
)  # fmt: skip
returns_a_tensor = slip(
    "the losses are returned as one tensor: return a list of Python floats", "return losses",
    "return torch.tensor(losses)",
)  # fmt: skip
by_number = slip(
    "batches are looked up by number, which fails for a generator or a DataLoader: iterate over them",
    LOOP, "for step in range(steps):\n", "model, tokens, optimizer", "model, batches[step], optimizer",
)  # fmt: skip
skips_the_first = slip(
    "the first batch is thrown away: the first step takes the first batch",
    LOOP, "source = iter(batches)\n    next(source)\n    for tokens in islice(source, steps):\n",
)  # fmt: skip
returns_in_the_loop = slip(
    "return is inside the loop, so training ends after one step",
    END, END.replace("\n", "\n    "),
)  # fmt: skip
whole_rounds = slip(
    "the loop runs through all batches `steps` times: one step takes one batch",
    f"{LOOP}        {STEP}", f"for _ in range(steps):\n        for tokens in batches:\n            {STEP}",
)  # fmt: skip
restores_in_the_loop = slip(
    "the mode is put back inside the loop, after the first step: put it back after the last one",
    "\n    model.train(before)", "\n        model.train(before)",
)  # fmt: skip


@wrong("one batch more than there are steps is taken, which fails when there are no more")
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
        losses.append(float(loss.detach()))
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


@right
def zipped(model, batches, optimizer, steps):
    before = model.training
    losses = [train_step(model.train(), tokens, optimizer) for _, tokens in zip(range(steps), batches, strict=False)]
    model.train(before)
    return losses
