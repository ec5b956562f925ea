"""Which device to compute on."""

import torch

from utils.course import CourseError


def best_device(double: bool = False) -> str:
    """The best device there is: "cuda", "mps" or "cpu". `double`: one that computes in float64, which MPS does not."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() and not double else "cpu"


def usable_device(name: str, double: bool = False) -> torch.device:
    """The torch device of that name. Raises CourseError where it is unknown or not on this machine, and, if `double`
    is asked for, where it has no float64."""
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        there = best_device(double)
        raise CourseError(f"The device {name!r} is not there on this machine; it has {there!r}.") from None
    if double:
        try:
            torch.zeros(1).to(device, torch.float64)
        except (TypeError, RuntimeError):
            says = (
                f"The device {name!r} has no float64, in which this chapter draws its data: take {best_device(True)!r}."
            )
            raise CourseError(says) from None
    return device
