"""Wrong answers to exercise 1.6 that learners write, and right ones written differently."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from utils.grade.mutants import right, wrong

ROOT = math.sqrt(2 / math.pi)


@wrong("this is the exact GELU, with the error function: GPT-2 uses the approximation with tanh")
class Exact(nn.Module):
    def forward(self, x):
        return F.gelu(x)


@wrong("this is ReLU: GELU bends smoothly and is a little below zero left of it")
class Relu(nn.Module):
    def forward(self, x):
        return F.relu(x)


@wrong("this is the approximation with a sigmoid of 1.702 x: GPT-2 uses the one with tanh")
class Sigmoid(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


@wrong("this is SiLU, x times its own sigmoid, which is a different function")
class Silu(nn.Module):
    def forward(self, x):
        return F.silu(x)


@wrong("the cubic term inside the tanh is missing")
class NoCube(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1 + torch.tanh(ROOT * x))


@wrong("the small term inside the tanh is a square: it must be a cube, which keeps the sign")
class SquareForCube(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1 + torch.tanh(ROOT * (x + 0.044715 * x**2)))


@wrong("the constant before the cube is off: look at its digits")
class WrongConstant(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1 + torch.tanh(ROOT * (x + 0.44715 * x**3)))


@wrong("the factor inside the tanh is 2/pi itself: it must be its square root")
class NoRoot(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1 + torch.tanh(2 / math.pi * (x + 0.044715 * x**3)))


@wrong("the factor in front, inside the tanh, is missing: the root of 2/pi")
class NoFactor(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1 + torch.tanh(x + 0.044715 * x**3))


@wrong("the factor inside the tanh multiplies x only: the cubic term is scaled by it too")
class FactorOnXOnly(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1 + torch.tanh(ROOT * x + 0.044715 * x**3))


@wrong("everything is twice too large: the half in front is missing")
class NoHalf(nn.Module):
    def forward(self, x):
        return x * (1 + torch.tanh(ROOT * (x + 0.044715 * x**3)))


@wrong("the 1 that is added to the tanh is missing")
class NoOne(nn.Module):
    def forward(self, x):
        return 0.5 * x * torch.tanh(ROOT * (x + 0.044715 * x**3))


@wrong("the factor x in front is missing: what is left is only the gate between 0 and 1")
class OnlyTheGate(nn.Module):
    def forward(self, x):
        return 0.5 * (1 + torch.tanh(ROOT * (x + 0.044715 * x**3)))


@wrong("the tanh is written out with exponentials, which overflow for large numbers")
class Overflows(nn.Module):
    def forward(self, x):
        y = ROOT * (x + 0.044715 * x**3)
        return 0.5 * x * (1 + (torch.exp(y) - torch.exp(-y)) / (torch.exp(y) + torch.exp(-y)))


@wrong("the input was changed in place: return a new tensor")
class InPlace(nn.Module):
    def forward(self, x):
        gate = 0.5 * (1 + torch.tanh(ROOT * (x + 0.044715 * x**3)))
        return x.mul_(gate)


@wrong("the gate is cut off from the gradient (detach or no_grad): it depends on x too")
class DetachedGate(nn.Module):
    def forward(self, x):
        with torch.no_grad():
            gate = 0.5 * (1 + torch.tanh(ROOT * (x + 0.044715 * x**3)))
        return x * gate


@wrong("the constant 0.044715 is cubed too: only x is")
class CubedConstant(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1 + torch.tanh(ROOT * (x + (0.044715 * x) ** 3)))


@wrong("the root is taken of the 2 alone: it is the root of 2 / pi")
class RootOfTwoAlone(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2) / math.pi * (x + 0.044715 * x**3)))


@wrong("the fraction under the root is upside down: it is 2 / pi, not pi / 2")
class FractionUpsideDown(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1 + torch.tanh(math.sqrt(math.pi / 2) * (x + 0.044715 * x**3)))


@wrong("in Python a power is written x**3: the sign ^ is a different operation, for whole numbers")
class CaretForPower(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1 + torch.tanh(ROOT * (x + 0.044715 * x ^ 3)))


@wrong("the sign inside the brackets is wrong: the 1 and the tanh are added")
class OneMinus(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1 - torch.tanh(ROOT * (x + 0.044715 * x**3)))


@right
class Functional(nn.Module):
    def forward(self, x):
        return F.gelu(x, approximate="tanh")


@right
class BySigmoid(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(2 * ROOT * x * (1 + 0.044715 * x * x))


@right
class ByPowers(nn.Module):
    def forward(self, x):
        inner = torch.pow(x, 3).mul(0.044715).add(x).mul(ROOT)
        return torch.tanh(inner).add(1).mul(x).div(2)
