"""Wrong answers to exercise 2.21 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong


class Steps:
    """The right computation in steps, for the wrong answers to differ from in one thing."""

    def __init__(self, model, tokens):
        self.first, self.second = (layer.attention for layer in model.layers)
        self.E, self.U, self.tokens = model.tok_embeddings.weight, model.output.weight, tokens
        self.T = tokens.shape[1]
        self.P, self.d = model.pe[: self.T], self.E.shape[1]

    def table(self, W):
        return (self.E @ W.T)[self.tokens] + self.P @ W.T

    def pattern(self, scores):
        hidden = torch.ones(self.T, self.T, dtype=torch.bool).triu(1)
        return scores.masked_fill(hidden, -torch.inf).softmax(-1)

    def h0(self):
        return self.E[self.tokens] + self.P

    def keys1(self):
        return self.table(self.first.wk.weight)

    def values1(self):
        return self.table(self.first.wo.weight @ self.first.wv.weight)

    def scores1(self, h0):
        return h0 @ self.keys1().mT / self.d**0.5

    def h1(self):
        h0 = self.h0()
        return h0 + self.pattern(self.scores1(h0)) @ self.values1()

    def scores2(self, h1):
        return h1 @ self.second.wk.weight @ h1.mT / self.d**0.5

    def to_logits(self):
        return self.U @ self.second.wo.weight @ self.second.wv.weight

    def direct(self, h1):
        return h1 @ self.U.T

    def logits(self):
        h1 = self.h1()
        return self.direct(h1) + self.pattern(self.scores2(h1)) @ (h1 @ self.to_logits().T)


@wrong("the positions are missing from the stream: it is a row of E plus a row of pe")
def stream_without_positions(model, tokens):
    class Own(Steps):
        def h0(self):
            return self.E[self.tokens]

    return Own(model, tokens).logits()


@wrong("the whole table pe is added: a shorter input takes its first T rows")
def all_positions(model, tokens):
    steps = Steps(model, tokens)
    steps.P, steps.T = model.pe, len(model.pe)
    return steps.logits()


@wrong("the stream does not reach the logits: what the layers add is not all that is unembedded")
def no_direct_path(model, tokens):
    class Own(Steps):
        def direct(self, h1):
            return torch.zeros(*h1.shape[:2], len(self.U))

    return Own(model, tokens).logits()


@wrong("h0 instead of h1 goes straight to the output: what the first layer has written is missing there")
def direct_path_of_h0(model, tokens):
    class Own(Steps):
        def direct(self, h1):
            return self.h0() @ self.U.T

    return Own(model, tokens).logits()


@wrong("the first layer's keys lack the positions: W_K^1 p_t belongs to the looked-up keys")
def keys_without_positions(model, tokens):
    class Own(Steps):
        def keys1(self):
            return (self.E @ self.first.wk.weight.T)[self.tokens]

    return Own(model, tokens).logits()


@wrong("the first layer's values lack the positions: they are mixed in with the tokens")
def values_without_positions(model, tokens):
    class Own(Steps):
        def values1(self):
            return (self.E @ (self.first.wo.weight @ self.first.wv.weight).T)[self.tokens]

    return Own(model, tokens).logits()


@wrong("W_V^1 and W_O^1 are swapped in the merged matrix: values go through W_V first, then W_O")
def first_pair_exchanged(model, tokens):
    class Own(Steps):
        def values1(self):
            return self.table(self.first.wv.weight @ self.first.wo.weight)

    return Own(model, tokens).logits()


@wrong("W_O^1 is missing from the first layer's merged values")
def first_without_output(model, tokens):
    class Own(Steps):
        def values1(self):
            return self.table(self.first.wv.weight)

    return Own(model, tokens).logits()


@wrong("W_K^1 is transposed: a map takes x to W x")
def first_keys_transposed(model, tokens):
    class Own(Steps):
        def keys1(self):
            return self.table(self.first.wk.weight.T)

    return Own(model, tokens).logits()


@wrong("the first layer's scores are not divided by the root of d")
def first_unscaled(model, tokens):
    class Own(Steps):
        def scores1(self, h0):
            return h0 @ self.keys1().mT

    return Own(model, tokens).logits()


@wrong("the second layer's scores are not divided by the root of d")
def second_unscaled(model, tokens):
    class Own(Steps):
        def scores2(self, h1):
            return h1 @ self.second.wk.weight @ h1.mT

    return Own(model, tokens).logits()


@wrong("W_K^2 is on the wrong side: x . (W y) is (x W) . y, not (x W^T) . y")
def second_keys_transposed(model, tokens):
    class Own(Steps):
        def scores2(self, h1):
            return h1 @ self.second.wk.weight.T @ h1.mT / self.d**0.5

    return Own(model, tokens).logits()


@wrong("W_V^2 and W_O^2 are swapped in the merged matrix")
def second_pair_exchanged(model, tokens):
    class Own(Steps):
        def to_logits(self):
            return self.U @ self.second.wv.weight @ self.second.wo.weight

    return Own(model, tokens).logits()


@wrong("the second layer takes its values from h0, before the first layer has written")
def second_values_of_h0(model, tokens):
    class Own(Steps):
        def logits(self):
            h1 = self.h1()
            return self.direct(h1) + self.pattern(self.scores2(h1)) @ (self.h0() @ self.to_logits().T)

    return Own(model, tokens).logits()


@wrong("the future is not masked: a query sees its own and earlier positions")
def no_mask(model, tokens):
    class Own(Steps):
        def pattern(self, scores):
            return scores.softmax(-1)

    return Own(model, tokens).logits()


@wrong("the first layer's output replaces the stream: it is added to h0")
def no_residual(model, tokens):
    class Own(Steps):
        def h1(self):
            return self.pattern(self.scores1(self.h0())) @ self.values1()

    return Own(model, tokens).logits()


UNMERGED = "nothing is saved: products that do not depend on the batch are made once and looked up, not row by row"


@wrong(UNMERGED)
def nothing_merged(model, tokens):
    h = F.embedding(tokens, model.tok_embeddings.weight) + model.pe[: tokens.shape[1]]
    for layer in model.layers:
        a = layer.attention
        h = h + a.wo(F.scaled_dot_product_attention(h, a.wk(h), a.wv(h), is_causal=True))
    return model.output(h)


@wrong(UNMERGED)
def one_by_one(model, tokens):
    return torch.cat([Steps(model, row[None]).logits() for row in tokens])


@right
def pairs_of_tables(model, tokens):
    first, second = (layer.attention for layer in model.layers)
    E, P, U = model.tok_embeddings.weight.detach(), model.pe[: tokens.shape[1]], model.output.weight.detach()
    root, ahead = E.shape[1] ** 0.5, torch.full((len(P), len(P)), -1e9).triu(1)
    K = first.wk.weight / root
    EE, EP, PE, PP = E @ K @ E.T, E @ K @ P.T, P @ K @ E.T, P @ K @ P.T  # scores by token and place
    places = torch.arange(len(P))
    z = tokens
    scores = EE[z[:, :, None], z[:, None, :]] + EP[z] + PE[places[None, :, None], z[:, None, :]] + PP
    V1 = first.wo.weight @ first.wv.weight
    h = E[z] + P + (scores + ahead).softmax(2) @ (F.embedding(z, E @ V1.T) + P @ V1.T)
    A = torch.baddbmm(ahead.expand(len(z), -1, -1), h @ second.wk.weight / root, h.mT).softmax(2)
    return h @ U.T + A @ (h @ (U @ second.wo.weight @ second.wv.weight).T)


@right
def values_merged_only(model, tokens):
    first, second = (layer.attention for layer in model.layers)
    h = model.tok_embeddings(tokens) + model.pe[: tokens.shape[1]]
    for a in (first, second):
        h = h + F.scaled_dot_product_attention(h @ a.wk.weight, h, h @ (a.wo.weight @ a.wv.weight).T, is_causal=True)
    return model.output(h)
