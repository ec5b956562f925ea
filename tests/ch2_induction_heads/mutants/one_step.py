"""Wrong answers to exercise 2.20 that learners write, and right ones written differently."""

import copy

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong


def matrix(model, which):
    first, second = model.layers[0].attention, model.layers[1].attention
    named = {"wk1": first.wk, "wk2": second.wk, "wo2": second.wo}
    if which not in named:
        raise ValueError(f"there is no matrix {which}")
    return named[which].weight


def loss_of(model, x, y, mask):
    """Mean cross-entropy over the mask, 0 where it is empty."""
    logits = model(x)
    return F.cross_entropy(logits[mask], y[mask]) if mask.any() else 0 * logits.sum()


def slope(model, W, batches):
    return sum(torch.autograd.grad(loss_of(model, *batch), W)[0] for batch in batches) / len(batches)


@wrong("the matrix is not set to zero first: its random start is still in there")
def random_start_stays(model, which, batches, eta):
    W = matrix(model, which)
    W.data -= eta * slope(model, W, batches)
    return model


@wrong("the gradients are taken before the matrix is set to zero: they belong to its random start")
def zeroed_too_late(model, which, batches, eta):
    W = matrix(model, which)
    W.data = -eta * slope(model, W, batches)
    return model


@wrong(
    "the matrix is still zero after the step, so nothing is stored: change the weight itself, and let the step stand"
)
def zeroed_at_the_end(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    return model


@wrong("all three matrices are set to zero: only the one that `which` names is")
def zeroes_all(model, which, batches, eta):
    for name in ("wk1", "wk2", "wo2"):
        matrix(model, name).data.zero_()
    W = matrix(model, which)
    W.data -= eta * slope(model, W, batches)
    return model


@wrong("all three matrices are stepped at once: only the one that `which` names is")
def steps_all(model, which, batches, eta):
    matrix(model, which).data.zero_()
    weights = [matrix(model, name) for name in ("wk1", "wk2", "wo2")]
    slopes = [slope(model, W, batches) for W in weights]
    for W, change in zip(weights, slopes, strict=True):
        W.data -= eta * change
    return model


@wrong("the step goes uphill: it must go against the gradient")
def uphill(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    W.data += eta * slope(model, W, batches)
    return model


@wrong("the gradients of the batches are summed: take their mean")
def summed(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    W.data -= eta * len(batches) * slope(model, W, batches)
    return model


@wrong("a step is taken after each batch: all gradients are taken at zero, then there is one step with their mean")
def step_by_step(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    for batch in batches:
        W.data -= eta / len(batches) * slope(model, W, [batch])
    return model


@wrong(
    "a whole step is taken after each batch: all gradients are taken at zero, then there is one step with their mean"
)
def whole_step_each(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    for batch in batches:
        W.data -= eta * slope(model, W, [batch])
    return model


@wrong("only the last batch counts: the gradients of all of them are averaged")
def last_batch(model, which, batches, eta):
    W = matrix(model, which)
    for batch in batches:
        W.data.zero_()
        W.data -= eta * slope(model, W, [batch])
    return model


@wrong("only the first batch counts: the gradients of all of them are averaged")
def first_batch(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    W.data -= eta * slope(model, W, batches[:1])
    return model


@wrong("the masked positions of all batches are pooled: take each batch's own mean loss, then the mean over batches")
def pooled(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    x, y, mask = (torch.cat(parts) for parts in zip(*batches, strict=True))
    W.data -= eta * slope(model, W, [(x, y, mask)])
    return model


@wrong("the loss is taken over all positions: only those of the mask count")
def mask_ignored(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    W.data -= eta * slope(model, W, [(x, y, torch.ones_like(mask)) for x, y, mask in batches])
    return model


@wrong("the mask is the wrong way round: the loss is over the positions where it is true")
def mask_inverted(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    W.data -= eta * slope(model, W, [(x, y, ~mask) for x, y, mask in batches])
    return model


@wrong("the losses of the masked positions are divided by the number of all positions: divide by that of the mask")
def divided_by_all(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    changes = [slope(model, W, [batch]) * batch[2].float().mean() for batch in batches]
    W.data -= eta * sum(changes) / len(changes)
    return model


@wrong("the losses of the masked positions are summed: each batch's loss is their mean")
def sum_over_mask(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    changes = [slope(model, W, [batch]) * batch[2].sum() for batch in batches]
    W.data -= eta * sum(changes) / len(changes)
    return model


@wrong("the targets are the inputs shifted by one: the targets are given, as y")
def own_targets(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    W.data -= eta * slope(model, W, [(x, x.roll(-1, 1), mask) for x, _, mask in batches])
    return model


@wrong("wk1 and wk2 are those of the wrong layers: the names are the paper's, which counts layers from 1")
def layers_exchanged(model, which, batches, eta):
    W = matrix(model, {"wk1": "wk2", "wk2": "wk1"}.get(which, which))
    W.data.zero_()
    W.data -= eta * slope(model, W, batches)
    return model


@wrong("wo2 is taken to be W_O of the first layer: it is that of the second, layers[1]")
def first_layers_output(model, which, batches, eta):
    W = model.layers[0].attention.wo.weight if which == "wo2" else matrix(model, which)
    learns = W.requires_grad
    W.requires_grad_(True)
    W.data.zero_()
    W.data -= eta * slope(model, W, batches)
    W.requires_grad_(learns)
    return model


@wrong("the gradient is scaled to length 1: the step is eta times the gradient as it is")
def normalised(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    change = slope(model, W, batches)
    W.data -= eta * change / change.norm().clamp(min=1e-12)
    return model


@wrong("only the sign of the gradient is used (as Adam's first step does): the step is eta times the gradient")
def signs(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    W.data -= eta * slope(model, W, batches).sign()
    return model


@wrong("the change is stored transposed")
def transposed(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    W.data -= eta * slope(model, W, batches).T
    return model


@wrong("gradients pile up from call to call: empty .grad before the first backward")
def gradients_pile_up(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    for batch in batches:
        loss_of(model, *batch).div(len(batches)).backward()
    W.data -= eta * W.grad
    return model


@wrong("all other parameters are left frozen: put requires_grad back as it was")
def leaves_others_frozen(model, which, batches, eta):
    W = matrix(model, which)
    for parameter in model.parameters():
        parameter.requires_grad_(parameter is W)
    W.data.zero_()
    W.data -= eta * slope(model, W, batches)
    return model


@wrong("a copy of the model is changed: the given model is changed in place, and returned")
def changes_a_copy(model, which, batches, eta):
    model = copy.deepcopy(model)
    W = matrix(model, which)
    W.data.zero_()
    W.data -= eta * slope(model, W, batches)
    return model


@wrong("nothing is returned: return the model")
def returns_nothing(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    W.data -= eta * slope(model, W, batches)


@wrong("the matrix is returned: return the model")
def returns_the_matrix(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    W.data -= eta * slope(model, W, batches)
    return W


@wrong("batches whose mask is empty are left out of the mean: they count, with gradient 0")
def skips_empty(model, which, batches, eta):
    W = matrix(model, which)
    W.data.zero_()
    W.data -= eta * slope(model, W, [batch for batch in batches if batch[2].any()])
    return model


@wrong("an unknown name is taken for one of the three: it must raise a ValueError")
def unknown_is_wo2(model, which, batches, eta):
    W = matrix(model, which if which in ("wk1", "wk2") else "wo2")
    W.data.zero_()
    W.data -= eta * slope(model, W, batches)
    return model


@wrong("an unknown name is silently ignored: it must raise a ValueError")
def unknown_is_ignored(model, which, batches, eta):
    if which in ("wk1", "wk2", "wo2"):
        W = matrix(model, which)
        W.data.zero_()
        W.data -= eta * slope(model, W, batches)
    return model


@wrong("a name that is none of the three raises a KeyError: a ValueError that says so is promised")
def key_error(model, which, batches, eta):
    W = matrix(model, {name: name for name in ("wk1", "wk2", "wo2")}[which])
    W.data.zero_()
    W.data -= eta * slope(model, W, batches)
    return model


@right
def with_sgd(model, which, batches, eta):
    W = matrix(model, which)
    torch.nn.init.zeros_(W)
    model.zero_grad()
    for x, y, mask in batches:
        picked = model(x).log_softmax(-1).gather(-1, y[..., None])[..., 0]
        (-(picked * mask).sum() / mask.sum().clamp(min=1) / len(batches)).backward()
    torch.optim.SGD([W], lr=eta).step()
    model.zero_grad()
    return model


@right
def by_a_new_parameter(model, which, batches, eta):
    if which not in ("wk1", "wk2", "wo2"):
        raise ValueError(f"no matrix is called {which}")
    print("stepping", which)
    layer = model.layers[0 if which == "wk1" else 1].attention
    part = getattr(layer, which[:2])
    zero = torch.zeros_like(part.weight).requires_grad_()
    name = f"layers.{0 if which == 'wk1' else 1}.attention.{which[:2]}.weight"
    total = 0
    for x, y, mask in batches:
        logits = torch.func.functional_call(model, {name: zero}, (x,))
        losses = F.cross_entropy(logits.transpose(1, 2), y, reduction="none")
        total = total + (losses * mask).sum() / max(int(mask.sum()), 1)
    total.backward()
    with torch.no_grad():
        part.weight.copy_(-eta / len(batches) * zero.grad)
    return model


@right
def all_at_once(model, which, batches, eta):
    first, second = (layer.attention for layer in model.layers)
    if which == "wk1":
        W = first.wk.weight
    elif which == "wk2":
        W = second.wk.weight
    elif which == "wo2":
        W = second.wo.weight
    else:
        raise ValueError(which)
    W.data[:] = 0.0
    losses = [loss_of(model, *batch) for batch in batches]
    (change,) = torch.autograd.grad(torch.stack(losses).mean(), [W])
    with torch.no_grad():
        W.sub_(change, alpha=eta)
    return model
