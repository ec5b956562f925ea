"""Vector quantisation: a vector becomes the nearest word of a codebook, and gradients pass as if nothing happened."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


def vector_quantize(
    x: Float[Tensor, "*batch D"], codebook: Float[Tensor, "K D"], commitment: float = 0.25
) -> tuple[Float[Tensor, "*batch D"], Int[Tensor, "*batch"], Float[Tensor, ""]]:
    """Replace each vector by the nearest word of the codebook (Euclidean distance).

    Shapes: x (..., D), codebook (K, D) -> the quantised vectors (..., D), the words (...,) int64, and the loss, one
    number. The straight-through estimator: in the backward pass the quantised vectors hand their gradient to x
    unchanged. loss = mean (q - sg[x])^2 + commitment * mean (sg[q] - x)^2, where sg[.] stops the gradient: the first
    term moves words towards vectors (only where gradient trains the codebook), the second vectors towards words.
    Source: van den Oord, Vinyals and Kavukcuoglu 2017, equation 3.
    """
    # solution
    words = torch.cdist(x.flatten(0, -2), codebook).argmin(-1).view(x.shape[:-1])
    chosen = codebook[words]
    loss = F.mse_loss(chosen, x.detach()) + commitment * F.mse_loss(x, chosen.detach())
    return x + (chosen - x).detach(), words, loss
    # end solution


def new_state(codebook: Float[Tensor, "K D"]) -> dict[str, Tensor]:
    """The running averages of a codebook that is about to be trained: each word counts as used once."""
    return {"codebook": codebook.clone(), "counts": codebook.new_ones(len(codebook)), "sums": codebook.clone()}


def ema_update(
    state: dict[str, Tensor],
    x: Float[Tensor, "n D"],
    words: Int[Tensor, " n"],
    decay: float = 0.99,
    epsilon: float = 1e-5,
) -> dict[str, Tensor]:
    """Move each word towards the mean of the vectors that chose it, by exponential moving averages.

    `state` holds "codebook" (K, D), "counts" (K,) and "sums" (K, D); the new state is returned, the old one is left
    as it is. With n_k vectors that chose word k, and s_k their sum:
    counts_k <- decay * counts_k + (1 - decay) * n_k,  sums_k <- decay * sums_k + (1 - decay) * s_k,
    codebook_k <- sums_k / max(counts_k, epsilon). A word that nobody chose stays where it is.
    No gradient flows. Source: van den Oord, Vinyals and Kavukcuoglu 2017, appendix A.1.
    """
    # solution
    x = x.detach()
    chosen = F.one_hot(words, len(state["counts"])).to(x.dtype)  # (n, K)
    counts = decay * state["counts"] + (1 - decay) * chosen.sum(0)
    sums = decay * state["sums"] + (1 - decay) * chosen.T @ x
    return {"codebook": sums / counts.clamp(min=epsilon)[:, None], "counts": counts, "sums": sums}
    # end solution


def restart_unused(
    state: dict[str, Tensor], x: Float[Tensor, "n D"], generator: torch.Generator, least: float = 0.05
) -> tuple[dict[str, Tensor], int]:
    """Give every word whose count has fallen below `least` a new start at a random vector of x.

    Returns the new state and how many words were restarted. Without this a word that was never near any vector
    would stay unused for ever.
    """
    unused = (state["counts"] < least).nonzero().flatten()
    if len(unused) == 0:
        return state, 0
    new = {name: tensor.clone() for name, tensor in state.items()}
    starts = x.detach()[torch.randint(len(x), (len(unused),), generator=generator)]
    new["codebook"][unused], new["sums"][unused], new["counts"][unused] = starts, starts, 1.0
    return new, len(unused)


def soft_usage(x: Float[Tensor, "n D"], codebook: Float[Tensor, "K D"]) -> Float[Tensor, " K"]:
    """The share of the vectors that choose each word, smoothed so that gradients reach x and the codebook.

    A vector votes for word k with softmax(-|x - e_k|^2 / the mean smallest such distance). The published code counts
    one-hot choices here, through which no gradient passes, so that the losses built on them have no effect.
    """
    squares = torch.cdist(x, codebook).square()
    width = squares.detach().amin(-1).mean().clamp(min=1e-6)
    return (-squares / width).softmax(-1).mean(0)
