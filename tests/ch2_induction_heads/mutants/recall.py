"""Wrong answers to exercise 2.10 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong


def scores(W, U, V):
    """(n, m): the inner product of each value with what W makes of each key."""
    return U @ W.T @ V.T


@wrong("the largest score is sought over the keys: for each key, go over the values")
def over_the_keys(W, U, V):
    return scores(W, U, V).argmax(0)


@wrong("argmax without an axis gives one place in the whole table: for each key, go over the values")
def one_argmax(W, U, V):
    return scores(W, U, V).argmax()


@wrong("the largest scores are returned: their places are wanted")
def values(W, U, V):
    return scores(W, U, V).max(1).values


@wrong("max along an axis gives a pair, scores and places: return the places alone")
def the_pair(W, U, V):
    return tuple(scores(W, U, V).max(1))


@wrong("the smallest score is taken: the value with the largest one answers")
def smallest(W, U, V):
    return scores(W, U, V).argmin(1)


@wrong("the largest absolute score is taken: a large negative inner product isn't a match")
def absolute(W, U, V):
    return scores(W, U, V).abs().argmax(1)


@wrong("the angle decides here (cosine): the inner product itself is asked for, so long values win more often")
def cosine(W, U, V):
    return F.cosine_similarity((U @ W.T)[:, None], V[None], dim=-1).argmax(1)


@wrong("the nearest value is taken, by distance: the largest inner product decides")
def nearest(W, U, V):
    return torch.cdist(U @ W.T, V).argmin(1)


@wrong("W is used the wrong way round: it leads from keys to values, W u")
def transposed(W, U, V):
    if W.shape[0] != W.shape[1]:
        return scores(W, U, V).argmax(1)
    return (U @ W @ V.T).argmax(1)


@wrong("u W instead of W u: the sizes only fit when W is square, so multiply the keys by W transposed")
def transposed_everywhere(W, U, V):
    return (U @ W @ V.T).argmax(1)


@wrong("keys and values are exchanged: W u is formed from the keys U and compared with the values V")
def exchanged(W, U, V):
    if W.shape[0] != W.shape[1]:
        return scores(W, U, V).argmax(1)
    return (V @ W.T @ U.T).argmax(1)


@wrong("the answer is compared with the keys: compare it with the values V")
def compared_with_keys(W, U, V):
    if U.shape[1] != V.shape[1]:
        return scores(W, U, V).argmax(1)
    return (U @ W.T @ U.T).argmax(1)


@wrong("W is left out: keys are compared with values directly")
def without_memory(W, U, V):
    if U.shape[1] != V.shape[1]:
        return scores(W, U, V).argmax(1)
    return (U @ V.T).argmax(1)


@wrong("the largest entry of W u is returned: compare W u with each value first")
def entry_of_the_answer(W, U, V):
    return (U @ W.T).argmax(1)


@wrong("the indices are floating-point numbers: they must be int64")
def floats(W, U, V):
    return scores(W, U, V).argmax(1).float()


@wrong("the indices are int32: they must be int64")
def int32(W, U, V):
    return scores(W, U, V).argmax(1).int()


@wrong("the indices come as a list: return a tensor")
def as_list(W, U, V):
    return scores(W, U, V).argmax(1).tolist()


@wrong("the result is one-hot: return the index of the value")
def one_hot(W, U, V):
    return F.one_hot(scores(W, U, V).argmax(1), len(V))


@wrong("the values themselves are returned: their indices are wanted")
def the_values(W, U, V):
    return V[scores(W, U, V).argmax(1)]


@wrong("an axis of length 1 is left over: the result has one axis, that of the keys")
def keepdim(W, U, V):
    return scores(W, U, V).argmax(1, keepdim=True)


@wrong("all scores are returned: the index of the largest is wanted")
def all_scores(W, U, V):
    return scores(W, U, V)


@wrong("whether key i gives value i back is returned: return the index, whatever it is")
def hits(W, U, V):
    return scores(W, U, V).argmax(1) == torch.arange(len(U))


@wrong("squeeze() takes away the axis of a single key")
def squeezed(W, U, V):
    return scores(W, U, V).squeeze().argmax(-1)


@wrong("an index is drawn with the softmax as chances: the largest score decides")
def drawn(W, U, V):
    return torch.multinomial(scores(W, U, V).softmax(1), 1, generator=torch.Generator().manual_seed(0)).squeeze(1)


@wrong("the scores are divided by the lengths of the values: the inner product itself decides")
def by_length_of_values(W, U, V):
    return (scores(W, U, V) / V.norm(dim=1).square()).argmax(1)


@wrong("no value is ever taken twice: two keys may lead to the same value")
def each_value_once(W, U, V):
    table, found = scores(W, U, V), []
    for row in table:
        order = row.argsort(descending=True).tolist()
        found.append(next((j for j in order if j not in found), order[0]))
    return torch.tensor(found)


@wrong("only the values up to the number of keys are looked at")
def as_many_as_keys(W, U, V):
    return scores(W, U, V[: len(U)]).argmax(1)


# With relu, or with a search that starts from 0, index 0 is left where no score is positive: one sentence for both.
POSITIVE = "a score counts only when it is above zero, and index 0 is left where none is: take the largest of any sign"


@wrong(POSITIVE)
def above_zero(W, U, V):
    return scores(W, U, V).relu().argmax(1)


@wrong(POSITIVE)
def starts_from_zero(W, U, V):
    found = []
    for row in scores(W, U, V).tolist():
        best, at = 0.0, 0
        for j, score in enumerate(row):
            if score > best:
                best, at = score, j
        found.append(at)
    return torch.tensor(found)


@wrong("the caller's vectors are overwritten: make new tensors")
def in_place(W, U, V):
    found = scores(W, U, V).argmax(1)
    V -= V.mean(0)
    return found


@wrong("the second best value is returned: the one with the largest score answers")
def second_best(W, U, V):
    table = scores(W, U, V)
    return table.topk(min(2, len(V)), 1).indices[:, -1]


@wrong("a softmax over the keys comes before the choice: scores are compared among the values of one key only")
def softmax_over_keys(W, U, V):
    return scores(W, U, V).softmax(0).argmax(1)


@wrong("the indices are counted from 1: the first value has index 0")
def from_one(W, U, V):
    return scores(W, U, V).argmax(1) + 1


@wrong("where all scores are negative no value is found: the largest one answers, whatever its sign")
def none_below_zero(W, U, V):
    best = scores(W, U, V).max(1)
    return torch.where(best.values < 0, -1, best.indices)


@wrong("the distance to each value is measured instead of the inner product (as a sum of absolute differences)")
def city_block(W, U, V):
    return torch.cdist(U @ W.T, V, p=1).argmin(1)


@wrong("the keys themselves are the candidates: score the values, the rows of V")
def keys_are_candidates(W, U, V):
    return (U @ W.T @ U.T).argmax(1)


@wrong("W u goes through a relu: the memory is linear")
def rectified(W, U, V):
    return ((U @ W.T).relu() @ V.T).argmax(1)


@right
def by_loop(W, U, V):
    found = torch.zeros(len(U), dtype=torch.int64)
    for i in range(len(U)):
        scores_of_key = V @ (W @ U[i])
        found[i] = scores_of_key.argmax()
    return found


@right
def by_einsum(W, U, V):
    return torch.einsum("mj,ji,ni->nm", V, W, U).max(dim=-1).indices


@right
def by_softmax(W, U, V):
    return (V.double() @ W.double() @ U.double().T).softmax(0).argmax(0)


@right
def by_sorting(W, U, V):
    return (-(V @ W @ U.T)).T.argsort(dim=1)[:, 0]
