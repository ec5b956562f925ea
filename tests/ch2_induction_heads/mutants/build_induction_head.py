"""Wrong answers to exercise 2.18 that learners write, and right ones written differently.

`write` does it right from parts that a wrong answer replaces.
"""

import copy

import torch

from utils.grade.mutants import right, wrong


def unit(x):
    """Each row over its squared length."""
    return x / x.square().sum(-1, keepdim=True)


def outer(values, keys):
    return unit(values).T @ unit(keys)


def remapped(model, tokens):
    first = model.layers[0].attention
    return first.wo(first.wv(tokens))


@torch.no_grad()
def write(model, beta, triggers, wk1=None, wk2=None, wo2=None):
    """The right memories, but for those that are given: wk1(P, E), wk2(Q, w_1), wo2(U, values), scales included."""
    first, second = model.layers[0].attention, model.layers[1].attention
    P, E, U = model.pe, model.tok_embeddings.weight, model.output.weight
    Q, root = E if triggers is None else E[triggers], P.shape[1] ** 0.5
    first.wk.weight.copy_(beta[0] * root * (wk1(P, E) if wk1 else outer(P[1:], P[:-1])))
    second.wk.weight.copy_(beta[1] * root * (wk2(Q, remapped(model, Q)) if wk2 else outer(Q, remapped(model, Q))))
    second.wo.weight.copy_(beta[2] * (wo2(U, second.wv(E)) if wo2 else outer(U, second.wv(E))))
    return model


@wrong("the outer products are the wrong way round: value times key, so that W times the key gives the value")
def transposed(model, beta=(10, 10, 10), triggers=None):
    model = write(model, beta, triggers)
    for weight in (model.layers[0].attention.wk, model.layers[1].attention.wk, model.layers[1].attention.wo):
        weight.weight.data = weight.weight.data.T.contiguous()
    return model


@wrong("W_K^1 is the wrong way round: W_K p_{t-1} must look like p_t, not the other way")
def positions_transposed(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta, triggers, wk1=lambda P, E: outer(P[:-1], P[1:]))


@wrong("W_K^2 is the wrong way round: W_K w_1(q) must look like w_E(q), not the other way")
def tokens_transposed(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta, triggers, wk2=lambda Q, w_1: outer(w_1, Q))


@wrong("W_O^2 is the wrong way round: W_O W_V w_E(b) must look like w_U(b), not the other way")
def output_transposed(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta, triggers, wo2=lambda U, values: outer(values, U))


@wrong("W_K^1 stores p_t with itself: the key of p_t is its predecessor p_{t-1}")
def stores_itself(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta, triggers, wk1=lambda P, E: outer(P, P))


@wrong("W_K^1 stores the predecessor's predecessor, p_{t-2} -> p_t: one step back is wanted")
def two_back(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta, triggers, wk1=lambda P, E: outer(P[2:], P[:-2]))


@wrong("W_K^1 stores pairs of tokens: it is the positions that it links")
def tokens_in_the_first(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta, triggers, wk1=lambda P, E: outer(E[1:], E[:-1]))


@wrong("W_K^1 stores all earlier positions for p_t, not only the one before it")
def all_before(model, beta=(10, 10, 10), triggers=None):
    def earlier(P, E):
        return sum(outer(P[shift:], P[:-shift]) for shift in range(1, len(P)))

    return write(model, beta, triggers, wk1=earlier)


@wrong("W_K^1 also stores p_t with itself, so that attention is shared between a position and the one before")
def itself_too(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta, triggers, wk1=lambda P, E: outer(P[1:], P[:-1]) + outer(P, P))


@wrong("w_1 is the embedding itself: what is in the stream has been through W_V^1 and W_O^1")
def no_remapping(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta, triggers, wk2=lambda Q, w_1: outer(Q, Q))


@wrong("w_1 is computed with W_V^1 alone: W_O^1 comes after it")
def only_values(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta, triggers, wk2=lambda Q, w_1: outer(Q, model.layers[0].attention.wv(Q)))


@wrong("w_1 is computed with W_O^1 alone: W_V^1 comes before it")
def only_output(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta, triggers, wk2=lambda Q, w_1: outer(Q, model.layers[0].attention.wo(Q)))


@wrong("W_V^1 and W_O^1 are swapped in w_1: a value goes through W_V^1 first")
def maps_exchanged(model, beta=(10, 10, 10), triggers=None):
    def keys(Q, w_1):
        first = model.layers[0].attention
        return outer(Q, first.wv(first.wo(Q)))

    return write(model, beta, triggers, wk2=keys)


@wrong("w_1 is computed with the weights the wrong way round: a map takes x to W x")
def maps_transposed(model, beta=(10, 10, 10), triggers=None):
    def keys(Q, w_1):
        first = model.layers[0].attention
        return outer(Q, Q @ first.wv.weight @ first.wo.weight)

    return write(model, beta, triggers, wk2=keys)


@wrong("w_1 is computed with the maps of the second layer: it is the first layer that writes it")
def second_layers_maps(model, beta=(10, 10, 10), triggers=None):
    def keys(Q, w_1):
        second = model.layers[1].attention
        return outer(Q, model.layers[1].attention.wo(second.wv(Q)))

    return write(model, beta, triggers, wk2=keys)


@wrong("the embedding is added to w_1, so that a token also finds itself: store what the first layer writes, alone")
def with_residual(model, beta=(10, 10, 10), triggers=None):
    def keys(Q, w_1):
        return unit(Q).T @ ((Q + w_1) / w_1.square().sum(-1, keepdim=True))

    return write(model, beta, triggers, wk2=keys)


@wrong("W_V^2 is left out of W_O^2: what it reads of a token has been through W_V^2")
def no_value_map(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta, triggers, wo2=lambda U, values: outer(U, model.tok_embeddings.weight))


@wrong("W_V of the first layer is used in W_O^2: it is fed by W_V^2, that of layers[1]")
def first_layers_values(model, beta=(10, 10, 10), triggers=None):
    return write(
        model, beta, triggers, wo2=lambda U, values: outer(U, model.layers[0].attention.wv(model.tok_embeddings.weight))
    )


@wrong("W_O^2 leads to embeddings: it must lead to the rows of the output map, or no logit rises")
def to_embeddings(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta, triggers, wo2=lambda U, values: outer(model.tok_embeddings.weight, values))


@wrong("W_O^2 stores the triggers only: their outputs can be any token, so it needs all of them")
def outputs_of_triggers_only(model, beta=(10, 10, 10), triggers=None):
    def some(U, values):
        return outer(U, values) if triggers is None else outer(U[triggers], values[triggers])

    return write(model, beta, triggers, wo2=some)


@wrong("no triggers at all are taken for all tokens: that is what None means, an empty tensor means no pair")
def none_means_all(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta, triggers if triggers is not None and len(triggers) else None)


# Not scaled in one way or another: the pairs score far too much.
TOO_LONG = "the vectors are not scaled, so attention sticks to one key: divide each by its squared length"


@wrong(TOO_LONG)
def not_normalised(model, beta=(10, 10, 10), triggers=None):
    def plain(values, keys):
        return values.T @ keys

    return write(model, beta, triggers, lambda P, E: plain(P[1:], P[:-1]), plain, plain)


@wrong("the vectors are divided by their length, not by its square: their scores still grow with it")
def divided_by_length(model, beta=(10, 10, 10), triggers=None):
    def half(values, keys):
        return torch.nn.functional.normalize(values, dim=1).T @ torch.nn.functional.normalize(keys, dim=1)

    return write(model, beta, triggers, lambda P, E: half(P[1:], P[:-1]), half, half)


@wrong("only the keys are scaled: the values are still too long")
def keys_only(model, beta=(10, 10, 10), triggers=None):
    def half(values, keys):
        return values.T @ unit(keys)

    return write(model, beta, triggers, lambda P, E: half(P[1:], P[:-1]), half, half)


@wrong("the root of d is forgotten: scores are divided by it, so the two W_K must be multiplied by it")
def no_root(model, beta=(10, 10, 10), triggers=None):
    root = model.pe.shape[1] ** 0.5
    return write(model, (beta[0] / root, beta[1] / root, beta[2]), triggers)


@wrong("the sum over the pairs is averaged: divided by their number the scores are too small")
def averaged(model, beta=(10, 10, 10), triggers=None):
    def mean(values, keys):
        return outer(values, keys) / len(values)

    return write(model, beta, triggers, lambda P, E: mean(P[1:], P[:-1]), mean, mean)


@wrong("triggers is ignored: W_K^2 holds all tokens always")
def triggers_ignored(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta, None)


@wrong("without triggers nothing is stored in W_K^2: None means all tokens")
def nothing_without_triggers(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta, torch.tensor([], dtype=torch.int64) if triggers is None else triggers)


@wrong("without triggers only the first five tokens are stored in W_K^2: None means all tokens")
def five_without_triggers(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta, torch.arange(5) if triggers is None else triggers)


@wrong("the betas are given to the wrong memories: their order is W_K^1, W_K^2, W_O^2")
def betas_reversed(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta[::-1], triggers)


@wrong("one beta serves all three memories: each has its own")
def one_beta(model, beta=(10, 10, 10), triggers=None):
    return write(model, (beta[0],) * 3, triggers)


@wrong("beta is ignored: each memory is proportional to its own")
def beta_ignored(model, beta=(10, 10, 10), triggers=None):
    return write(model, (10, 10, 10), triggers)


@wrong("the default of beta is not (10, 10, 10)")
def other_default(model, beta=(1, 1, 1), triggers=None):
    return write(model, beta, triggers)


@wrong("the memories are added to the random start: they replace it")
def added_to_the_start(model, beta=(10, 10, 10), triggers=None):
    three = [model.layers[0].attention.wk, model.layers[1].attention.wk, model.layers[1].attention.wo]
    starts = [layer.weight.detach().clone() for layer in three]
    model = write(model, beta, triggers)
    for layer, start in zip(three, starts, strict=True):
        layer.weight.data += start
    return model


@wrong("the frozen maps are made identities on the way: only the three memories are written")
def touches_frozen(model, beta=(10, 10, 10), triggers=None):
    first = model.layers[0].attention
    for layer in (first.wv, first.wo, model.layers[1].attention.wv):
        torch.nn.init.eye_(layer.weight)
    return write(model, beta, triggers)


@wrong("the embeddings are made unit vectors in place: only the three memories are written")
def touches_embeddings(model, beta=(10, 10, 10), triggers=None):
    model.tok_embeddings.weight.data /= model.tok_embeddings.weight.data.norm(dim=1, keepdim=True)
    return write(model, beta, triggers)


@wrong("W_K^1 is never written: it is the memory of the previous position")
def no_first(model, beta=(10, 10, 10), triggers=None):
    start = model.layers[0].attention.wk.weight.detach().clone()
    write(model, beta, triggers).layers[0].attention.wk.weight.data = start
    return model


@wrong("W_O^2 is never written: without it nothing is copied to the output")
def no_third(model, beta=(10, 10, 10), triggers=None):
    start = model.layers[1].attention.wo.weight.detach().clone()
    write(model, beta, triggers).layers[1].attention.wo.weight.data = start
    return model


@wrong("a copy of the model is written: the given model is changed in place, and returned")
def writes_a_copy(model, beta=(10, 10, 10), triggers=None):
    return write(copy.deepcopy(model), beta, triggers)


@wrong("nothing is returned: return the model")
def returns_nothing(model, beta=(10, 10, 10), triggers=None):
    write(model, beta, triggers)


@wrong("the weights are changed while autograd watches, which it forbids: write them under torch.no_grad()")
def without_no_grad(model, beta=(10, 10, 10), triggers=None):
    model.layers[0].attention.wk.weight.copy_(outer(model.pe[1:], model.pe[:-1]))
    return write(model, beta, triggers)


@wrong("the root of d is multiplied into W_O^2 too: a logit is not divided by it, only attention scores are")
def root_everywhere(model, beta=(10, 10, 10), triggers=None):
    root = model.pe.shape[1] ** 0.5
    return write(model, beta, triggers, wo2=lambda U, values: root * outer(U, values))


@wrong(
    "W_K^1 leads from the last position to the first, too (roll): the first has no predecessor, pairs start at t = 1"
)
def rolled(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta, triggers, wk1=lambda P, E: outer(P, P.roll(1, 0)))


@wrong("triggers is asked for its truth value, which a tensor of several numbers has not: compare it with None")
def truth_of_triggers(model, beta=(10, 10, 10), triggers=None):
    return write(model, beta, triggers or torch.arange(len(model.output.weight)))


@right
def pair_by_pair(model, beta=(10, 10, 10), triggers=None):
    E, U, P = (x.detach() for x in (model.tok_embeddings.weight, model.output.weight, model.pe))
    first, second = (layer.attention for layer in model.layers)
    tokens = range(len(E)) if triggers is None else triggers.tolist()
    root = first.wk.in_features**0.5
    sums = [torch.zeros(E.shape[1], E.shape[1]) for _ in range(3)]
    for t in range(1, len(P)):
        sums[0] += torch.outer(P[t], P[t - 1]) / (P[t] @ P[t]) / (P[t - 1] @ P[t - 1])
    for q in tokens:
        w_1 = (first.wo.weight @ first.wv.weight @ E[q]).detach()
        sums[1] += torch.outer(E[q], w_1) / E[q].norm() ** 2 / w_1.norm() ** 2
    for b in range(len(E)):
        value = (second.wv.weight @ E[b]).detach()
        sums[2] += torch.outer(U[b], value) / U[b].norm() ** 2 / value.norm() ** 2
    scales = (beta[0] * root, beta[1] * root, beta[2])
    for layer, total, scale in zip((first.wk, second.wk, second.wo), sums, scales, strict=True):
        layer.weight.data = scale * total
    return model


@right
def mean_lengths(model, beta=(10, 10, 10), triggers=None):
    def memory(values, keys):
        size = values.square().sum(1).mean() * keys.square().sum(1).mean()
        return torch.einsum("no,ni->oi", values, keys) / (size if len(values) else 1)

    print("writing", beta)
    return write(model, beta, triggers, lambda P, E: memory(P[1:], P[:-1]), memory, memory)


@right
def without_cross_talk(model, beta=(10, 10, 10), triggers=None):
    def memory(values, keys):
        return torch.linalg.pinv(values) @ torch.linalg.pinv(keys).T

    return write(model, beta, triggers, lambda P, E: memory(P[1:], P[:-1]), memory, memory)


@right
def expected_lengths(model, beta=(10, 10, 10), triggers=None):
    d = model.pe.shape[1]
    E, U = model.tok_embeddings.weight.data, model.output.weight.data
    first, second = model.layers[0].attention, model.layers[1].attention
    Q = E if triggers is None else E.index_select(0, triggers)
    first.wk.weight.data = beta[0] * d**0.5 * model.pe[1:].T @ model.pe[:-1] / d**2
    second.wk.weight.data = beta[1] * d**0.5 * Q.T @ remapped(model, Q).detach() / (d * d / 9)
    second.wo.weight.data = beta[2] * U.T @ second.wv(E).detach() / (d / 9)
    return model
