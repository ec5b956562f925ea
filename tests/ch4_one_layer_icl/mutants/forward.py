"""Wrong answers to exercise 4.5 that learners write, and right ones written differently."""

from pathlib import Path
from types import SimpleNamespace

import torch

from utils.grade.mutants import right, wrong
from utils.grade.suite import load_file

pieces = load_file(Path(__file__).with_name("_pieces.py"))


def parts(params, tokens, kind):
    """x, w, V, F and N."""
    N = len(params["W"]) // 2
    x = pieces.embed(tokens, SimpleNamespace(vocab_size=N))
    w, a = pieces.attend(x, params["W"], kind)
    return x, w, params["V"], params["F"], N


@wrong("kappa multiplies x_last: it is w that kappa switches on and off")
def kappa_on_query(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[:N].T, (kappa * x[:, -1] + w) @ F[:N].T
    return xi_A + xi_F, xi_A, xi_F


@wrong("kappa multiplies x_last and w: x_last is always read")
def kappa_on_both(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[:N].T, kappa * (x[:, -1] + w) @ F[:N].T
    return xi_A + xi_F, xi_A, xi_F


@wrong("kappa is not used: with kappa = 0 the feed-forward layer reads x_last alone")
def kappa_always_1(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[:N].T, (x[:, -1] + w) @ F[:N].T
    return xi_A + xi_F, xi_A, xi_F


@wrong("kappa is not used: with kappa = 1 the feed-forward layer also reads w")
def kappa_always_0(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[:N].T, x[:, -1] @ F[:N].T
    return xi_A + xi_F, xi_A, xi_F


@wrong("kappa is read the wrong way round: 1 means that the feed-forward layer sees w")
def kappa_inverted(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[:N].T, (x[:, -1] + (1 - kappa) * w) @ F[:N].T
    return xi_A + xi_F, xi_A, xi_F


@wrong("the unembedding is missing: keep the first N of the 2N coordinates")
def without_unembedding(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V.T, (x[:, -1] + kappa * w) @ F.T
    return xi_A + xi_F, xi_A, xi_F


@wrong("the last N coordinates are kept: the unembedding keeps the first N")
def last_half(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[N:].T, (x[:, -1] + kappa * w) @ F[N:].T
    return xi_A + xi_F, xi_A, xi_F


@wrong("both halves are added: the unembedding keeps the first N coordinates and drops the others")
def halves_added(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    V, F = V[:N] + V[N:], F[:N] + F[N:]
    xi_A, xi_F = w @ V.T, (x[:, -1] + kappa * w) @ F.T
    return xi_A + xi_F, xi_A, xi_F


@wrong("V acts from the right: V w is wanted, which for rows is w @ V.T")
def v_from_the_right(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[:, :N], (x[:, -1] + kappa * w) @ F[:N].T
    return xi_A + xi_F, xi_A, xi_F


@wrong("F acts from the right: F (x_last + kappa w) is wanted, with F on the left")
def f_from_the_right(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[:N].T, (x[:, -1] + kappa * w) @ F[:, :N]
    return xi_A + xi_F, xi_A, xi_F


@wrong("V and F both act from the right: both stand on the left of what they act on")
def both_from_the_right(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[:, :N], (x[:, -1] + kappa * w) @ F[:, :N]
    return xi_A + xi_F, xi_A, xi_F


@wrong("xi leaves out the feed-forward layer: it is the sum of xi_A and xi_F")
def xi_is_attention(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[:N].T, (x[:, -1] + kappa * w) @ F[:N].T
    return xi_A, xi_A, xi_F


@wrong("xi leaves out the attention layer: it is the sum of xi_A and xi_F")
def xi_is_feed_forward(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[:N].T, (x[:, -1] + kappa * w) @ F[:N].T
    return xi_F, xi_A, xi_F


@wrong("the feed-forward layer reads V w: it reads w before V")
def f_reads_vw(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[:N].T, (x[:, -1] + kappa * w @ V.T) @ F[:N].T
    return xi_A + xi_F, xi_A, xi_F


@wrong("the attention output has x_last added to it before V: V acts on w alone")
def residual_before_v(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = (w + x[:, -1]) @ V[:N].T, (x[:, -1] + kappa * w) @ F[:N].T
    return xi_A + xi_F, xi_A, xi_F


@wrong("V and F are exchanged")
def v_and_f_exchanged(params, tokens, kappa, kind):
    x, w, F, V, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[:N].T, (x[:, -1] + kappa * w) @ F[:N].T
    return xi_A + xi_F, xi_A, xi_F


@wrong("xi_A and xi_F come in the wrong order: (xi, xi_A, xi_F)")
def order_exchanged(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[:N].T, (x[:, -1] + kappa * w) @ F[:N].T
    return xi_A + xi_F, xi_F, xi_A


@wrong("xi stands last: the order is (xi, xi_A, xi_F)")
def xi_last(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[:N].T, (x[:, -1] + kappa * w) @ F[:N].T
    return xi_A, xi_F, xi_A + xi_F


@wrong("only xi is returned: the logits of both layers belong to it")
def only_xi(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    return w @ V[:N].T + (x[:, -1] + kappa * w) @ F[:N].T


@wrong("the feed-forward layer has a nonlinearity: here it is a plain matrix")
def nonlinear(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[:N].T, ((x[:, -1] + kappa * w) @ F[:N].T).relu()
    return xi_A + xi_F, xi_A, xi_F


@wrong("the feed-forward layer reads the first position: it reads the last, the query")
def f_reads_first(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[:N].T, (x[:, 0] + kappa * w) @ F[:N].T
    return xi_A + xi_F, xi_A, xi_F


@wrong("the feed-forward layer reads the current token alone: x_last also holds the token before it")
def f_reads_current(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[:N].T, torch.cat([x[:, -1, :N], 0 * x[:, -1, N:]], 1) @ F[:N].T + kappa * w @ F[:N].T
    return xi_A + xi_F, xi_A, xi_F


@wrong("the kind is not used: attention is always linear")
def always_linear(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, "linear")
    xi_A, xi_F = w @ V[:N].T, (x[:, -1] + kappa * w) @ F[:N].T
    return xi_A + xi_F, xi_A, xi_F


@wrong("probabilities are returned: the logits are wanted, before any softmax")
def probabilities(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = w @ V[:N].T, (x[:, -1] + kappa * w) @ F[:N].T
    return (xi_A + xi_F).softmax(-1), xi_A, xi_F


@wrong("an axis of size 1 is left at the end: each of the three is (B, N)")
def columns(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    xi_A, xi_F = V[:N] @ w[..., None], F[:N] @ (x[:, -1] + kappa * w)[..., None]
    return xi_A + xi_F, xi_A, xi_F


@wrong("the parameters are detached, so no gradient reaches them")
def detached(params, tokens, kappa, kind):
    return columns_dropped({name: value.detach() for name, value in params.items()}, tokens, kappa, kind)


@wrong("the vocabulary is measured on the tokens: N is half the size of W")
def vocabulary_from_tokens(params, tokens, kappa, kind):
    n = int(tokens.max()) + 1
    xi, xi_A, xi_F = columns_dropped(params, tokens, kappa, kind)
    return xi[:, :n], xi_A[:, :n], xi_F[:, :n]


@wrong("W is handed on transposed: attend takes it as it is")
def w_transposed(params, tokens, kappa, kind):
    return columns_dropped({**params, "W": params["W"].T}, tokens, kappa, kind)


IN_PLACE = "w is added to x_last in place, which changes x itself, that autograd still needs: make a new tensor"


@wrong(IN_PLACE)
def adds_in_place(params, tokens, kappa, kind):
    x, w, V, F, N = parts(params, tokens, kind)
    last = x[:, -1]
    last += kappa * w
    xi_A, xi_F = w @ V[:N].T, last @ F[:N].T
    return xi_A + xi_F, xi_A, xi_F


@wrong(IN_PLACE)
def adds_in_place_to_a_factor(params, tokens, kappa, kind):
    """As above, where attention is a sum of products, of which autograd keeps x as it is."""
    x, _, V, F, N = parts(params, tokens, kind)
    a = pieces.weights(pieces.scores(x, params["W"]), kind)
    w, last = (a[..., None] * x).sum(1), x[:, -1]
    last += kappa * w
    xi_A, xi_F = w @ V[:N].T, last @ F[:N].T
    return xi_A + xi_F, xi_A, xi_F


@wrong("squeeze drops every axis of size 1, also that of a single sentence: name the axis")
def squeezes(params, tokens, kappa, kind):
    xi, xi_A, xi_F = columns(params, tokens, kappa, kind)
    return xi.squeeze(), xi_A.squeeze(), xi_F.squeeze()


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
