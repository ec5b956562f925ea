"""Which device to compute on."""

import torch

from utils.course import CourseError


def best_device() -> str:
    """The best device there is: "cuda", "mps" or "cpu"."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def usable_device(name: str) -> torch.device:
    """The torch device of that name. Raises CourseError where it is unknown or not on this machine."""
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise CourseError(f"The device {name!r} is not there on this machine; it has {best_device()!r}.") from None
    return device
