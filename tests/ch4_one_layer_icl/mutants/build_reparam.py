"""Wrong answers to exercise 4.6 that learners write, and right ones written differently."""

import math

import torch

from utils.grade.mutants import right, wrong


def unit(cfg, lam):
    """E and Ebar: rows of the identity, of lam's type."""
    eye = torch.eye(2 * cfg.vocab_size).to(lam)
    return eye[: cfg.vocab_size], eye[cfg.vocab_size :]


def matrices(lam, cfg, noisy, gamma):
    E, Ebar = unit(cfg, lam)
    V = torch.eye(2 * cfg.vocab_size).to(lam)
    if not noisy:
        return sum(lam[q] * torch.outer(E[q], Ebar[q]) for q in range(cfg.Q)), V, torch.zeros_like(V)
    W = lam * torch.outer(E[0], Ebar[0] - E[-1])
    return W, V, torch.outer(E[-1], gamma * E[0] + Ebar[0])


@wrong(
    "with noise lam may be a number without axes, which has no element [0]: take its one number in a way that fits both"
)
def needs_an_axis(lam, cfg, noisy, gamma):
    return matrices(lam[0] if noisy else lam, cfg, noisy, gamma)


@wrong("E and Ebar are exchanged in W: the query q belongs on the left, the token before on the right")
def w_transposed(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    return W.T, V, F


@wrong("W points at the trigger itself: Ebar(q) on the right finds the token after it")
def w_points_at_trigger(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    E, Ebar = unit(cfg, lam)
    if noisy:
        return lam * torch.outer(E[0], E[0] - E[-1]), V, F
    return sum(lam[q] * torch.outer(E[q], E[q]) for q in range(cfg.Q)), V, F


@wrong("W points at the trigger itself: Ebar(q) on the right finds the token after it")
def w_points_at_trigger_without_noise(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    E, _ = unit(cfg, lam)
    return W if noisy else sum(lam[q] * torch.outer(E[q], E[q]) for q in range(cfg.Q)), V, F


@wrong("the term -E(tau) is missing in W: the noise token after the trigger is attended to as well")
def tau_attended(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    E, Ebar = unit(cfg, lam)
    return lam * torch.outer(E[0], Ebar[0]) if noisy else W, V, F


@wrong("E(tau) is added in W: it must be subtracted, so that the two cancel on the noise token")
def tau_added(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    E, Ebar = unit(cfg, lam)
    return lam * torch.outer(E[0], Ebar[0] + E[-1]) if noisy else W, V, F


@wrong("Ebar(tau) is subtracted in W: it is E(tau), for the position that holds the noise token itself")
def ebar_tau(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    E, Ebar = unit(cfg, lam)
    return lam * torch.outer(E[0], Ebar[0] - Ebar[-1]) if noisy else W, V, F


@wrong("E(tau) is subtracted without noise too")
def tau_without_noise(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    E, Ebar = unit(cfg, lam)
    return W if noisy else sum(lam[q] * torch.outer(E[q], Ebar[q] - E[-1]) for q in range(cfg.Q)), V, F


@wrong("the noise token is taken to be N-2: it is the last of the vocabulary, N-1")
def tau_off_by_one(lam, cfg, noisy, gamma):
    E, Ebar = unit(cfg, lam)
    if not noisy:
        return matrices(lam, cfg, noisy, gamma)
    W = lam * torch.outer(E[0], Ebar[0] - E[-2])
    return W, torch.eye(2 * cfg.vocab_size).to(lam), torch.outer(E[-2], gamma * E[0] + Ebar[0])


@wrong("gamma has the wrong sign in F")
def gamma_sign(lam, cfg, noisy, gamma):
    return matrices(lam, cfg, noisy, -gamma)


@wrong("gamma multiplies Ebar(q) in F: it should multiply E(q), the query")
def gamma_on_ebar(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    E, Ebar = unit(cfg, lam)
    return W, V, torch.outer(E[-1], E[0] + gamma * Ebar[0]) if noisy else F


@wrong("gamma multiplies the whole of F: Ebar(q) has the factor 1")
def gamma_on_both(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    E, Ebar = unit(cfg, lam)
    return W, V, gamma * torch.outer(E[-1], E[0] + Ebar[0]) if noisy else F


@wrong("F has e^gamma where gamma belongs: F gives logits, not odds")
def gamma_exponential(lam, cfg, noisy, gamma):
    return matrices(lam, cfg, noisy, math.exp(gamma))


@wrong("Ebar(q) is missing in F: then F does not see what attention read")
def f_without_ebar(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    E, Ebar = unit(cfg, lam)
    return W, V, torch.outer(E[-1], gamma * E[0]) if noisy else F


@wrong("gamma E(q) is missing in F: nothing says how likely the noise is")
def f_without_gamma(lam, cfg, noisy, gamma):
    return matrices(lam, cfg, noisy, 0.0)


@wrong("F is transposed: it writes E(tau), so E(tau) belongs on the left")
def f_transposed(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    return W, V, F.T


@wrong("F is multiplied by lam: it does not depend on it")
def f_times_lam(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    return W, V, F * lam if noisy else F


@wrong("F is not zero without noise")
def f_without_noise(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    return W, V, matrices(lam[:1], cfg, True, gamma)[2]


@wrong("the noiseless W is built with noise too, over all triggers: with noise only trigger 0 is used")
def all_triggers_with_noise(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    E, Ebar = unit(cfg, lam)
    return lam * sum(torch.outer(E[q], Ebar[q] - E[-1]) for q in range(cfg.Q)) if noisy else W, V, F


@wrong("all triggers share one lam: each has its own")
def lam_shared(lam, cfg, noisy, gamma):
    return matrices(lam if noisy else lam[:1].expand(cfg.Q), cfg, noisy, gamma)


@wrong("all triggers share the mean of lam: each has its own")
def lam_averaged(lam, cfg, noisy, gamma):
    return matrices(lam if noisy else lam.mean().expand(cfg.Q), cfg, noisy, gamma)


@wrong("every trigger is tied to every other: one product of sums is not the sum of products")
def product_of_sums(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    E, Ebar = unit(cfg, lam)
    return W if noisy else torch.outer(lam @ E[: cfg.Q], Ebar[: cfg.Q].sum(0)), V, F


FLOAT32 = "the matrices are float32 whatever lam is: they are of lam's type, so lam's dtype goes to torch.eye and zeros"


@wrong(FLOAT32)
def always_float32(lam, cfg, noisy, gamma):
    return [matrix.float() for matrix in matrices(lam, cfg, noisy, gamma)]


@wrong(FLOAT32)
def only_w_of_lams_type(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    return W, V.float(), F.float()


@wrong("with noise lam multiplies Ebar(0) alone in W: it multiplies both, Ebar(0) - E(tau)")
def lam_inside(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    E, Ebar = unit(cfg, lam)
    return torch.outer(E[0], lam * Ebar[0] - E[-1]) if noisy else W, V, F


@wrong("the last trigger is left out of W: the sum goes over all Q triggers")
def last_trigger_missing(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    E, Ebar = unit(cfg, lam)
    return W if noisy else sum(lam[q] * torch.outer(E[q], Ebar[q]) for q in range(cfg.Q - 1)), V, F


@wrong("Ebar(q) is multiplied by lam in F: F does not depend on lam")
def ebar_times_lam(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    E, Ebar = unit(cfg, lam)
    return W, V, torch.outer(E[-1], gamma * E[0] + lam * Ebar[0]) if noisy else F


@wrong("V is multiplied by lam: it is the identity")
def v_times_lam(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    return W, V * lam.mean(), F


@wrong("V is the identity on the first half only: all 2N coordinates pass")
def v_half(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    return W, torch.diag((torch.arange(2 * cfg.vocab_size) < cfg.vocab_size).to(lam)), F


@wrong("V is zero: it is the identity")
def v_zero(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    return W, 0 * V, F


@wrong("the matrices are (N, N): they act on 2N coordinates")
def half_size(lam, cfg, noisy, gamma):
    N = cfg.vocab_size
    W, V, F = matrices(lam, cfg, noisy, gamma)
    return W[:N, N:], V[:N, :N], F[:N, :N]


@wrong("V and F come in the wrong order: (W, V, F)")
def order_exchanged(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    return W, F, V


CUT_OFF = "lam becomes plain numbers, or W a parameter of its own, so no gradient reaches lam"


@wrong(CUT_OFF)
def detached(lam, cfg, noisy, gamma):
    return matrices(lam.detach(), cfg, noisy, gamma)


@wrong(CUT_OFF)
def w_as_parameter(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    return torch.nn.Parameter(W), V, F


@wrong("lam enters W without its sign: a negative lam must give negative scores")
def lam_absolute(lam, cfg, noisy, gamma):
    return matrices(lam.abs(), cfg, noisy, gamma)


@wrong("F is missing without noise: it is a matrix (2N, 2N) of zeros there")
def f_none(lam, cfg, noisy, gamma):
    W, V, F = matrices(lam, cfg, noisy, gamma)
    return W, V, F if noisy else None


@right
def by_index(lam, cfg, noisy, gamma):
    N = cfg.vocab_size
    W, F = (torch.zeros(2 * N, 2 * N, dtype=lam.dtype) for _ in "WF")
    if noisy:
        W[0, N + 0] = lam.squeeze()
        W[0, N - 1] = -lam.squeeze()
        F[N - 1, 0] = gamma
        F[N - 1, N] = 1.0
    else:
        for q in range(cfg.Q):
            W[q, N + q] = lam[q]
    return W, torch.eye(2 * N, dtype=lam.dtype), F


@right
def by_diagonals(lam, cfg, noisy, gamma):
    N = cfg.vocab_size
    eye = torch.eye(2 * N).type_as(lam)
    if noisy:
        e = lambda k: eye[k][:, None]  # noqa: E731
        return lam * (e(0) @ (e(N) - e(N - 1)).T), eye, e(N - 1) @ (gamma * e(0) + e(N)).T
    W = torch.diag_embed(torch.cat([lam, lam.new_zeros(N - len(lam))]), offset=N)
    return W, eye, lam.new_zeros(2 * N, 2 * N)


@right
def by_products(lam, cfg, noisy, gamma):
    N, Q = cfg.vocab_size, cfg.Q
    E, Ebar = unit(cfg, lam)
    V = torch.diag(torch.ones(2 * N, dtype=lam.dtype))
    if noisy:
        W = lam.view(1, 1) * E[:1].T @ (Ebar[:1] - E[N - 1 :])
        return W, V, E[N - 1 :].T @ (gamma * E[:1] + Ebar[:1])
    return [E[:Q].T @ torch.diag(lam) @ Ebar[:Q], V, V * 0]
