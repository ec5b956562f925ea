"""Wrong answers to exercise 2.15 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


def table(model):
    """All scores: row t asks, column s is the candidate."""
    P = model.pe
    return P @ model.layers[0].attention.wk.weight @ P.T


def share(hits):
    return hits.float().mean().item()


@wrong("the matrix is transposed: W_K maps the candidate p_s, and the query p_t is what the result is compared with")
def transposed(model):
    P, W = model.pe, model.layers[0].attention.wk.weight
    scores = P[1:] @ W.T @ P[:-1].T
    return share(scores.argmax(1) == torch.arange(len(P) - 1))


@wrong("queries and candidates are swapped: for each query t the best candidate s is wanted")
def best_query(model):
    scores = table(model)[1:, :-1]
    return share(scores.argmax(0) == torch.arange(len(scores)))


@wrong("p_t is compared with itself: the right candidate for the query at t is its predecessor t - 1")
def compares_with_itself(model):
    scores = table(model)
    return share(scores.argmax(1) == torch.arange(len(scores)))


@wrong("the right candidate is taken to be t + 1: it is the predecessor, t - 1")
def successor(model):
    scores = table(model)
    return share(scores[:-1].argmax(1) == torch.arange(1, len(scores)))


@wrong("the right candidate is taken to be t + 1: it is the predecessor, t - 1")
def successor_of_a_slice(model):
    scores = table(model)[:-1, 1:]
    return share(scores.argmax(1) == torch.arange(len(scores)))


@wrong("the table is rolled round, so that the last position becomes predecessor of the first: queries start at t = 1")
def rolled(model):
    P = model.pe
    scores = P @ model.layers[0].attention.wk.weight @ P.roll(1, 0).T
    return share(scores.argmax(1) == torch.arange(len(P)))


@wrong("the indices are shifted: rows start at t = 1, so in the sliced table the right column of row i is i")
def shifted(model):
    scores = table(model)[1:, :-1]
    return share(scores.argmax(1) == torch.arange(1, len(scores) + 1))


@wrong("the indices are shifted: rows start at t = 1, so in the sliced table the right column of row i is i")
def shifted_down(model):
    scores = table(model)[1:, :-1]
    return share(scores.argmax(1) == torch.arange(len(scores)) - 1)


@wrong("the last position is a candidate too: the candidates are s = 0 to T - 2")
def last_candidate(model):
    scores = table(model)
    return share(scores[1:].argmax(1) == torch.arange(len(scores) - 1))


@wrong("t = 0 asks too: it has no predecessor, so the queries are t = 1 to T - 1")
def first_query(model):
    scores = table(model)[:, :-1]
    return share(scores.argmax(1) == torch.arange(len(scores)) - 1)


@wrong("t = 0 asks too: it has no predecessor, so the queries are t = 1 to T - 1")
def divides_by_length(model):
    scores = table(model)[1:, :-1]
    return (scores.argmax(1) == torch.arange(len(scores))).sum().item() / len(model.pe)


@wrong("t = 0 asks with all positions as candidates: queries are t = 1 to T - 1, candidates s = 0 to T - 2")
def whole_table(model):
    scores = table(model)
    return share(scores.argmax(1) == torch.arange(len(scores)) - 1)


@wrong("candidates after the query are hidden: this probe lets every s = 0 to T - 2 compete, future ones too")
def causal(model):
    scores = table(model)
    hidden = torch.ones_like(scores, dtype=torch.bool).triu(1)
    return share(scores.masked_fill(hidden, -torch.inf)[1:].argmax(1) == torch.arange(len(scores) - 1))


@wrong("candidates after the query, and the query itself, are hidden: every s = 0 to T - 2 competes, future ones too")
def only_before(model):
    scores = table(model)
    hidden = torch.ones_like(scores, dtype=torch.bool).triu()
    return share(scores.masked_fill(hidden, -torch.inf)[1:].argmax(1) == torch.arange(len(scores) - 1))


@wrong("W_K is left out: p_t and p_s are compared as they are")
def no_matrix(model):
    P = model.pe
    return share((P[1:] @ P[:-1].T).argmax(1) == torch.arange(len(P) - 1))


@wrong("this is W_K of the second layer: W_K^1 is that of layers[0]")
def second_layer(model):
    P, W = model.pe, model.layers[1].attention.wk.weight
    return share((P[1:] @ W @ P[:-1].T).argmax(1) == torch.arange(len(P) - 1))


@wrong("W_V or W_O is read: the previous-token memory is in W_K")
def value_map(model):
    P, W = model.pe, model.layers[0].attention.wv.weight
    return share((P[1:] @ W @ P[:-1].T).argmax(1) == torch.arange(len(P) - 1))


@wrong("W_V or W_O is read: the previous-token memory is in W_K")
def output_map(model):
    P, W = model.pe, model.layers[0].attention.wo.weight
    return share((P[1:] @ W @ P[:-1].T).argmax(1) == torch.arange(len(P) - 1))


@wrong("queries and keys both go through W_K: a query is p_t itself")
def both_mapped(model):
    P, W = model.pe, model.layers[0].attention.wk.weight
    keys = P @ W.T
    return share((keys[1:] @ keys[:-1].T).argmax(1) == torch.arange(len(P) - 1))


@wrong("the token embeddings are used: this memory is between positions, the rows of model.pe")
def of_tokens(model):
    E, W = model.tok_embeddings.weight, model.layers[0].attention.wk.weight
    return share((E[1:] @ W @ E[:-1].T).argmax(1) == torch.arange(len(E) - 1))


@wrong("the smallest score wins: the best candidate has the largest")
def smallest(model):
    scores = table(model)[1:, :-1]
    return share(scores.argmin(1) == torch.arange(len(scores)))


@wrong("the sign of the scores is thrown away: the best candidate has the largest score, not the largest size")
def by_size(model):
    scores = table(model)[1:, :-1]
    return share(scores.abs().argmax(1) == torch.arange(len(scores)))


@wrong("the scores are compared as lengths or cosines: take the plain inner product of p_t with W_K p_s")
def by_cosine(model):
    keys = torch.nn.functional.normalize(model.pe @ model.layers[0].attention.wk.weight.T, dim=1)
    scores = model.pe[1:] @ keys[:-1].T
    return share(scores.argmax(1) == torch.arange(len(scores)))


@wrong("the attention weight of the predecessor is averaged: a recall counts how often it is the best candidate")
def mean_attention(model):
    scores = table(model)[1:, :-1] / model.pe.shape[1] ** 0.5
    return scores.softmax(-1).diagonal().mean().item()


@wrong("the two best candidates count as right: only the best one does")
def top_two(model):
    scores = table(model)[1:, :-1]
    wanted = torch.arange(len(scores))[:, None]
    return share((scores.topk(2, dim=1).indices == wanted).any(1))


@wrong("the number of hits is returned: divide it by the number of queries")
def count(model):
    scores = table(model)[1:, :-1]
    return float((scores.argmax(1) == torch.arange(len(scores))).sum())


@wrong("the share is given in per cent: a number from 0 to 1 is wanted")
def per_cent(model):
    scores = table(model)[1:, :-1]
    return 100 * share(scores.argmax(1) == torch.arange(len(scores)))


@wrong("one minus the share is returned: that is the fraction of errors")
def error_rate(model):
    scores = table(model)[1:, :-1]
    return share(scores.argmax(1) != torch.arange(len(scores)))


@wrong("hit or miss is returned for every query: take their mean, one float")
def every_hit(model):
    scores = table(model)[1:, :-1]
    return (scores.argmax(1) == torch.arange(len(scores))).float()


@wrong("the share is a tensor: a plain float is promised, and .item() makes one of it")
def as_a_tensor(model):
    scores = table(model)[1:, :-1]
    return (scores.argmax(1) == torch.arange(len(scores))).float().mean()


@wrong("nothing is returned")
def returns_nothing(model):
    scores = table(model)[1:, :-1]
    share(scores.argmax(1) == torch.arange(len(scores)))


@wrong("the model's positions are changed on the way: a probe only reads the model")
def normalises_in_place(model):
    model.pe /= model.pe.norm(dim=1, keepdim=True)
    scores = table(model)[1:, :-1]
    return share(scores.argmax(1) == torch.arange(len(scores)))


@right
def by_loops(model):
    P, wk = model.pe, model.layers[0].attention.wk
    hits = 0
    for t in range(1, len(P)):
        scores = [(P[t] @ wk(P[s])).item() for s in range(len(P) - 1)]
        hits += scores.index(max(scores)) == t - 1
    return hits / (len(P) - 1)


@right
def by_einsum(model):
    with torch.no_grad():
        P = model.state_dict()["pe"].double()
        scores = torch.einsum("ti,ij,sj->ts", P, model.layers[0].attention.wk.weight.double(), P)
        scores[:, -1] = -torch.inf
        _, best = scores[1:].max(dim=-1)
        return best.eq(torch.arange(len(best))).double().mean().item()


@right
def by_diagonal(model):
    keys = model.layers[0].attention.wk(model.pe[:-1])
    scores = (keys @ model.pe[1:].T).T
    print("shape of the scores:", tuple(scores.shape))
    return ((scores.diagonal() >= scores.amax(1)).sum() / len(scores)).item()
