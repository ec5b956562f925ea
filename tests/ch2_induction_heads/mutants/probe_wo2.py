"""Wrong answers to exercise 2.17 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


def parts(model):
    """Embeddings, W_V^2, W_O^2, unembeddings."""
    second = model.layers[1].attention
    return model.tok_embeddings.weight, second.wv.weight, second.wo.weight, model.output.weight


def share(scores):
    """How often row i's largest entry stands in column i."""
    return (scores.argmax(1) == torch.arange(len(scores))).float().mean().item()


@wrong("W_V^2 is left out: what the second layer reads of a token has been through W_V^2 before W_O^2")
def no_value_map(model):
    E, _, wo, U = parts(model)
    return share(E @ wo.T @ U.T)


@wrong("W_O^2 is left out: it is the matrix in question")
def no_output_map(model):
    E, wv, _, U = parts(model)
    return share(E @ wv.T @ U.T)


@wrong("W_V^2 and W_O^2 are swapped: a value goes through W_V^2 first, then through W_O^2")
def maps_exchanged(model):
    E, wv, wo, U = parts(model)
    return share(E @ wo.T @ wv.T @ U.T)


@wrong("W_O^2 is transposed: a map takes x to W x")
def transposed(model):
    E, wv, wo, U = parts(model)
    return share(E @ wv.T @ wo @ U.T)


@wrong("W_V^2 is transposed: a map takes x to W x")
def value_map_transposed(model):
    E, wv, wo, U = parts(model)
    return share(E @ wv @ wo.T @ U.T)


@wrong("both maps are transposed: a map takes x to W x")
def both_transposed(model):
    E, wv, wo, U = parts(model)
    return share(E @ wv @ wo @ U.T)


@wrong("the maps of the first layer are used: W_V^2 and W_O^2 are those of layers[1]")
def first_layer(model):
    E, _, _, U = parts(model)
    first = model.layers[0].attention
    return share(first.wo(first.wv(E)) @ U.T)


@wrong("W_V of the first layer is used: W_O^2 is fed by W_V^2, that of layers[1]")
def first_layers_values(model):
    E, _, wo, U = parts(model)
    return share(model.layers[0].attention.wv(E) @ wo.T @ U.T)


@wrong("all embeddings go through the attention as one sequence, where they mix: each token is read by itself")
def as_one_sequence(model):
    second = model.layers[1].attention
    return share(second(model.tok_embeddings.weight[None])[0][0] @ model.output.weight.T)


@wrong("W_K^2 is used in place of W_V^2: what is copied of a token has been through W_V^2")
def keys_for_values(model):
    E, _, wo, U = parts(model)
    return share(E @ model.layers[1].attention.wk.weight.T @ wo.T @ U.T)


@wrong("positions are added to the embeddings: this probe is about tokens alone")
def with_position(model):
    E, wv, wo, U = parts(model)
    return share((E + model.pe[0]) @ wv.T @ wo.T @ U.T)


@wrong("the embedding is added: this probe asks about what the second layer writes, and nothing else")
def with_residual(model):
    E, wv, wo, U = parts(model)
    return share((E + E @ wv.T @ wo.T) @ U.T)


@wrong("what the first layer writes is added to the embedding first: this probe is about the token's embedding alone")
def through_the_first_layer(model):
    E, wv, wo, U = parts(model)
    first = model.layers[0].attention
    return share((E + first.wo(first.wv(E))) @ wv.T @ wo.T @ U.T)


@wrong("the whole model is run on single tokens: the direct path and the positions blur what W_O^2 stores")
def whole_model(model):
    everyone = torch.arange(len(model.tok_embeddings.weight))
    return share(model(everyone[:, None])[:, 0])


@wrong("the embeddings serve as the output map: logits are made with model.output, which has a weight of its own")
def tied(model):
    E, wv, wo, _ = parts(model)
    return share(E @ wv.T @ wo.T @ E.T)


@wrong("the output map serves as embeddings: what is attended to is a row of tok_embeddings")
def unembeddings_in(model):
    _, wv, wo, U = parts(model)
    return share(U @ wv.T @ wo.T @ U.T)


@wrong("the largest is taken over the attended tokens: for each of them the largest logit is wanted")
def over_inputs(model):
    E, wv, wo, U = parts(model)
    return share((E @ wv.T @ wo.T @ U.T).T)


@wrong("no layer is used: embeddings are compared with the output map as they are")
def no_layer(model):
    E, _, _, U = parts(model)
    return share(E @ U.T)


@wrong("the share runs over the positions: it is over all tokens of the vocabulary")
def of_positions(model):
    _, wv, wo, _ = parts(model)
    return share(model.pe @ wv.T @ wo.T @ model.pe.T)


@wrong("not all tokens are asked: the share is over the whole vocabulary, the first and the last token included")
def last_token_missing(model):
    E, wv, wo, U = parts(model)
    return share((E @ wv.T @ wo.T @ U.T)[:-1])


@wrong("not all tokens are asked: the share is over the whole vocabulary, the first and the last token included")
def first_token_missing(model):
    E, wv, wo, U = parts(model)
    return share((E @ wv.T @ wo.T @ U.T)[1:, 1:])


@wrong("not all tokens are asked: the share is over the whole vocabulary, the first and the last token included")
def first_token_not_asked(model):
    E, wv, wo, U = parts(model)
    return ((E @ wv.T @ wo.T @ U.T).argmax(1) == torch.arange(len(E)))[1:].float().mean().item()


@wrong("the right answer is taken to be the next token: the second layer copies the token that it attends to")
def next_token(model):
    E, wv, wo, U = parts(model)
    return ((E @ wv.T @ wo.T @ U.T).argmax(1) == torch.arange(1, len(E) + 1)).float().mean().item()


@wrong("the smallest logit wins: the largest is wanted")
def smallest(model):
    E, wv, wo, U = parts(model)
    return share(-E @ wv.T @ wo.T @ U.T)


@wrong("the sign of the logits is thrown away: the largest logit is wanted, not the one of largest size")
def by_size(model):
    E, wv, wo, U = parts(model)
    return share((E @ wv.T @ wo.T @ U.T).abs())


@wrong("the rows of the output map are made unit vectors: take the logits as the model makes them")
def by_cosine(model):
    E, wv, wo, U = parts(model)
    return share(E @ wv.T @ wo.T @ torch.nn.functional.normalize(U, dim=1).T)


@wrong("the probability of the right token is averaged: a recall counts how often it is the most probable one")
def mean_probability(model):
    E, wv, wo, U = parts(model)
    return (E @ wv.T @ wo.T @ U.T).softmax(-1).diagonal().mean().item()


@wrong("the number of hits is returned: divide it by the number of tokens")
def count(model):
    E, wv, wo, U = parts(model)
    return share(E @ wv.T @ wo.T @ U.T) * len(E)


@wrong("the share is given in per cent: a number from 0 to 1 is wanted")
def per_cent(model):
    E, wv, wo, U = parts(model)
    return share(E @ wv.T @ wo.T @ U.T) * 100


@wrong("one minus the share is returned: that is the fraction of errors")
def error_rate(model):
    E, wv, wo, U = parts(model)
    return 1 - share(E @ wv.T @ wo.T @ U.T)


@wrong("hit or miss is returned for every token: take their mean, one float")
def every_hit(model):
    E, wv, wo, U = parts(model)
    return (E @ wv.T @ wo.T @ U.T).argmax(1) == torch.arange(len(E))


@wrong("the share is a tensor: a plain float is promised, and .item() makes one of it")
def as_a_tensor(model):
    E, wv, wo, U = parts(model)
    return ((E @ wv.T @ wo.T @ U.T).argmax(1) == torch.arange(len(E))).float().mean()


@wrong("nothing is returned")
def returns_nothing(model):
    E, wv, wo, U = parts(model)
    share(E @ wv.T @ wo.T @ U.T)


@wrong("the model's weights are changed on the way: a probe only reads the model")
def normalises_in_place(model):
    E, wv, wo, U = parts(model)
    E.data /= E.data.norm(dim=1, keepdim=True)
    return share(E @ wv.T @ wo.T @ U.T)


@right
def by_loops(model):
    second, hits = model.layers[1].attention, 0
    for token in range(model.output.out_features):
        logits = model.output(second.wo(second.wv(model.tok_embeddings(torch.tensor(token)))))
        hits += int(logits.max(0).indices) == token
    return hits / model.output.out_features


@right
def merged(model):
    E, wv, wo, U = (weight.detach().double() for weight in parts(model))
    logits = torch.einsum("va,ab,bc,nc->nv", U, wo, wv, E)
    return (logits.argsort(dim=1)[:, -1] == torch.arange(len(E))).double().mean().item()


@right
@torch.no_grad()
def by_diagonal(model):
    E, wv, wo, U = parts(model)
    logits = U @ (wo @ wv) @ E.T  # a column for each attended token
    return float(sum(bool(logits[i, i] == column.max()) for i, column in enumerate(logits.T))) / len(E)
