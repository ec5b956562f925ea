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
    """How orthonormal the rows are: mean of their squared lengths, and of the inner products between different rows
    the standard deviation and the largest absolute value.

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


def recall(
    W: Float[Tensor, "d_out d_in"],
    U: Float[Tensor, "n d_in"],
    V: Float[Tensor, "m d_out"],
) -> Int[Tensor, "n"]:
    """For each key u_i the index j of the value with the largest v_j . W u_i.

    Shapes: U (n, d_in), V (m, d_out) -> int64 (n,).
    """
    # solution
    scores = einsum(V, W, U, "m d_out, d_out d_in, n d_in -> n m")
    return scores.argmax(dim=1)
    # end solution


def capacity_curve(d: int, ns: Iterable[int], seeds: Iterable[int]) -> list[float]:
    """How much of n random pairs a d x d memory gives back: the share recalled, mean over seeds, for each n of ns.

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


def linear_ce_grad(
    W: Float[Tensor, "d_out d_in"],
    U_in: Float[Tensor, "n d_in"],
    U_out: Float[Tensor, "m d_out"],
    p_z: Float[Tensor, "n"],
    p_k_given_z: Float[Tensor, "n m"],
) -> Float[Tensor, "d_out d_in"]:
    """Gradient with respect to W of the expected cross-entropy of p(k|z) under softmax over k of u_k . W u_z.

    Shapes: inputs U_in (n, d_in), outputs U_out (m, d_out), p_z (n,), p_k_given_z (n, m) -> like W, in closed form.
    Source: Bietti et al. 2023; a sum of outer products, so an associative memory.
    """
    # solution
    logits = einsum(U_in, W, U_out, "z d_in, d_out d_in, k d_out -> z k")
    excess = logits.softmax(dim=1) - p_k_given_z
    return einsum(p_z, excess, U_out, U_in, "z, z k, k d_out, z d_in -> d_out d_in")
    # end solution
