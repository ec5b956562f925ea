"""Sentences of the judge's own for exercises that train: equal mistakes then show equal numbers in every notebook."""

import torch

ROWS = 997  # sentences in a pool: a prime, so that no step through it misses any


def from_pools(pools):
    """A sample_batch that takes its sentences from the pools, from a place that is drawn with the generator."""

    def sample_batch(cfg, batch, noisy, alpha=0.0, ood=False, generator=None):
        tokens, outputs = pools["noisy" if noisy else "clean"]["unseen" if ood else "seen"]
        place = int(torch.randint(2**31, (), generator=generator))
        rows = (place + torch.arange(batch) * (1 + place // len(tokens) % (len(tokens) - 1))) % len(tokens)
        certain = not 0.01 < alpha < 0.99
        chance = torch.full((batch,), 0.5) if certain else torch.rand(batch, generator=generator)
        labels = torch.where(chance < alpha * noisy, cfg.vocab_size - 1, outputs[rows])
        return tokens[rows], labels, outputs[rows]

    return sample_batch


def make_pools(draw, cfg):
    """Sentences with and without noise, with seen and with unseen outputs: (tokens, outputs) each."""
    rows = torch.arange(ROWS)
    N, H, Q, Y = cfg["vocab_size"], cfg["H"], cfg["Q"], cfg["Y"]
    pools = {}
    for noise in ("noisy", "clean"):
        pools[noise] = {}
        for which, outputs in (("seen", (Q, Q + Y)), ("unseen", (Q + Y, N - 1))):
            q, y = draw.integers(0, Q, ROWS) * (noise == "clean"), draw.integers(*outputs, ROWS)
            tokens, p = draw.integers(Q, N - 1, ROWS, H), draw.integers(0, H - 2, ROWS)
            tokens[rows, p], tokens[rows, p + 1], tokens[:, -1] = q, y, q
            if noise == "noisy":
                near = (torch.arange(H - 2) - p[:, None]).abs() < 2
                p = draw.uniform(ROWS, H - 2).masked_fill(near, -1.0).argmax(1)
                tokens[rows, p], tokens[rows, p + 1] = q, N - 1
            pools[noise][which] = (tokens, y)
    return pools
