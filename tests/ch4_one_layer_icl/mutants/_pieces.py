"""Right pieces, written compactly, for the known wrong answers to build on: each of those differs in one thing."""

from types import SimpleNamespace

import torch
import torch.nn.functional as F

# The steps of drawing a batch, each of which a wrong answer can replace; `s` holds the sizes and what was drawn.
STEPS = {
    "q": lambda s: s.zeros() if s.noisy else s.randint(0, s.Q),
    "y": lambda s: s.randint(s.Q + s.Y, s.N - 1) if s.ood else s.randint(s.Q, s.Q + s.Y),
    "tokens": lambda s: s.randint(s.Q, s.N - 1, s.batch, s.H),
    "p": lambda s: s.randint(0, s.H - 2),
    "p_tau": lambda s: s.again(lambda: s.randint(0, s.H - 2), lambda x: (x - s.p).abs() < 2),
    "flips": lambda s: s.rand() < s.alpha,
}


def place_pairs(s):
    s.tokens[:, -1] = s.q
    s.tokens[s.rows, s.p] = s.q
    s.tokens[s.rows, s.p + 1] = s.y
    if s.noisy:
        s.tokens[s.rows, s.p_tau] = s.q
        s.tokens[s.rows, s.p_tau + 1] = s.N - 1


def result(s):
    return s.tokens, torch.where(s.flips, s.N - 1, s.y) if s.noisy else s.y.clone(), s.y


def sentences(cfg, batch, noisy, alpha=0.0, ood=False, generator=None, place=place_pairs, result=result, **steps):
    """sample_batch, with any of its steps replaced."""
    s = SimpleNamespace(N=cfg.vocab_size, H=cfg.H, Q=cfg.Q, Y=cfg.Y, batch=batch, noisy=noisy, alpha=alpha, ood=ood)
    s.rows, s.generator = torch.arange(batch), generator
    s.randint = lambda low, high, *shape: torch.randint(low, high, shape or (batch,), generator=generator)
    s.rand = lambda: torch.rand(batch, generator=generator)
    s.zeros = lambda: torch.zeros(batch, dtype=torch.long)

    def again(draw, bad):
        found = draw()
        while bad(found).any():
            found = torch.where(bad(found), draw(), found)
        return found

    s.again = again
    for name, step in {**STEPS, **steps}.items():
        if noisy or name not in ("p_tau", "flips"):
            setattr(s, name, step(s))
    place(s)
    return result(s)


def sample_batch(cfg, batch, noisy, alpha=0.0, ood=False, generator=None):
    return sentences(cfg, batch, noisy, alpha, ood, generator)


def embed(tokens, cfg):
    hot = F.one_hot(tokens, cfg.vocab_size).float()
    return torch.cat([hot, F.pad(hot, (0, 0, 1, 0))[:, :-1]], -1)


def scores(x, W):
    return torch.einsum("bi,ij,btj->bt", x[:, -1], W, x)


def weights(s, kind):
    return {"linear": lambda: s, "softmax": lambda: s.softmax(-1), "relu": lambda: torch.relu(s + 1e-8)}[kind]()


def attend(x, W, kind):
    a = weights(scores(x, W), kind)
    return torch.einsum("bt,btd->bd", a, x), a


def forward(params, tokens, kappa, kind):
    N = len(params["W"]) // 2
    x = embed(tokens, SimpleNamespace(vocab_size=N))
    w, _ = attend(x, params["W"], kind)
    xi_A = w @ params["V"][:N].T
    xi_F = (x[:, -1] + kappa * w) @ params["F"][:N].T
    return xi_A + xi_F, xi_A, xi_F


def ngd_step(params, grads, lr):
    norms = {name: 0 if grads[name] is None else grads[name].norm() for name in params}
    return {name: x - lr * grads[name] / norms[name] if norms[name] > 0 else x for name, x in params.items()}


def loss_of(params, tokens, labels, kappa, kind):
    return F.cross_entropy(forward(params, tokens, kappa, kind)[0], labels)
