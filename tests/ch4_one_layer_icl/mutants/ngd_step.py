"""Wrong answers to exercise 4.7 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


def each(params, grads, move):
    """A new dict; `move(g)` for every gradient that is there and not zero."""
    still = {name: grads[name] is None or not grads[name].any() for name in params}
    return {name: x.clone() if still[name] else x - move(grads[name]) for name, x in params.items()}


@wrong("one norm is taken over all tensors together: each tensor has its own")
def global_norm(params, grads, lr):
    total = sum((g**2).sum() for g in grads.values() if g is not None) ** 0.5
    return each(params, grads, lambda g: lr * g / total)


@wrong("the tensors share the largest of their norms: each tensor has its own")
def largest_norm(params, grads, lr):
    total = max(g.norm() for g in grads.values() if g is not None)
    return each(params, grads, lambda g: lr * g / total)


@wrong("gradients are matched with the tensors by their order in the dicts: look each one up by its name")
def by_order(params, grads, lr):
    return each(params, dict(zip(params, grads.values(), strict=True)), lambda g: lr * g / g.norm())


@wrong("a zero gradient is divided by its zero norm: 0 / 0 is nan, and that tensor must stay")
def divides_by_zero(params, grads, lr):
    return {n: x if grads[n] is None else x - lr * grads[n] / grads[n].norm() for n, x in params.items()}


@wrong("the step goes uphill: move against the gradient")
def uphill(params, grads, lr):
    return each(params, grads, lambda g: -lr * g / g.norm())


@wrong("the gradients are not normalised")
def plain_gradient(params, grads, lr):
    return each(params, grads, lambda g: lr * g)


@wrong("the direction has length 1, but lr is missing")
def without_lr(params, grads, lr):
    return each(params, grads, lambda g: g / g.norm())


@wrong("only gradients longer than 1 are shortened: that is clipping, short ones must be made longer")
def clipped(params, grads, lr):
    return each(params, grads, lambda g: lr * g / g.norm().clamp(min=1))


@wrong("every entry moves by lr, by its sign: it is the whole tensor that moves by lr")
def signs(params, grads, lr):
    return each(params, grads, lambda g: lr * g.sign())


@wrong("the gradient is divided by its largest entry instead of its Frobenius norm")
def largest_entry(params, grads, lr):
    return each(params, grads, lambda g: lr * g / g.abs().max())


@wrong("the gradient is divided by the sum of absolute values instead of the root of the sum of squares")
def l1(params, grads, lr):
    return each(params, grads, lambda g: lr * g / g.abs().sum())


@wrong("the gradient is divided by its squared norm: the root is missing")
def squared(params, grads, lr):
    return each(params, grads, lambda g: lr * g / (g**2).sum())


@wrong("the gradient is divided by the root of the mean square: the norm is the root of the sum")
def root_mean_square(params, grads, lr):
    return each(params, grads, lambda g: lr * g / (g**2).mean().sqrt())


@wrong("the gradient is divided by its standard deviation")
def deviation(params, grads, lr):
    return each(params, grads, lambda g: lr * g / (g.std(correction=0) + (g.abs() if g.ndim == 0 else 0)))


@wrong("each row is divided by a norm of its own: one norm belongs to the whole tensor")
def rows(params, grads, lr):
    return each(
        params, grads, lambda g: lr * torch.nn.functional.normalize(g, dim=-1, eps=0) if g.ndim else lr * g.sign()
    )


@wrong("the spectral norm is used for matrices: it is the Frobenius norm, the root of the sum of all squares")
def spectral(params, grads, lr):
    return each(params, grads, lambda g: lr * g / (torch.linalg.matrix_norm(g, 2) if g.ndim == 2 else g.norm()))


@wrong("the gradient is divided by the norm of the parameter")
def norm_of_parameter(params, grads, lr):
    return {
        n: x.clone() if grads[n] is None or not grads[n].any() else x - lr * grads[n] / x.norm()
        for n, x in params.items()
    }


@wrong("the number added to the norm weighs more than a tiny gradient: such a tensor must move by lr too")
def eps(params, grads, lr):
    return each(params, grads, lambda g: lr * g / (g.norm() + 1e-8))


@wrong("tiny gradients are taken for zero: only a norm of exactly zero means that the tensor stays")
def threshold(params, grads, lr):
    return each(params, grads, lambda g: lr * g / g.norm() if g.norm() > 1e-6 else 0 * g)


@wrong("a gradient that is None is not expected: such a tensor stays")
def none_fails(params, grads, lr):
    return {n: x - lr * grads[n] / (grads[n].norm() or 1) for n, x in params.items()}


@wrong("tensors without a gradient, or with a zero one, are left out of the dict: they stay as they are")
def left_out(params, grads, lr):
    moving = {n: g for n, g in grads.items() if g is not None and g.any()}
    return {n: params[n] - lr * g / g.norm() for n, g in moving.items()}


@wrong("tensors without a gradient are left out of the dict: they stay as they are")
def none_left_out(params, grads, lr):
    return {n: params[n] - lr * g / (g.norm() or 1) for n, g in grads.items() if g is not None}


@wrong("one zero gradient stops the step for all tensors")
def stops_at_zero(params, grads, lr):
    if any(g is not None and not g.any() for g in grads.values()):
        return dict(params)
    return each(params, grads, lambda g: lr * g / g.norm())


@wrong("the given tensors are changed in place: new ones are wanted, under the same keys")
def in_place(params, grads, lr):
    for name, g in grads.items():
        if g is not None and g.any():
            params[name] -= lr * g / g.norm()
    return {**params}


@wrong("the given dict is changed and returned: a new one is wanted")
def same_dict(params, grads, lr):
    params.update(each(params, grads, lambda g: lr * g / g.norm()))
    return params


@wrong("the gradients are normalised in place: the caller's must stay as they are")
def grads_in_place(params, grads, lr):
    for g in grads.values():
        if g is not None and g.any():
            g /= g.norm().clone()
    return each(params, grads, lambda g: lr * g)


@wrong("a gradient that is None is replaced by zeros in the caller's dict, which must stay as it is")
def fills_the_gradients(params, grads, lr):
    for name, x in params.items():
        if grads[name] is None:
            grads[name] = torch.zeros_like(x)
    return each(params, grads, lambda g: lr * g / g.norm())


@wrong("a gradient is taken for zero where its entries add up to zero: its norm must be zero")
def zero_by_sum(params, grads, lr):
    kept = {name: None if g is None or g.sum() == 0 else g for name, g in grads.items()}
    return each(params, kept, lambda g: lr * g / g.norm())


@wrong("the steps are returned instead of the tensors after the step")
def returns_steps(params, grads, lr):
    return each({n: torch.zeros_like(x) for n, x in params.items()}, grads, lambda g: lr * g / g.norm())


@wrong("a list is returned: a dict under the same keys is wanted")
def returns_list(params, grads, lr):
    return list(each(params, grads, lambda g: lr * g / g.norm()).values())


@wrong("nothing is returned: the tensors after the step are wanted, in a dict")
def returns_nothing(params, grads, lr):
    each(params, grads, lambda g: lr * g / g.norm())


@right
def by_nan_to_num(params, grads, lr):
    moved = {}
    for name in params:
        g = grads[name]
        moved[name] = params[name] - lr * torch.nan_to_num(g / g.norm()) if g is not None else params[name]
    return moved


@right
def step_by_step(params, grads, lr):
    new = {}
    for key, value in params.items():
        new[key] = value.clone()
        g = grads.get(key)
        if g is None:
            continue
        size = (g * g).sum().sqrt() if g.abs().max() > 1e-3 else g.double().pow(2).sum().sqrt().to(g.dtype)
        if size.item() != 0.0:
            new[key] = new[key].sub(g / size, alpha=lr)
    return new


@right
def tiny_eps(params, grads, lr):
    zero = {name: torch.zeros_like(x) if grads[name] is None else grads[name] for name, x in params.items()}
    return {name: x - lr * zero[name] / (torch.linalg.norm(zero[name].flatten()) + 1e-30) for name, x in params.items()}


@right
def with_a_mask(params, grads, lr):
    def move(value, g):
        norm = torch.linalg.vector_norm(g)
        return torch.where(norm > 0, value - lr * g / norm, value)

    return {name: value if grads[name] is None else move(value, grads[name]) for name, value in params.items()}
