"""Wrong answers to exercise 1.7 that learners write, and right ones written differently."""

from pathlib import Path

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong
from utils.grade.suite import load_file

pieces = load_file(Path(__file__).with_name("_pieces.py"))
Base, gelu = pieces.MLP, pieces.gelu


@wrong("the bias b_in is never added")
class NoInputBias(Base):
    def forward(self, x):
        return gelu(x @ self.W_in) @ self.W_out + self.b_out


@wrong("the bias b_out is never added")
class NoOutputBias(Base):
    def forward(self, x):
        return gelu(x @ self.W_in + self.b_in) @ self.W_out


@wrong("neither of the two biases is added")
class NoBiases(Base):
    def forward(self, x):
        return gelu(x @ self.W_in) @ self.W_out


@wrong("there is no activation between the two products: without GELU they are one linear map")
class NoActivation(Base):
    def forward(self, x):
        return (x @ self.W_in + self.b_in) @ self.W_out + self.b_out


@wrong("the activation is ReLU: GELU is wanted")
class Relu(Base):
    def forward(self, x):
        return F.relu(x @ self.W_in + self.b_in) @ self.W_out + self.b_out


@wrong("the activation is SiLU: GELU is wanted")
class Silu(Base):
    def forward(self, x):
        return F.silu(x @ self.W_in + self.b_in) @ self.W_out + self.b_out


@wrong("the activation is the exact GELU, with the error function: GPT-2 uses the approximation with tanh")
class ExactGelu(Base):
    def forward(self, x):
        return F.gelu(x @ self.W_in + self.b_in) @ self.W_out + self.b_out


@wrong("the activation is the approximation of GELU with a sigmoid: GPT-2 uses the one with tanh")
class SigmoidGelu(Base):
    def forward(self, x):
        hidden = x @ self.W_in + self.b_in
        return (hidden * torch.sigmoid(1.702 * hidden)) @ self.W_out + self.b_out


@wrong("the bias b_in is added after the activation: it belongs before")
class InputBiasLate(Base):
    def forward(self, x):
        return (gelu(x @ self.W_in) + self.b_in) @ self.W_out + self.b_out


@wrong("there is a second activation after W_out: the result is added to the residual stream as it is")
class ActivationAtTheEnd(Base):
    def forward(self, x):
        return gelu(gelu(x @ self.W_in + self.b_in) @ self.W_out + self.b_out)


@wrong("the activation comes after the second product: it belongs between the two")
class ActivationLate(Base):
    def forward(self, x):
        return gelu((x @ self.W_in + self.b_in) @ self.W_out + self.b_out)


@wrong("the input is added to the result: the block adds the residual, the MLP does not")
class OwnResidual(Base):
    def forward(self, x):
        return x + gelu(x @ self.W_in + self.b_in) @ self.W_out + self.b_out


@wrong("the input is normalised once more: layer_norm_2 of the block has done that before the MLP")
class NormalisedAgain(Base):
    def forward(self, x):
        x = F.layer_norm(x, x.shape[-1:])
        return gelu(x @ self.W_in + self.b_in) @ self.W_out + self.b_out


@wrong("every row of the batch gets the result of the first row")
class FirstRowOnly(Base):
    def forward(self, x):
        return (gelu(x[:1] @ self.W_in + self.b_in) @ self.W_out + self.b_out).expand(x.shape)


@wrong("the output matrix is the transpose of W_in: W_out has weights of its own")
class TiedWeights(Base):
    def forward(self, x):
        return gelu(x @ self.W_in + self.b_in) @ self.W_in.T + self.b_out + 0 * self.W_out.sum()


@wrong("the hidden layer is cut off from the gradient (detach or no_grad), so W_in and b_in would never be trained")
class DetachedHidden(Base):
    def forward(self, x):
        with torch.no_grad():
            hidden = gelu(x @ self.W_in + self.b_in)
        return hidden @ self.W_out + self.b_out


@wrong("two calls on the same input differ: nothing random (dropout) belongs into this MLP")
class Dropout(Base):
    def forward(self, x):
        return F.dropout(gelu(x @ self.W_in + self.b_in) @ self.W_out + self.b_out, 0.1)


@wrong("the residual stream was changed in place: later layers still need it")
class InPlace(Base):
    def forward(self, x):
        return x.copy_(gelu(x @ self.W_in + self.b_in) @ self.W_out + self.b_out)


@wrong("the matrices are turned over on the way (F.linear does that): W_in is (E, M) and W_out (M, E), as they are")
class Transposed(Base):
    def forward(self, x):
        return F.linear(gelu(F.linear(x, self.W_in, self.b_in)), self.W_out, self.b_out)


@wrong("the two biases have changed places: b_in has M numbers, b_out has E")
class BiasesSwapped(Base):
    def forward(self, x):
        return gelu(x @ self.W_in + self.b_out) @ self.W_out + self.b_in


@wrong("the activation comes before the first product: it belongs between the two")
class ActivationFirst(Base):
    def forward(self, x):
        return (gelu(x) @ self.W_in + self.b_in) @ self.W_out + self.b_out


@wrong("the activation comes after the second product: it belongs between the two")
class ActivationBeforeOutputBias(Base):
    def forward(self, x):
        return gelu((x @ self.W_in + self.b_in) @ self.W_out) + self.b_out


@wrong("GELU is applied twice in a row: once is enough")
class ActivationTwice(Base):
    def forward(self, x):
        return gelu(gelu(x @ self.W_in + self.b_in)) @ self.W_out + self.b_out


@wrong("the activation is tanh alone: GELU is wanted")
class Tanh(Base):
    def forward(self, x):
        return torch.tanh(x @ self.W_in + self.b_in) @ self.W_out + self.b_out


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
