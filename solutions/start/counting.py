"""From counts to probabilities (start page)."""

from jaxtyping import Float
from torch import Tensor


def probabilities(counts: Float[Tensor, "*batch V"]) -> Float[Tensor, "*batch V"]:
    """Turn each row of counts into probabilities that add up to 1. The caller's counts are unchanged.

    Shapes: counts (..., V) -> (..., V), where every row has at least one count above zero.
    """
    # solution
    return counts / counts.sum(-1, keepdim=True)
    # end solution
