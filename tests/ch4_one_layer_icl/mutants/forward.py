"""Wrong answers to exercise 4.5 that learners write, and right ones written differently."""

from pathlib import Path
from types import SimpleNamespace

import torch

from utils.grade import load_file, right, slips

pieces = load_file(Path(__file__).with_name("_pieces.py"))
embed, attend, scores, weights = pieces.embed, pieces.attend, pieces.scores, pieces.weights

slip = slips("""
    def forward(params, tokens, kappa, kind):
        W, V, F = params["W"], params["V"], params["F"]
        N = len(W) // 2
        x = embed(tokens, SimpleNamespace(vocab_size=N))
        w, a = attend(x, W, kind)
        query = x[:, -1]
        xi_A = w @ V[:N].T
        xi_F = (query + kappa * w) @ F[:N].T
        return xi_A + xi_F, xi_A, xi_F
""")

READS, READ, OF_V, OF_F = "query + kappa * w", "w, a = attend(x, W, kind)", "w @ V[:N].T", "@ F[:N].T"
QUERY, SUM, RETURNS = "query = x[:, -1]", "return xi_A + xi_F,", "return xi_A + xi_F, xi_A, xi_F"

# what the feed-forward layer reads
kappa_on_query = slip("kappa multiplies x_last: it is w that kappa switches on and off", READS, "kappa * query + w")
kappa_on_both = slip("kappa multiplies x_last and w: x_last is always read", READS, "kappa * (query + w)")
kappa_always_1 = slip("kappa is not used: with kappa = 0 the feed-forward layer reads x_last alone", READS, "query + w")
kappa_always_0 = slip("kappa is not used: with kappa = 1 the feed-forward layer also reads w", READS, "query + 0 * w")
kappa_inverted = slip(
    "kappa is read the wrong way round: 1 means that the feed-forward layer sees w", READS, "query + (1 - kappa) * w"
)
w_in_place_of_query = slip(
    "with kappa = 1 the feed-forward layer reads w in the place of x_last: it reads both, x_last + w",
    READS, "(1 - kappa) * query + kappa * w",
)  # fmt: skip
without_query = slip(
    "the feed-forward layer never reads x_last: it reads x_last + kappa w, so x_last is always there",
    READS, "kappa * w",
)  # fmt: skip
f_reads_vw = slip("the feed-forward layer reads V w: it reads w before V", READS, "query + kappa * w @ V.T")
nonlinear = slip(
    "the feed-forward layer has a nonlinearity: here it is a plain matrix",
    "xi_F = (query", "xi_F = ((query", OF_F, f"{OF_F}).relu()",
)  # fmt: skip
f_reads_first = slip(
    "the feed-forward layer reads the first position: it reads the last, the query", QUERY, "query = x[:, 0]"
)
f_reads_mean = slip(
    "the feed-forward layer reads the mean of all positions: it reads the last one, the query",
    QUERY, "query = x.mean(1)",
)  # fmt: skip
f_reads_current = slip(
    "the feed-forward layer reads the current token alone: x_last also holds the token before it",
    QUERY, "query = torch.cat([x[:, -1, :N], 0 * x[:, -1, N:]], 1)",
)  # fmt: skip
f_reads_detached = slip(
    "what F reads is cut off from the gradient: w depends on W there too", READS, "query + kappa * w.detach()"
)

# what attention reads, and what becomes of it
kappa_on_attention = slip(
    "kappa multiplies xi_A: attention always speaks, and kappa only says whether the feed-forward layer reads w",
    OF_V, f"kappa * {OF_V}",
)  # fmt: skip
without_v = slip("V is missing in xi_A: attention's logits are the first N entries of V w", OF_V, "w[:, :N]")
after_half = slip(
    "xi_A is made of the half of w that tells the tokens before, without V: V w comes first, then its first N entries",
    OF_V, "w[:, N:]",
)  # fmt: skip
residual_before_v = slip(
    "the attention output has x_last added to it before V: V acts on w alone", OF_V, "(w + query) @ V[:N].T"
)
reads_current_half = slip(
    "w keeps the current tokens alone: the tokens before, in the second half of x, are mixed with the same weights",
    READ, READ + "\n    w = torch.cat([w[:, :N], 0 * w[:, N:]], 1)",
)  # fmt: skip
reads_previous_half = slip(
    "w keeps the tokens before alone: the current tokens, in the first half of x, are mixed with the same weights",
    READ, READ + "\n    w = torch.cat([0 * w[:, :N], w[:, N:]], 1)",
)  # fmt: skip
without_predecessor = slip(
    "the token before is dropped from x: the second half of x is all that tells the order of the sentence",
    "vocab_size=N))", "vocab_size=N))\n    x = torch.cat([x[..., :N], 0 * x[..., N:]], -1)",
)  # fmt: skip
query_no_candidate = slip(
    "the query itself is left out of attention: all positions are candidates, the last one too",
    READ, "s = scores(x, W)[:, :-1]\n    w = torch.einsum('bt,btd->bd', weights(s, kind), x[:, :-1])",
)  # fmt: skip
always_linear = slip("the kind is not used: attention is always linear", "W, kind)", "W, 'linear')")
w_transposed = slip(
    "W is transposed before it is passed on: attend takes it as it is", "attend(x, W,", "attend(x, W.T,"
)
order_of_attend = slip(
    "w and the weights are taken from attend in the wrong order: it returns (w, a)", "w, a = attend", "a, w = attend"
)

# the unembedding, and the sides on which V and F act
without_unembedding = slip(
    "the unembedding is missing: keep the first N of the 2N coordinates", "V[:N]", "V", "F[:N]", "F"
)
last_half = slip(
    "the last N coordinates are kept: the unembedding keeps the first N", "V[:N]", "V[N:]", "F[:N]", "F[N:]"
)
last_half_of_v = slip(
    "in xi_A the last N coordinates are kept: the unembedding keeps the first N, for both layers", "V[:N]", "V[N:]"
)
last_half_of_f = slip(
    "in xi_F the last N coordinates are kept: the unembedding keeps the first N, for both layers", "F[:N]", "F[N:]"
)
halves_added = slip(
    "both halves are added: the unembedding keeps the first N coordinates and drops the others",
    "V[:N]", "(V[:N] + V[N:])", "F[:N]", "(F[:N] + F[N:])",
)  # fmt: skip
v_from_the_right = slip("V acts from the right: V w is wanted, which for rows is w @ V.T", "V[:N].T", "V[:, :N]")
f_from_the_right = slip(
    "F acts from the right: F (x_last + kappa w) is wanted, with F on the left", "F[:N].T", "F[:, :N]"
)
both_from_the_right = slip(
    "V and F both act from the right: both belong on the left of what they act on",
    "V[:N].T", "V[:, :N]", "F[:N].T", "F[:, :N]",
)  # fmt: skip
v_and_f_exchanged = slip("V and F are exchanged", "W, V, F =", "W, F, V =")
size_of_w = slip("N is taken to be the size of W: W is (2N, 2N), so N is half of it", "len(W) // 2", "len(W)")

# what is returned
xi_is_attention = slip("xi leaves out the feed-forward layer: it is the sum of xi_A and xi_F", SUM, "return xi_A,")
xi_is_feed_forward = slip("xi leaves out the attention layer: it is the sum of xi_A and xi_F", SUM, "return xi_F,")
order_exchanged = slip(
    "xi_A and xi_F come in the wrong order: (xi, xi_A, xi_F)", RETURNS, "return xi_A + xi_F, xi_F, xi_A"
)
xi_last = slip("xi comes last: the order is (xi, xi_A, xi_F)", RETURNS, "return xi_A, xi_F, xi_A + xi_F")
only_xi = slip("only xi is returned: the logits of both layers belong to it", RETURNS, "return xi_A + xi_F")
probabilities = slip(
    "probabilities are returned: the logits are wanted, before any softmax", SUM, "return (xi_A + xi_F).softmax(-1),"
)
columns = slip(
    "an axis of size 1 is left at the end: each of the three is (B, N)",
    RETURNS, "return (xi_A + xi_F)[..., None], xi_A[..., None], xi_F[..., None]",
)  # fmt: skip
squeezes = slip(
    "squeeze drops every axis of size 1, also that of a single sentence: name the axis",
    RETURNS, "return (xi_A + xi_F).squeeze(), xi_A.squeeze(), xi_F.squeeze()",
)  # fmt: skip
vocabulary_from_tokens = slip(
    "the vocabulary is measured on the tokens: N is half the size of W",
    RETURNS, "n = int(tokens.max()) + 1\n    return (xi_A + xi_F)[:, :n], xi_A[:, :n], xi_F[:, :n]",
)  # fmt: skip
detached = slip(
    "the parameters are detached, so no gradient reaches them",
    'params["W"], params["V"], params["F"]', '(params[name].detach() for name in "WVF")',
)  # fmt: skip
w_detached = slip(
    "W is detached, so no gradient reaches it: attention is learned too", "attend(x, W,", "attend(x, W.detach(),"
)
IN_PLACE = "w is added to x_last in place, which changes x itself, that autograd still needs: make a new tensor"
adds_in_place = slip(IN_PLACE, QUERY, "query = x[:, -1]\n    query += kappa * w", READS, "query")
adds_in_place_to_a_factor = slip(
    IN_PLACE,  # where attention is a sum of products, of which autograd keeps x as it is
    READ, "w = (weights(scores(x, W), kind)[..., None] * x).sum(1)",
    QUERY, "query = x[:, -1]\n    query += kappa * w", READS, "query",
)  # fmt: skip


def parts(params, tokens, kind):
    """x, w, V, F and N."""
    N = len(params["W"]) // 2
    x = pieces.embed(tokens, SimpleNamespace(vocab_size=N))
    w, a = pieces.attend(x, params["W"], kind)
    return x, w, params["V"], params["F"], N


@right
def columns_dropped(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A = (V @ w.unsqueeze(-1))[:, :N, 0]
    xi_F = (F @ (x[:, -1] + kappa * w).unsqueeze(-1))[:, :N, 0]
    return xi_A + xi_F, xi_A, xi_F


@right
def by_unembedding(params, tokens, kappa, kind):
    """U is a matrix, and xi_F is made of two products."""
    x, w, V, F, N = parts(params, tokens, kind)
    U = torch.eye(2 * N)[:, :N]
    xi_A = torch.einsum("dn,de,be->bn", U, V, w)
    xi_F = torch.einsum("dn,de,be->bn", U, F, x[:, -1])
    if kappa == 1:
        xi_F = xi_F + torch.einsum("dn,de,be->bn", U, F, w)
    return [xi_A + xi_F, xi_A, xi_F]


@right
def by_linear(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A = torch.nn.functional.linear(w, V).split(N, dim=-1)[0]
    xi_F = torch.nn.functional.linear(torch.add(x[:, -1], w, alpha=kappa), F)[:, :N]
    return torch.stack([xi_A, xi_F]).sum(0), xi_A, xi_F
