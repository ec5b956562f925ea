"""Wrong answers to exercise 2.9 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong


def stored(U, V, alpha=None):
    alpha = torch.eye(len(U), dtype=U.dtype) if alpha is None else alpha
    return V.T @ alpha.T @ U


# Exchanging keys and values is the same as transposing W, so the two share a sentence.
TRANSPOSED = "W is transposed: keys u come in from the right, values v come out on the left, so W is (d_out, d_in)"


@wrong(TRANSPOSED)
def transposed(U, V, alpha=None):
    return stored(U, V, alpha).T


@wrong("the pairs are averaged: W is their sum")
def averaged(U, V, alpha=None):
    return stored(U, V, alpha) / len(U)


@wrong("each pair overwrites the one before: add them up")
def overwrites(U, V, alpha=None):
    alpha = torch.eye(len(U), dtype=U.dtype) if alpha is None else alpha
    W = torch.zeros(V.shape[1], U.shape[1], dtype=U.dtype)
    for i in range(len(U)):
        for j in range(len(V)):
            if alpha[i, j] != 0:
                W = alpha[i, j] * torch.outer(V[j], U[i])
    return W


@wrong("alpha is not used: alpha[i, j] weighs the pair u_i -> v_j")
def ignores_alpha(U, V, alpha=None):
    n = min(len(U), len(V))
    return V[:n].T @ U[:n]


@wrong("alpha is not used: alpha[i, j] weighs the pair u_i -> v_j")
def takes_no_alpha(U, V, alpha=None):
    return V.T @ U


@wrong("only the diagonal of alpha is used: every key can lead to every value")
def diagonal_of_alpha(U, V, alpha=None):
    n = min(len(U), len(V))
    weights = torch.ones(n, dtype=U.dtype) if alpha is None else alpha.diagonal()
    return (V[:n].T * weights) @ U[:n]


@wrong("alpha is transposed: its first index belongs to the key, its second to the value")
def alpha_transposed(U, V, alpha=None):
    return stored(U, V) if alpha is None else V.T @ alpha @ U


@wrong("a key that comes twice keeps its last value only (a dict by key): all of its pairs are added up")
def keyed(U, V, alpha=None):
    if alpha is not None:
        return stored(U, V, alpha)
    last = list({tuple(u.tolist()): i for i, u in enumerate(U)}.values())
    return V[last].T @ U[last]


@wrong("the pairs are averaged: W is their sum")
def averaged_pairs(U, V, alpha=None):
    return stored(U, V) / len(U) if alpha is None else stored(U, V, alpha)


@wrong("each pair overwrites the one before: add them up")
def overwrites_pairs(U, V, alpha=None):
    return torch.outer(V[-1], U[-1]) if alpha is None else stored(U, V, alpha)


@wrong("the keys are scaled to length 1: they are stored as they are")
def unit_keys(U, V, alpha=None):
    return stored(U / U.norm(dim=1, keepdim=True), V, alpha)


# The sum of all keys times the sum of all values is the sum over all pairs, so these two share a sentence as well.
ALL_PAIRS = "without alpha every key is tied to every value: multiply each pair u_i -> v_i first, then add up"


@wrong(ALL_PAIRS)
def all_pairs(U, V, alpha=None):
    alpha = torch.ones(len(U), len(V), dtype=U.dtype) if alpha is None else alpha
    return V.T @ alpha.T @ U


@wrong("alpha is asked for its truth value, which a tensor of several numbers has not: compare it with None")
def truth_of_alpha(U, V, alpha=None):
    return V.T @ alpha.T @ U if alpha else V.T @ U


@wrong("alpha is given, but without one the sum fails: None means that pair i is u_i -> v_i")
def needs_alpha(U, V, alpha=None):
    return V.T @ alpha.T @ U


@wrong("an alpha of zeros is taken for no alpha at all: it says that nothing is stored")
def zeros_are_none(U, V, alpha=None):
    return stored(U, V, alpha) if alpha is None or alpha.any() else V.T @ torch.ones(len(V), len(U)) @ U


@wrong("alpha is taken as yes or no: its size and its sign count")
def alpha_as_mask(U, V, alpha=None):
    return stored(U, V, None if alpha is None else (alpha > 0).to(U.dtype))


@wrong("each key's row of alpha was put through a softmax: use the weights as they are")
def softmax_of_alpha(U, V, alpha=None):
    return stored(U, V, None if alpha is None else alpha.softmax(1))


@wrong("each row of alpha is divided by its sum: use the weights as they are")
def shares_of_alpha(U, V, alpha=None):
    return stored(U, V, None if alpha is None else alpha / alpha.sum(1, keepdim=True))


@wrong("a key leads to one value only, that with the largest alpha: all weights count")
def largest_alpha(U, V, alpha=None):
    return stored(U, V) if alpha is None else V[alpha.argmax(1)].T @ U


@wrong(TRANSPOSED)
def exchanged(U, V, alpha=None):
    return stored(V, U, None if alpha is None else alpha.T)


@wrong("keys and values are scaled to length 1 first: store them as they are")
def unit_length(U, V, alpha=None):
    return stored(F.normalize(U, dim=1), F.normalize(V, dim=1), alpha)


@wrong("the keys are divided by their squared length: this memory is the plain sum of outer products")
def squared_length(U, V, alpha=None):
    return stored(U / U.square().sum(1, keepdim=True), V, alpha)


@wrong("W is the exact solution by a pseudo-inverse: this memory is the plain sum of outer products")
def pseudo_inverse(U, V, alpha=None):
    values = V if alpha is None else alpha @ V
    return values.T @ torch.linalg.pinv(U.T)


@wrong("the mean is subtracted from keys and values first: store them as they are")
def centred(U, V, alpha=None):
    return stored(U - U.mean(0), V - V.mean(0), alpha)


@wrong("the axis of the pairs is still there: add them up")
def keeps_the_axis(U, V, alpha=None):
    return torch.einsum("nj,ni->nji", V, U) if alpha is None else torch.einsum("nm,mj,ni->nji", alpha, V, U)


@wrong("the inner products of keys and values are returned: sum over the pairs, and keep both dimensions")
def inner_products(U, V, alpha=None):
    return V @ U.T


@wrong(ALL_PAIRS)
def sums_first(U, V, alpha=None):
    if alpha is None:
        return torch.outer(V.sum(0), U.sum(0))
    return stored(U, V, alpha)


@wrong("the last pair is left out")
def without_the_last(U, V, alpha=None):
    if alpha is None:
        return V[:-1].T @ U[:-1]
    return stored(U, V, alpha)


@wrong("W is divided by the square root of the dimension: it is the plain sum")
def scaled(U, V, alpha=None):
    return stored(U, V, alpha) / U.shape[1] ** 0.5


@wrong("W is made symmetric: a memory leads from keys to values, not back")
def symmetric(U, V, alpha=None):
    W = stored(U, V, alpha)
    return (W + W.T) / 2 if W.shape[0] == W.shape[1] else W


@wrong("* multiplies entry by entry: a pair is stored as an outer product")
def entry_by_entry(U, V, alpha=None):
    return (U * V).sum(0)


@wrong("the memory is always float32: its numbers are of the type of the vectors")
def always_float32(U, V, alpha=None):
    return stored(U.float(), V.float(), None if alpha is None else alpha.float())


@wrong("float32 zeros or ones meet float64 vectors: make new tensors with the dtype of U")
def mixes_types(U, V, alpha=None):
    alpha = torch.eye(len(U)) if alpha is None else alpha
    return V.T @ alpha.float().T @ U


@wrong("the caller's vectors are multiplied in place: make new tensors")
def in_place(U, V, alpha=None):
    if alpha is None:
        return V.T @ U
    W = stored(U, V, alpha)
    V *= alpha.sum()
    return W


@wrong("the sum starts from a weight of the caller: alpha is overwritten")
def overwrites_alpha(U, V, alpha=None):
    W = stored(U, V, alpha)
    if alpha is not None:
        alpha /= alpha.sum()
    return W


@wrong("the sign is wrong: W is the plain sum of the outer products")
def negative(U, V, alpha=None):
    return -stored(U, V, alpha)


@wrong("keys are tied to keys: W leads from u to v")
def keys_to_keys(U, V, alpha=None):
    return U.T @ U


@wrong("only the first pair is stored: add up all of them")
def first_pair(U, V, alpha=None):
    return torch.outer(V[0], U[0]) * (1 if alpha is None else alpha[0, 0])


@wrong("the sign of alpha is lost: a negative weight pushes a value away")
def absolute_alpha(U, V, alpha=None):
    return stored(U, V, None if alpha is None else alpha.abs())


@wrong("alpha is scaled to length 1: use the weights as they are")
def alpha_of_length_one(U, V, alpha=None):
    return stored(U, V, None if alpha is None else alpha / alpha.norm().clamp(min=1e-9))


@wrong("each value's column of alpha was put through a softmax: use the weights as they are")
def softmax_of_columns(U, V, alpha=None):
    return stored(U, V, None if alpha is None else alpha.softmax(0))


@right
def by_loop(U, V, alpha=None):
    W = 0
    for i in range(U.shape[0]):
        for j in range(V.shape[0]):
            weight = alpha[i, j] if alpha is not None else float(i == j)
            W = W + weight * torch.outer(V[j], U[i])
    return W


@right
def by_einsum(U, V, alpha=None):
    if alpha is None:
        return torch.einsum("nj,ni->ji", V, U)
    return torch.einsum("nm,mj,ni->ji", alpha, V, U)


@right
def by_broadcasting(U, V, alpha=None):
    values = V if alpha is None else torch.matmul(alpha, V)
    return (values.unsqueeze(2) * U.unsqueeze(1)).sum(dim=0)


@right
def by_transposes(U, V, alpha=None):
    keys = U if alpha is None else alpha.mT @ U
    return (keys.mT @ V).mT


@right
def identity_of_its_own(U, V, alpha=None):
    weights = torch.eye(len(U)) if alpha is None else alpha
    return torch.einsum("nm,mo,ni->oi", weights, V, U)
