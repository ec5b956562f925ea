"""What one step of gradient descent writes into a matrix (chapter 2)."""

from einops import einsum
from jaxtyping import Float
from torch import Tensor


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
