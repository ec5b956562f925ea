"""A matrix as an associative memory: sums of outer products of nearly orthogonal vectors (chapter 2)."""

from collections.abc import Iterable

import torch
from einops import einsum
from jaxtyping import Float, Int
from torch import Tensor


def random_embeddings(n: int, d: int, generator: torch.Generator) -> Float[Tensor, "n d"]:
    """n random vectors of length about 1: independent normal entries of variance 1/d.

    Shapes: -> (n, d), float32. Source: Bietti et al. 2023.
    """
    # solution
    return torch.randn(n, d, generator=generator) / d**0.5
    # end solution


def gram_stats(E: Float[Tensor, "n d"]) -> tuple[float, float, float]:
    """How orthonormal the rows are: mean of their squared lengths, and of the inner products between different rows the
    standard deviation and the largest absolute value.

    Shapes: E (n, d) -> (diag_mean, off_std, off_max), Python floats.
    """
    # solution
    gram = einsum(E, E, "i d, j d -> i j")
    off = gram[~torch.eye(len(E), dtype=torch.bool)]
    return gram.diagonal().mean().item(), off.std().item(), off.abs().max().item()
    # end solution


def store(
    U: Float[Tensor, "n d_in"], V: Float[Tensor, "m d_out"], alpha: Float[Tensor, "n m"] | None = None
) -> Float[Tensor, "d_out d_in"]:
    """W = sum over i, j of alpha[i, j] v_j u_i^T, so that v_j . W u_i is about alpha[i, j].

    Shapes: keys U (n, d_in), values V (m, d_out) -> W (d_out, d_in). Without alpha, n = m and u_i -> v_i.
    Source: Bietti et al. 2023.
    """
    # solution
    if alpha is None:
        return einsum(V, U, "n d_out, n d_in -> d_out d_in")
    return einsum(alpha, V, U, "n m, m d_out, n d_in -> d_out d_in")
    # end solution


def recall(W: Float[Tensor, "d_out d_in"], U: Float[Tensor, "n d_in"], V: Float[Tensor, "m d_out"]) -> Int[Tensor, "n"]:
    """For each key u_i the index j of the value with the largest v_j . W u_i.

    Shapes: U (n, d_in), V (m, d_out) -> int64 (n,).
    """
    # solution
    scores = einsum(V, W, U, "m d_out, d_out d_in, n d_in -> n m")
    return scores.argmax(dim=1)
    # end solution


def capacity_curve(d: int, ns: Iterable[int], seeds: Iterable[int]) -> list[float]:
    """How much of n random pairs a d x d memory gives back: the share recalled, averaged over seeds, for each n of ns.

    Keys and values are independent random embeddings.
    """
    # solution
    seeds = list(seeds)
    curve = []
    for n in ns:
        shares = []
        for seed in seeds:
            generator = torch.Generator().manual_seed(seed)
            U = random_embeddings(n, d, generator)
            V = random_embeddings(n, d, generator)
            right = recall(store(U, V), U, V) == torch.arange(n)
            shares.append(right.float().mean().item())
        curve.append(sum(shares) / len(shares))
    return curve
    # end solution


def fit_memory(
    U: Float[Tensor, "n d_in"], V: Float[Tensor, "n d_out"], steps: int = 600, lr: float = 0.05
) -> Float[Tensor, "d_out d_in"]:
    """The memory that gradient descent finds for u_i -> v_i: Adam on the cross-entropy of v_j . W u_i, from zero.

    Shapes: (n, d_in), (n, d_out) -> W (d_out, d_in).
    """
    W = torch.zeros(V.shape[1], U.shape[1], requires_grad=True)
    right = torch.arange(len(U))
    optimizer = torch.optim.Adam([W], lr=lr)
    for _ in range(steps):
        scores = einsum(V, W, U, "m d_out, d_out d_in, n d_in -> n m")
        loss = torch.nn.functional.cross_entropy(scores, right)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return W.detach()
