"""The authors' own generator, number for number: one numpy stream, sentence by sentence (chapter 4, `--legacy-data`).

It is slow and is here so that their files can be made again: seed 0, without noise, 200 steps gives their test set.
"""

from collections.abc import Callable

import numpy as np

from .config import DataConfig

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


class LegacyStream:
    """numpy's legacy generator with the seed; the sets must be drawn in the authors' order: train, test, finite."""

    def __init__(self, cfg: DataConfig, noisy: bool, alpha: float, seed: int):
        self.cfg, self.noisy, self.alpha = cfg, noisy, alpha if noisy else 0.0
        self.numbers = np.random.RandomState(seed)

    def draw(self, count: int, ood: bool, tick: Callable[[int], object] = lambda done: None) -> Arrays:
        """`count` sentences: (tokens (count, H), labels (count,), outputs (count,)), int64. `tick(n)` after each n."""
        N, H, Q, Y = self.cfg.vocab_size, self.cfg.H, self.cfg.Q, self.cfg.Y
        draw = self.numbers.randint
        is_noise = self.numbers.binomial(1, self.alpha, count)
        unseen = draw(Q + Y if ood else Q, N - 1, count)  # drawn for the training sets too, and not used there
        tokens, outputs = np.empty((count, H), np.int64), np.empty(count, np.int64)
        for i in range(count):
            q = 0 if self.noisy else draw(0, Q)
            y = draw(Q, Q + Y)  # drawn for the test set too
            y = unseen[i] if ood else y
            z = draw(Q, N - 1, H)
            z[-1] = q
            p = draw(0, H - 2)
            z[p], z[p + 1] = q, y
            if self.noisy:
                p_tau = draw(0, H - 2)
                while abs(p_tau - p) < 2:
                    p_tau = draw(0, H - 2)
                z[p_tau], z[p_tau + 1] = q, N - 1
            tokens[i], outputs[i] = z, y
            if i % 1000 == 999:
                tick(1000)
        return tokens, np.where(is_noise == 1, N - 1, outputs), outputs
