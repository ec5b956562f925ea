"""Wrong answers to exercise 1.7 that learners write, and right ones written differently."""

from pathlib import Path

import torch
import torch.nn.functional as F

from utils.grade import load_file, right, slips

pieces = load_file(Path(__file__).with_name("_pieces.py"))
Base, gelu = pieces.MLP, pieces.gelu

slip = slips(
    Base,
    """
    def forward(self, x):
        hidden = x @ self.W_in + self.b_in
        return gelu(hidden) @ self.W_out + self.b_out
    """,
)
BENT, RESULT = "gelu(hidden)", "gelu(hidden) @ self.W_out + self.b_out"

NoInputBias = slip("the bias b_in is never added", " + self.b_in", "")
NoOutputBias = slip("the bias b_out is never added", " + self.b_out", "")
NoBiases = slip("neither of the two biases is added", " + self.b_in", "", " + self.b_out", "")
NoActivation = slip(
    "there is no activation between the two products: without GELU they are one linear map", BENT, "hidden"
)
Relu = slip("the activation is ReLU: it must be GELU", BENT, "F.relu(hidden)")
Silu = slip("the activation is SiLU: it must be GELU", BENT, "F.silu(hidden)")
Tanh = slip("the activation is tanh alone: it must be GELU", BENT, "torch.tanh(hidden)")
ExactGelu = slip(
    "the activation is the exact GELU, with the error function: GPT-2 uses the approximation with tanh",
    BENT, "F.gelu(hidden)",
)  # fmt: skip
SigmoidGelu = slip(
    "the activation is the approximation of GELU with a sigmoid: GPT-2 uses the one with tanh",
    BENT, "(hidden * torch.sigmoid(1.702 * hidden))",
)  # fmt: skip
InputBiasLate = slip(
    "the bias b_in is added after the activation: it belongs before",
    " + self.b_in", "", BENT, "(gelu(hidden) + self.b_in)",
)  # fmt: skip
ActivationAtTheEnd = slip(
    "there is a second activation after W_out: the result is added to the residual stream as it is",
    RESULT, f"gelu({RESULT})",
)  # fmt: skip
LATE = "the activation comes after the second product: it belongs between the two"
ActivationLate = slip(LATE, RESULT, "gelu(hidden @ self.W_out + self.b_out)")
ActivationBeforeOutputBias = slip(LATE, RESULT, "gelu(hidden @ self.W_out) + self.b_out")
ActivationFirst = slip(
    "the activation comes before the first product: it belongs between the two", "x @", "gelu(x) @", BENT, "hidden"
)
ActivationTwice = slip("GELU is applied twice in a row: once is enough", BENT, "gelu(gelu(hidden))")
OwnResidual = slip(
    "the input is added to the result: the block adds the residual, the MLP does not", "return ", "return x + "
)
NormalisedAgain = slip(
    "the input is normalised once more: layer_norm_2 of the block has done that before the MLP",
    "x @", "F.layer_norm(x, x.shape[-1:]) @",
)  # fmt: skip
FirstRowOnly = slip(
    "every row of the batch gets the result of the first row", "x @", "x[:1] @", RESULT, f"({RESULT}).expand(x.shape)"
)
TiedWeights = slip(
    "the output matrix is the transpose of W_in: W_out has weights of its own",
    "self.W_out", "(self.W_in.T + 0 * self.W_out)",
)  # fmt: skip
DetachedHidden = slip(
    "the hidden layer is cut off from the gradient (detach or no_grad), so W_in and b_in would never be trained",
    BENT, "gelu(hidden).detach()",
)  # fmt: skip
Dropout = slip(
    "two calls on the same input differ: use the parameters unchanged and nothing random, such as dropout",
    RESULT, f"F.dropout({RESULT}, 0.1)",
)  # fmt: skip
InPlace = slip("the residual stream was changed in place: later layers still need it", RESULT, f"x.copy_({RESULT})")
Transposed = slip(
    "the matrices are transposed on the way (F.linear does that): W_in is already (E, M), and W_out (M, E)",
    "x @ self.W_in + self.b_in", "F.linear(x, self.W_in, self.b_in)",
    RESULT, "F.linear(gelu(hidden), self.W_out, self.b_out)",
)  # fmt: skip
BiasesSwapped = slip(
    "the two biases are swapped: b_in has M numbers, b_out has E",
    "b_in", "b_other", "b_out", "b_in", "b_other", "b_out",
)  # fmt: skip


@right
class Linear(Base):
    def forward(self, x):
        hidden = F.gelu(F.linear(x, self.W_in.T, self.b_in), approximate="tanh")
        return F.linear(hidden, self.W_out.T, self.b_out)


@right
class Einsum(Base):
    def forward(self, x):
        hidden = torch.einsum("bte,em->btm", x, self.W_in).add(self.b_in)
        gate = 0.5 * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (hidden + 0.044715 * hidden.pow(3))))
        return torch.einsum("btm,me->bte", hidden * gate, self.W_out).add(self.b_out)


@right
class NeuronByNeuron(Base):
    def forward(self, x):
        total = self.b_out.expand(x.shape)
        for read, bias, write in zip(self.W_in.T, self.b_in, self.W_out, strict=True):
            total = total + gelu((x * read).sum(-1, keepdim=True) + bias) * write
        return total
