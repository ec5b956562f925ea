"""Wrong answers to exercise 1.14 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F

from utils.grade import right, slips


def next_token_loss(logits, tokens):
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())


slip = slips("""
    def train_step(model, tokens, optimizer):
        optimizer.zero_grad()
        loss = next_token_loss(model(tokens), tokens)
        loss.backward()
        optimizer.step()
        return loss.item()
""")
CLEAR, BACK, STEP = "optimizer.zero_grad()\n    ", "loss.backward()", "optimizer.step()"
LOSS, RETURN = "next_token_loss(model(tokens), tokens)", "return loss.item()"

no_zero_grad = slip(
    "the gradients are never set to zero: each step also follows the gradients of all earlier batches", CLEAR, ""
)
cleared_after_the_step = slip(
    "the gradients are set to zero after the step only: what was in them before the first call still counts",
    CLEAR, "", STEP, f"{STEP}\n    optimizer.zero_grad()",
)  # fmt: skip
# From outside these are the same: the optimizer steps, and no parameter moves.
NOTHING_TO_FOLLOW = (
    "the optimizer finds no gradients: backward is missing or comes after step, or zero_grad comes between the two"
)
zero_grad_too_late = slip(
    NOTHING_TO_FOLLOW, CLEAR, "", STEP, f"for p in model.parameters():\n        p.grad.zero_()\n    {STEP}"
)
no_backward = slip(NOTHING_TO_FOLLOW, BACK, "pass")
zero_grad_between = slip(NOTHING_TO_FOLLOW, CLEAR, "", BACK, f"{BACK}\n    optimizer.zero_grad()")
step_before_backward = slip(NOTHING_TO_FOLLOW, STEP, "pass", BACK, f"{STEP}\n    {BACK}")
no_step = slip("the optimizer takes no step: backward alone doesn't change the parameters", STEP, "pass")
unshifted = slip(
    "the loss is taken on unshifted targets: the logits at t are compared with token t",
    LOSS, "F.cross_entropy(model(tokens).flatten(0, 1), tokens.flatten())",
)  # fmt: skip
loss_after = slip(
    "the loss is computed again after the step: return the one before it", RETURN, f"return {LOSS}.item()"
)
two_steps = slip("the optimizer takes two steps on one batch", STEP, f"{STEP}\n    {STEP}")
uphill = slip("the step goes uphill: the loss is made larger, not smaller", BACK, "(-loss).backward()")
own_optimizer = slip(
    "the given optimizer is not used: a new one with settings of its own takes the step",
    CLEAR, "optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)\n    optimizer.zero_grad()\n    ",
)  # fmt: skip
summed = slip(
    "the losses of all tokens are summed: the step grows with the size of the batch",
    LOSS, 'F.cross_entropy(model(tokens)[:, :-1].flatten(0, 1), tokens[:, 1:].flatten(), reduction="sum")',
)  # fmt: skip
first_row = slip("only the first row of the batch is used", LOSS, "next_token_loss(model(tokens[:1]), tokens[:1])")
clipped = slip(
    "the gradients are clipped, which changes the step: use them unchanged",
    BACK, f"{BACK}\n    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.05)",
)  # fmt: skip
clipped_at_one = slip(
    "the gradients are clipped, which changes the step: use them unchanged",
    BACK, f"{BACK}\n    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)",
)  # fmt: skip
returns_nothing = slip("the loss is not returned", RETURN, "")
holds_the_graph = slip(
    "the loss is returned with its computation graph, which then stays in memory: return a plain number",
    RETURN, "return loss",
)  # fmt: skip
a_tensor = slip(
    "the loss is returned as a tensor: .item() turns it into a Python float",
    RETURN, "return loss.detach()",
)  # fmt: skip
shifted_twice = slip(
    "the tokens are cut before the loss, which shifts once more: give it all logits and all tokens of the batch",
    LOSS, "next_token_loss(model(tokens[:, :-1]), tokens[:, 1:])",
)  # fmt: skip
two_rounds = slip(
    "two whole rounds are made on one batch: one loss, one backward, one step",
    RETURN, f"optimizer.zero_grad()\n    loss = {LOSS}\n    {BACK}\n    {STEP}\n    {RETURN}",
)  # fmt: skip
without_graph = slip(
    "the loss is computed without a graph, so backward has nothing to follow: don't use torch.no_grad or detach here",
    f"loss = {LOSS}", f"with torch.no_grad():\n        loss = {LOSS}",
)  # fmt: skip
number_too_early = slip(
    "the loss is turned into a number before backward: back-propagate the tensor, and return the number at the end",
    LOSS, f"{LOSS}.item()", RETURN, "return loss",
)  # fmt: skip
in_eval_mode = slip(
    "the model is switched to eval mode for the step: that turns dropout off during training",
    CLEAR, "model.eval()\n    optimizer.zero_grad()\n    ",
)  # fmt: skip


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


@right
def cleared_before_and_after(model, tokens, optimizer):
    model.train()
    model.zero_grad()
    loss = next_token_loss(model(tokens), tokens)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.tolist()
