"""Wrong answers to exercise 4.16 that learners write, and right ones written differently."""

import copy
from copy import deepcopy
from types import SimpleNamespace

import torch
from torch import nn

from utils.grade.mutants import right, wrong


def cut(model, c=None, V=None, keep_f=False, copy=deepcopy):
    """The right surgery, with another factor, another V, or F kept."""
    new, cfg = copy(model), model.cfg
    with torch.no_grad():
        c = model.V.diagonal()[cfg.Q : cfg.Q + cfg.Y].mean() if c is None else c
        new.V.copy_(c * torch.eye(len(model.V)) if V is None else V)
        if not keep_f:
            new.F.zero_()
    return new


@wrong("the given model is changed: operate on a copy")
def in_place(model):
    return cut(model, copy=lambda x: x)


@wrong("a shallow copy shares its parameters with the given model, which changes too: take a deep copy")
def shallow_copy(model):
    return cut(model, copy=copy.copy)


@wrong("the parameters of the given model are frozen to get round autograd: it must stay as it is, use no_grad")
def freezes_the_given(model):
    model.requires_grad_(False)
    return cut(model)


@wrong("c is the mean of absolute values: entries of the learned diagonal keep their signs")
def absolute(model):
    return cut(model, model.V.diagonal()[model.cfg.Q : model.cfg.Q + model.cfg.Y].abs().mean())


@wrong("the outputs are those of the notebook's cfg: take Q and Y from model.cfg")
def sizes_of_the_notebook(model):
    return cut(model, model.V.diagonal()[3:6].mean())


@wrong("W is replaced too: it is where the model looks, and it must stay")
def w_replaced(model):
    new, N, Q = cut(model), model.cfg.vocab_size, model.cfg.Q
    with torch.no_grad():
        new.W.zero_()
        new.W[range(Q), range(N, N + Q)] = 1.0
    return new


@wrong("W is set to zero too: it is where the model looks, and it must stay")
def w_zeroed(model):
    new = cut(model)
    nn.init.zeros_(new.W)
    return new


@wrong("c is the mean of the whole diagonal of V: only on the outputs has it learned something")
def whole_diagonal(model):
    return cut(model, model.V.diagonal().mean())


@wrong("c is the mean of V's diagonal over all tokens: only on the outputs has it learned something")
def all_tokens(model):
    return cut(model, model.V.diagonal()[: model.cfg.vocab_size].mean())


@wrong("c is taken from the first Y tokens: the outputs begin at Q")
def from_0(model):
    return cut(model, model.V.diagonal()[: model.cfg.Y].mean())


@wrong("c is taken from Q to Y: the outputs go from Q to Q+Y-1")
def up_to_y(model):
    return cut(model, model.V.diagonal()[model.cfg.Q : model.cfg.Y].mean())


@wrong("c is taken from one token too many: the outputs end at Q+Y-1")
def one_too_many(model):
    return cut(model, model.V.diagonal()[model.cfg.Q : model.cfg.Q + model.cfg.Y + 1].mean())


@wrong("c is taken from one token too few: the outputs are Q .. Q+Y-1, and a slice leaves out its end")
def one_too_few(model):
    return cut(model, model.V.diagonal()[model.cfg.Q : model.cfg.Q + model.cfg.Y - 1].mean())


@wrong("F becomes the identity: it must be zero")
def f_identity(model):
    new = cut(model)
    nn.init.eye_(new.F)
    return new


@wrong("c is taken from the unseen outputs: only the entries of the outputs seen in training were learned")
def from_unseen(model):
    return cut(model, model.V.diagonal()[model.cfg.Q + model.cfg.Y : model.cfg.vocab_size - 1].mean())


@wrong("c is the sum of the diagonal on the outputs: it is their mean")
def summed(model):
    return cut(model, model.V.diagonal()[model.cfg.Q : model.cfg.Q + model.cfg.Y].sum())


@wrong("c is the mean of the whole block of outputs: only its diagonal counts")
def block_mean(model):
    outputs = slice(model.cfg.Q, model.cfg.Q + model.cfg.Y)
    return cut(model, model.V[outputs, outputs].mean())


@wrong("c is the largest entry of the diagonal on the outputs: it is their mean")
def largest(model):
    return cut(model, model.V.diagonal()[model.cfg.Q : model.cfg.Q + model.cfg.Y].max())


@wrong("c is 1: it is the mean of the learned diagonal of V on the outputs")
def factor_1(model):
    return cut(model, 1.0)


@wrong("c is taken from W instead of V")
def from_w(model):
    return cut(model, model.W.diagonal()[model.cfg.Q : model.cfg.Q + model.cfg.Y].mean())


@wrong("V keeps its own diagonal: every entry of the diagonal must be c")
def keeps_diagonal(model):
    return cut(model, V=torch.diag(model.V.diagonal()))


@wrong("c is in the first half of the diagonal only: V is c times the whole identity")
def half_identity(model):
    c = model.V.diagonal()[model.cfg.Q : model.cfg.Q + model.cfg.Y].mean()
    return cut(model, V=torch.diag((torch.arange(len(model.V)) < model.cfg.vocab_size) * c))


@wrong("only the diagonal of V is replaced: the rest of V must be zero")
def off_diagonal_kept(model):
    V = model.V.detach().clone()
    V.fill_diagonal_(V.diagonal()[model.cfg.Q : model.cfg.Q + model.cfg.Y].mean().item())
    return cut(model, V=V)


@wrong("every entry of V is c: it is c times the identity")
def full_of_c(model):
    c = model.V.diagonal()[model.cfg.Q : model.cfg.Q + model.cfg.Y].mean()
    return cut(model, V=c.expand(model.V.shape))


@wrong("V is transposed: it is replaced by c times the identity")
def v_transposed(model):
    return cut(model, V=model.V.T.clone())


@wrong("V stays as it is: it is replaced by c times the identity")
def v_kept(model):
    return cut(model, V=model.V)


@wrong("F stays as it is: it must be zero")
def f_kept(model):
    return cut(model, keep_f=True)


@wrong("nothing is returned: the new model is wanted")
def returns_nothing(model):
    cut(model)


@wrong("the matrices are returned: a model is wanted that can be called as the given one")
def returns_matrices(model):
    new = cut(model)
    return SimpleNamespace(W=new.W, V=new.V, F=new.F, cfg=model.cfg)


@right
def by_data(model):
    new = deepcopy(model)
    c = torch.diagonal(new.V.data)[model.cfg.Q : model.cfg.Q + model.cfg.Y].mean().item()
    new.V.data = torch.eye(2 * model.cfg.vocab_size) * c
    new.F.data = torch.zeros_like(new.F.data)
    return new


@right
def by_new_parameters(model):
    outputs = range(model.cfg.Q, model.cfg.Q + model.cfg.Y)
    c = sum(model.V[o, o].item() for o in outputs) / len(outputs)
    new = copy.deepcopy(model)
    new.V = nn.Parameter(torch.diag(torch.full((len(model.V),), c)))
    new.F = nn.Parameter(torch.zeros(model.F.shape))
    return new


@right
def by_state(model):
    state = {name: value.clone() for name, value in model.state_dict().items()}
    ids = torch.arange(model.cfg.Q, model.cfg.Q + model.cfg.Y)
    state["V"] = state["V"][ids, ids].mean() * torch.eye(len(model.V))
    state["F"] *= 0
    new = type(model)(model.cfg)
    new.load_state_dict(state)
    return new


@right
def by_init(model):
    new, outputs = deepcopy(model), slice(model.cfg.Q, model.cfg.Q + model.cfg.Y)
    nn.init.eye_(new.V)
    with torch.no_grad():
        new.V *= model.V[outputs, outputs].trace() / model.cfg.Y
    nn.init.constant_(new.F, 0.0)
    return new
