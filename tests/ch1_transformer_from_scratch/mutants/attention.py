"""Wrong answers to exercise 1.5 that learners write, and right ones written differently."""

import math
from pathlib import Path

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong
from utils.grade.suite import load_file

pieces = load_file(Path(__file__).with_name("_pieces.py"))
Base, causal = pieces.Attention, pieces.causal


@wrong("the scores are not scaled: without dividing by the root of the head width H the softmax is too sharp")
class NoScale(Base):
    def scores(self, q, k):
        return q @ k.transpose(-1, -2)


@wrong("the scores are divided by H itself: its square root is wanted")
class ScaledByWidth(Base):
    def scores(self, q, k):
        return q @ k.transpose(-1, -2) / q.shape[-1]


@wrong("the scores are scaled with E, the width of the residual stream: it is the width H of one head that counts")
class ScaledByEmbedding(Base):
    def scores(self, q, k):
        return q @ k.transpose(-1, -2) / math.sqrt(self.config.embedding_dimension)


@wrong("the scale is a fixed number, that of another head width: it follows from H, the width of one head here")
class ScaledByFixedNumber(Base):
    def scores(self, q, k):
        return q @ k.transpose(-1, -2) / 8


@wrong("the scores are scaled with the number of heads N: it is the width H of one head that counts")
class ScaledByHeads(Base):
    def scores(self, q, k):
        return q @ k.transpose(-1, -2) / math.sqrt(self.config.num_attention_heads)


@wrong("the scores are multiplied by the root of H: they must be divided by it")
class ScaledTheWrongWay(Base):
    def scores(self, q, k):
        return q @ k.transpose(-1, -2) * math.sqrt(q.shape[-1])


@wrong("the scale comes after the softmax: it belongs to the scores, before it")
class ScaledAfterSoftmax(Base):
    def scores(self, q, k):
        return q @ k.transpose(-1, -2)

    def pattern(self, scores):
        return causal(scores).softmax(-1) / math.sqrt(self.config.attention_head_dimension)


@wrong("queries and keys have changed places: each row of scores belongs to one query")
class QueriesForKeys(Base):
    def scores(self, q, k):
        return k @ q.transpose(-1, -2) / math.sqrt(q.shape[-1])


@wrong("the keys are made with W_Q: they have weights of their own")
class KeysFromQueryWeights(Base):
    def keys(self, x):
        return torch.einsum("bte,neh->bnth", x, self.W_Q) + self.b_K[:, None] + 0 * self.W_K.sum()


@wrong("queries and keys are ignored: every earlier position gets the same share")
class Uniform(Base):
    def scores(self, q, k):
        return (q @ k.transpose(-1, -2)) * 0


@wrong("the softmax runs over the queries: for each query the shares of the keys must sum to one")
class SoftmaxOverQueries(Base):
    def pattern(self, scores):
        return causal(scores).softmax(-2)


@wrong("the softmax runs over the heads: for each query the shares of the keys must sum to one")
class SoftmaxOverHeads(Base):
    def pattern(self, scores):
        return causal(scores).softmax(1).nan_to_num(0.0)


@wrong("the softmax runs over the heads: for each query the shares of the keys must sum to one")
class SoftmaxOverHeadsWithNan(Base):
    def pattern(self, scores):
        return causal(scores).softmax(1)


@wrong("the mask comes after the softmax: hidden keys have already taken their share")
class MaskAfterSoftmax(Base):
    def pattern(self, scores):
        return scores.softmax(-1).tril()


@wrong("there is no causal mask: every position reads the future")
class NoMask(Base):
    def pattern(self, scores):
        return scores.softmax(-1)


@wrong("the mask lets each position read one ahead")
class PeeksAhead(Base):
    def pattern(self, scores):
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(2)
        return scores.masked_fill(hidden, -torch.inf).softmax(-1)


@wrong("each position is hidden from itself: it may read itself")
class HidesItself(Base):
    def pattern(self, scores):
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu()
        return scores.masked_fill(hidden, -torch.inf).softmax(-1)


@wrong("each position is hidden from itself: it may read itself")
class HidesItselfSoftly(Base):
    def pattern(self, scores):
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu()
        return scores.masked_fill(hidden, -1e9).softmax(-1)


@wrong("hidden scores are set to 0 before the softmax: a score of 0 still gets a share")
class FillsWithZero(Base):
    def pattern(self, scores):
        return scores.tril().softmax(-1)


@wrong("the mask is upside down: the past is hidden and the future is read")
class UpsideDown(Base):
    def pattern(self, scores):
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(-1)
        return scores.masked_fill(hidden, -torch.inf).softmax(-1)


@wrong("the shares are the scores divided by their sum: probabilities come from a softmax")
class SharesWithoutSoftmax(Base):
    def pattern(self, scores):
        return scores.tril() / scores.tril().sum(-1, keepdim=True)


@wrong("there is no softmax: the scores themselves weigh the values")
class NoSoftmax(Base):
    def pattern(self, scores):
        return scores.tril()


@wrong("the query bias b_Q is never added")
class NoQueryBias(Base):
    def queries(self, x):
        return torch.einsum("bte,neh->bnth", x, self.W_Q)


@wrong("the key bias b_K is never added: the softmax hides the difference, yet it is a parameter of the layer")
class NoKeyBias(Base):
    def keys(self, x):
        return torch.einsum("bte,neh->bnth", x, self.W_K)


@wrong("the value bias b_V is never added")
class NoValueBias(Base):
    def values(self, x):
        return torch.einsum("bte,neh->bnth", x, self.W_V)


@wrong("none of the three biases b_Q, b_K, b_V is added")
class NoHeadBiases(Base):
    def queries(self, x):
        return torch.einsum("bte,neh->bnth", x, self.W_Q)

    def keys(self, x):
        return torch.einsum("bte,neh->bnth", x, self.W_K)

    def values(self, x):
        return torch.einsum("bte,neh->bnth", x, self.W_V)


@wrong("the output bias b_O is never added")
class NoOutputBias(Base):
    def output(self, z):
        return torch.einsum("bnth,nhe->bte", z, self.W_O)


@wrong("the output bias b_O is added once for each head: it is one vector for the sum of all heads")
class OutputBiasPerHead(Base):
    def output(self, z):
        return (torch.einsum("bnth,nhe->bnte", z, self.W_O) + self.b_O).sum(1)


@wrong("the heads are averaged: what they write is added up")
class HeadsAveraged(Base):
    def output(self, z):
        return torch.einsum("bnth,nhe->bnte", z, self.W_O).mean(1) + self.b_O


@wrong("only the first head is used")
class FirstHeadOnly(Base):
    def output(self, z):
        return z[:, 0] @ self.W_O[0] + self.b_O


@wrong("heads and positions are mixed up: reshaping (N, T, H) to (T, N * H) needs the axes exchanged first")
class HeadsMixed(Base):
    def output(self, z):
        return z.reshape(len(z), z.shape[2], -1) @ self.W_O.flatten(0, 1) + self.b_O


@wrong("each head's result goes through the output matrix of another head")
class HeadsReversed(Base):
    def output(self, z):
        return torch.einsum("bnth,nhe->bte", z.flip(1), self.W_O) + self.b_O


@wrong("the keys of the first row of the batch serve all rows")
class KeysOfTheFirstRow(Base):
    def keys(self, x):
        return super().keys(x[:1].expand_as(x))


@wrong("the values of the first row of the batch serve all rows")
class ValuesOfTheFirstRow(Base):
    def values(self, x):
        return super().values(x[:1].expand_as(x))


@wrong("the values are made with W_K and b_K, as the keys are: they have weights of their own")
class ValuesFromKeyWeights(Base):
    def values(self, x):
        return super().keys(x) + 0 * (self.W_V.sum() + self.b_V.sum())


@wrong("the input is added to the result: the block adds the residual, attention does not")
class OwnResidual(Base):
    def forward(self, x):
        return x + super().forward(x)


@wrong("the pattern is cut off from the gradient (detach or no_grad), so queries and keys would never be trained")
class DetachedPattern(Base):
    def pattern(self, scores):
        return causal(scores).softmax(-1).detach()


@wrong("two calls on the same input differ: nothing random (dropout) belongs into this attention")
class Dropout(Base):
    def pattern(self, scores):
        return F.dropout(causal(scores).softmax(-1), 0.1)


@wrong("the residual stream was changed in place: later layers still need it")
class InPlace(Base):
    def forward(self, x):
        return x.copy_(super().forward(x))


@wrong("the scores are scaled with N * H, the width of all heads together: it is the width H of one head that counts")
class ScaledByAllHeads(Base):
    def scores(self, q, k):
        return q @ k.transpose(-1, -2) / math.sqrt(self.W_Q.shape[0] * q.shape[-1])


@wrong("the softmax runs over the batch: for each query the shares of the keys must sum to one")
class SoftmaxOverBatch(Base):
    def pattern(self, scores):
        return causal(scores).softmax(0)


@wrong("the mask comes after the softmax: hidden keys have already taken their share")
class MaskAfterSoftmaxFully(Base):
    def pattern(self, scores):
        return causal(scores.softmax(-1))


@wrong("the pattern is used the wrong way round: each query mixes the values by its own row, not by a column")
class PatternTransposed(Base):
    def pattern(self, scores):
        return causal(scores).softmax(-1).transpose(-1, -2)


@wrong("the input is normalised once more: layer_norm_1 of the block has done that before attention")
class NormalisedAgain(Base):
    def forward(self, x):
        return super().forward(F.layer_norm(x, x.shape[-1:]))


@right
class Fused(Base):
    def forward(self, x):
        z = F.scaled_dot_product_attention(self.queries(x), self.keys(x), self.values(x), is_causal=True)
        return self.output(z)


@right
class FlatMatrices(Base):
    def forward(self, x):
        rows, length, _ = x.shape
        heads, _, width = self.W_Q.shape

        def project(weight, bias):
            flat = x @ weight.permute(1, 0, 2).reshape(x.shape[-1], -1) + bias.reshape(-1)
            return flat.view(rows, length, heads, width).transpose(1, 2)

        q, k, v = project(self.W_Q, self.b_Q), project(self.W_K, self.b_K), project(self.W_V, self.b_V)
        scores = (q * width**-0.5) @ k.mT + torch.full((length, length), -1e9).triu(1)
        z = (F.softmax(scores, dim=-1) @ v).transpose(1, 2).reshape(rows, length, -1)
        return F.linear(z, self.W_O.reshape(-1, x.shape[-1]).T, self.b_O)


@right
class HeadByHead(Base):
    def forward(self, x):
        written = []
        for n in range(len(self.W_Q)):
            q, k, v = x @ self.W_Q[n] + self.b_Q[n], x @ self.W_K[n] + self.b_K[n], x @ self.W_V[n] + self.b_V[n]
            rows = []
            for t in range(x.shape[1]):
                share = torch.einsum("bh,bkh->bk", q[:, t], k[:, : t + 1]) / math.sqrt(q.shape[-1])
                rows.append(torch.einsum("bk,bkh->bh", torch.exp(share.log_softmax(-1)), v[:, : t + 1]))
            written.append(torch.stack(rows, dim=1) @ self.W_O[n])
        return sum(written) + self.b_O
