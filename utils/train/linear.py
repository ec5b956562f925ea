"""Linear maps that a CPU computes faster, by another of PyTorch's libraries."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

IMAGES = 16  # PyTorch gives a convolution of width 1 to oneDNN for as many images, or where it has several threads


class Pointwise(nn.Linear):
    """A linear map of every position by itself: (..., I) -> (..., O).

    On a CPU it is a convolution of width 1, as the Transformer's paper also puts it ("two convolutions with kernel size
    1", Vaswani et al. 2017, section 3.3). The numbers are the same but for rounding. PyTorch hands products to MKL,
    which uses half of the vector width of an AMD processor, and convolutions to oneDNN, which uses all of it.
    """

    def forward(self, x: Float[Tensor, "... I"]) -> Float[Tensor, "... O"]:
        rows, odd = divmod(x.numel() // self.in_features, IMAGES)
        if odd or not rows or not (x.is_cpu and x.dtype == torch.float32 and torch.backends.mkl.is_available()):
            return super().forward(x)
        image = x.reshape(IMAGES, 1, rows, self.in_features).movedim(-1, 1)  # a position is a pixel with I channels
        mapped = F.conv2d(image, self.weight[:, :, None, None], self.bias)
        return mapped.movedim(1, -1).reshape(*x.shape[:-1], self.out_features)


def pointwise(model: nn.Module) -> nn.Module:
    """The same model, in place: every nn.Linear in it computes as Pointwise does. Its names and weights stay."""
    for module in model.modules():
        if type(module) is nn.Linear:
            module.__class__ = Pointwise
    return model
