"""What an optimizer remembers, as named tensors for a file, and back."""

import torch
from torch import Tensor

PARTS = {torch.optim.SGD: {"momentum_buffer"}, torch.optim.AdamW: {"step", "exp_avg", "exp_avg_sq"}}
PARTS[torch.optim.Adam] = PARTS[torch.optim.AdamW]


def optimizer_tensors(optimizer: torch.optim.Optimizer, prefix: str = "") -> dict[str, Tensor]:
    """The state of every parameter, named <prefix><number of the parameter>.<part>."""
    return {
        f"{prefix}{number}.{part}": value
        for number, memory in optimizer.state_dict()["state"].items()
        for part, value in memory.items()
        if isinstance(value, Tensor)
    }


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], prefix: str = "") -> None:
    """Put back what `optimizer_tensors` gave; tensors of other names are passed over.

    Raises ValueError where they are from another kind of optimizer or from other parameters.
    """
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        number, _, part = name.removeprefix(prefix).partition(".")
        if name.startswith(prefix) and number.isdigit():
            state.setdefault(int(number), {})[part] = value
    if any(set(memory) != PARTS[type(optimizer)] for memory in state.values()):
        raise ValueError("the state is of another kind of optimizer")
    try:
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    except (KeyError, RuntimeError) as error:
        raise ValueError(str(error)) from None
