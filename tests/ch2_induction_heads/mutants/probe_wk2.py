"""Wrong answers to exercise 2.16 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


def parts(model):
    """Embeddings, W_K^2, W_V^1, W_O^1."""
    first = model.layers[0].attention
    return model.tok_embeddings.weight, model.layers[1].attention.wk.weight, first.wv.weight, first.wo.weight


def share(scores):
    """How often row i's largest entry stands in column i."""
    return (scores.argmax(1) == torch.arange(len(scores))).float().mean().item()


@wrong("the matrix is transposed: W_K^2 maps the candidate w_1(j), and the query w_E(i) is compared with the result")
def transposed(model, tokens):
    E, W, wv, wo = parts(model)
    return share(E[tokens] @ W.T @ (E[tokens] @ wv.T @ wo.T).T)


@wrong("queries and candidates are swapped: for each query i the best candidate j is wanted")
def best_query(model, tokens):
    E, W, wv, wo = parts(model)
    return share((E[tokens] @ W @ (E[tokens] @ wv.T @ wo.T).T).T)


@wrong("queries and keys are swapped: the query is w_E(i), and W_K^2 is applied to w_1(j)")
def asks_with_what_is_written(model, tokens):
    E, W, wv, wo = parts(model)
    return share(E[tokens] @ wv.T @ wo.T @ W @ E[tokens].T)


@wrong("the queries are rows of the output map: a query is the token's embedding w_E(i)")
def asks_with_the_output_map(model, tokens):
    E, W, wv, wo = parts(model)
    return share(model.output.weight[tokens] @ W @ (E[tokens] @ wv.T @ wo.T).T)


@wrong("W_O^1 W_V^1 is left out: the candidates are what the first layer writes of a token, not its embedding")
def no_remapping(model, tokens):
    E, W, _, _ = parts(model)
    return share(E[tokens] @ W @ E[tokens].T)


@wrong("W_O^1 is left out: what the first layer writes has been through W_V^1 and W_O^1")
def only_values(model, tokens):
    E, W, wv, _ = parts(model)
    return share(E[tokens] @ W @ (E[tokens] @ wv.T).T)


@wrong("W_V^1 is left out: what the first layer writes has been through W_V^1 and W_O^1")
def only_output(model, tokens):
    E, W, _, wo = parts(model)
    return share(E[tokens] @ W @ (E[tokens] @ wo.T).T)


@wrong("W_V^1 and W_O^1 are swapped: a value goes through W_V^1 first, then through W_O^1")
def maps_exchanged(model, tokens):
    E, W, wv, wo = parts(model)
    return share(E[tokens] @ W @ (E[tokens] @ wo.T @ wv.T).T)


@wrong("the weights of W_O^1 W_V^1 are applied without their transpose: a map takes x to W x")
def maps_transposed(model, tokens):
    E, W, wv, wo = parts(model)
    return share(E[tokens] @ W @ (E[tokens] @ wv @ wo).T)


@wrong("the candidates go through W_V and W_O of the second layer: the first layer writes what W_K^2 looks for")
def second_layers_maps(model, tokens):
    E, W, _, _ = parts(model)
    second = model.layers[1].attention
    return share(E[tokens] @ W @ second.wo(second.wv(E[tokens])).T)


@wrong("this is W_K of the first layer: W_K^2 is that of layers[1]")
def first_layers_key(model, tokens):
    E, _, wv, wo = parts(model)
    return share(E[tokens] @ model.layers[0].attention.wk.weight @ (E[tokens] @ wv.T @ wo.T).T)


@wrong("W_K^2 is left out: embeddings are compared with what the first layer writes, as it is")
def no_matrix(model, tokens):
    E, _, wv, wo = parts(model)
    return share(E[tokens] @ (E[tokens] @ wv.T @ wo.T).T)


@wrong("the embedding is added to the candidates: this probe asks about what the first layer writes, and nothing else")
def with_residual(model, tokens):
    E, W, wv, wo = parts(model)
    return share(E[tokens] @ W @ (E[tokens] + E[tokens] @ wv.T @ wo.T).T)


@wrong("the queries are remapped too: a query is the token's embedding w_E(i)")
def queries_remapped(model, tokens):
    E, W, wv, wo = parts(model)
    w_1 = E[tokens] @ wv.T @ wo.T
    return share(w_1 @ W @ w_1.T)


@wrong("the place within the subset is compared with the token's number: inside the subset, i is in column i")
def ids_against_places(model, tokens):
    E, W, wv, wo = parts(model)
    scores = E[tokens] @ W @ (E[tokens] @ wv.T @ wo.T).T
    return (scores.argmax(1) == tokens).float().mean().item()


@wrong("all tokens are candidates: queries and candidates are both the given tokens")
def all_candidates(model, tokens):
    E, W, wv, wo = parts(model)
    return ((E[tokens] @ W @ (E @ wv.T @ wo.T).T).argmax(1) == tokens).float().mean().item()


@wrong("all tokens are candidates, and their numbers are compared with places in the subset")
def all_candidates_against_places(model, tokens):
    E, W, wv, wo = parts(model)
    found = (E[tokens] @ W @ (E @ wv.T @ wo.T).T).argmax(1)
    return (found == torch.arange(len(tokens))).float().mean().item()


@wrong("the given tokens are ignored: the share is taken over the whole vocabulary")
def whole_vocabulary(model, tokens):
    E, W, wv, wo = parts(model)
    return share(E @ W @ (E @ wv.T @ wo.T).T)


@wrong("the first tokens of the vocabulary are taken, as many as there are given ones: take the given ones")
def first_tokens(model, tokens):
    E, W, wv, wo = parts(model)
    E = E[: len(tokens)]
    return share(E @ W @ (E @ wv.T @ wo.T).T)


@wrong("the hits are divided by the size of the vocabulary: only the given tokens ask, so divide by their number")
def divides_by_vocabulary(model, tokens):
    E, W, wv, wo = parts(model)
    scores = E[tokens] @ W @ (E[tokens] @ wv.T @ wo.T).T
    return (scores.argmax(1) == torch.arange(len(tokens))).sum().item() / len(E)


@wrong("the rows of the output map are used as embeddings: w_E is a row of tok_embeddings")
def unembeddings(model, tokens):
    _, W, wv, wo = parts(model)
    U = model.output.weight[tokens]
    return share(U @ W @ (U @ wv.T @ wo.T).T)


@wrong("positions are added to the embeddings: this probe is about tokens alone")
def with_positions(model, tokens):
    E, W, wv, wo = parts(model)
    x = E[tokens] + model.pe[: len(tokens)]
    return share(x @ W @ (x @ wv.T @ wo.T).T)


@wrong("the smallest score wins: the best candidate has the largest")
def smallest(model, tokens):
    E, W, wv, wo = parts(model)
    return share(-E[tokens] @ W @ (E[tokens] @ wv.T @ wo.T).T)


@wrong("the sign of the scores is thrown away: the best candidate has the largest score, not the largest size")
def by_size(model, tokens):
    E, W, wv, wo = parts(model)
    return share((E[tokens] @ W @ (E[tokens] @ wv.T @ wo.T).T).abs())


@wrong("the scores are made cosines: take the plain inner product of w_E(i) with W_K^2 w_1(j)")
def by_cosine(model, tokens):
    E, W, wv, wo = parts(model)
    keys = torch.nn.functional.normalize(E[tokens] @ wv.T @ wo.T @ W.T, dim=1)
    return share(E[tokens] @ keys.T)


@wrong("the attention weight of the right candidate is averaged: a recall counts how often it is the best one")
def mean_attention(model, tokens):
    E, W, wv, wo = parts(model)
    scores = E[tokens] @ W @ (E[tokens] @ wv.T @ wo.T).T / E.shape[1] ** 0.5
    return scores.softmax(-1).diagonal().mean().item()


@wrong("the number of hits is returned: divide it by the number of tokens")
def count(model, tokens):
    E, W, wv, wo = parts(model)
    return share(E[tokens] @ W @ (E[tokens] @ wv.T @ wo.T).T) * len(tokens)


@wrong("the share is given in per cent: a number from 0 to 1 is wanted")
def per_cent(model, tokens):
    E, W, wv, wo = parts(model)
    return share(E[tokens] @ W @ (E[tokens] @ wv.T @ wo.T).T) * 100


@wrong("hit or miss is returned for every token: take their mean, one float")
def every_hit(model, tokens):
    E, W, wv, wo = parts(model)
    scores = E[tokens] @ W @ (E[tokens] @ wv.T @ wo.T).T
    return (scores.argmax(1) == torch.arange(len(tokens))).float()


@wrong("the share is a tensor: a plain float is promised, and .item() makes one of it")
def as_a_tensor(model, tokens):
    E, W, wv, wo = parts(model)
    scores = E[tokens] @ W @ (E[tokens] @ wv.T @ wo.T).T
    return (scores.argmax(1) == torch.arange(len(tokens))).float().mean()


@wrong("nothing is returned")
def returns_nothing(model, tokens):
    E, W, wv, wo = parts(model)
    share(E[tokens] @ W @ (E[tokens] @ wv.T @ wo.T).T)


@wrong("the model's weights are changed on the way: a probe only reads the model")
def normalises_in_place(model, tokens):
    E, W, wv, wo = parts(model)
    E.data /= E.data.norm(dim=1, keepdim=True)
    return share(E[tokens] @ W @ (E[tokens] @ wv.T @ wo.T).T)


@right
def by_loops(model, tokens):
    first, second = model.layers[0].attention, model.layers[1].attention
    embed = {int(i): model.tok_embeddings(i) for i in tokens}
    hits = 0
    for i in embed:
        scores = {j: (embed[i] @ second.wk(first.wo(first.wv(embed[j])))).item() for j in embed}
        hits += max(scores, key=scores.get) == i
    return hits / len(embed)


@right
def whole_table_first(model, tokens):
    E, W, wv, wo = (weight.detach().double() for weight in parts(model))
    scores = (E @ (W @ wo @ wv) @ E.T)[tokens][:, tokens]
    return float((tokens[scores.argmax(-1)] == tokens).double().mean())


@right
def keys_first(model, tokens):
    E, W, wv, wo = parts(model)
    keys = torch.einsum("ab,bc,cd,nd->na", W, wo, wv, E.index_select(0, tokens))
    hits = [int(torch.mv(keys, E[token]).argmax()) == place for place, token in enumerate(tokens.tolist())]
    return sum(hits) / len(hits)
