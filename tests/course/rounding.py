"""Two float32 computations of the same numbers: how far apart rounding alone can bring them."""

import torch

OPERATIONS = 1000  # roundings on the way through a small model, each of at most half a unit in the last place


def assert_same_but_rounding(found: torch.Tensor, expected: torch.Tensor) -> None:
    """Fails where they differ by more than OPERATIONS roundings of the largest number involved."""
    assert found.shape == expected.shape
    bound = OPERATIONS * torch.finfo(torch.float32).eps * max(1.0, float(expected.detach().abs().max()))
    gap = float((found.detach() - expected.detach()).abs().max())
    assert gap <= bound, f"they differ by {gap:.2g}, more than rounding explains ({bound:.2g})"
