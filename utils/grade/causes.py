"""The likely cause, in one sentence, of the errors of torch and Python that a novice meets first."""

import re

# A pattern in the error's text, below it what usually lies behind it; the first that is found counts.
TABLE = r"""
einsum.*subscript \w+ has size
    One letter of an einsum pattern names two axes of different length (einops passes its letters on as a, b, c, ...
    in the order they appear): write the shapes of both tensors beside the pattern, letter by letter
Shape mismatch, can't divide
    An axis cannot be split into parts of the given length: check which axis it is, and the length you name
einsum.*number of subscripts|Wrong shape: expected
    Most often an einops pattern has more or fewer letters than the tensor has axes: write the tensor's shape beside
    the pattern
Expected target size
    cross_entropy takes the classes V on the second axis: flatten B and T into one axis, of logits and targets alike
Expected input batch_size
    After flattening there are more logits than targets, or fewer: drop one position from each of the two, but not
    the same one
The size of tensor a .* must match the size of tensor b|not broadcastable|shape mismatch: value tensor
    Two tensors do not line up from the last axis backwards: write their shapes below each other. Perhaps a mean,
    sum or max has dropped an axis that keepdim=True would keep, or one (a bias, say) needs an axis of length 1, as
    in x[:, None]
only one element tensors can be converted|only (tensors|Tensors) with one element
    A function for single numbers, such as those of math, was given a whole tensor: torch has functions of the same
    names that work on every number of a tensor
mat1 and mat2 shapes|Expected size for first two dimensions|batch1 must|size mismatch, got input
    In a @ b the last axis of a must be as long as the last but one of b: look for a missing transpose, or for
    operands in the wrong order
math domain error|expected a (positive|nonnegative) input
    A logarithm or a root was asked of a number that is zero or negative: see how it can get there, and whether that
    case has to be treated first
Boolean value of Tensor with more than one value
    An `if`, `and`, `or`, `max` or `in` of Python wants one yes or no, and was given a whole tensor: use
    torch.where, & and |, or take one element
only Tensors of floating point|\"?softmax\"? ?.*not implemented for 'Long'|mean\(\): could not infer output
    Whole numbers (int64) arrive where torch wants floats: convert with .float() first
tensors used as indices must be|expected scalar type Long|Expected tensor for argument #1 'indices'
    Indices must be whole numbers: make them with dtype=torch.int64, or convert with .long()
index out of range in self|index -?\d+ is out of bounds
    A token or position number is larger than the table it is looked up in: check which axis you index, and the
    largest number in it
does not require grad and does not have a grad_fn
    What is back-propagated is not connected to the parameters: look for detach, .item(), .data or no_grad on the
    way
a leaf Variable that requires grad|modified by an inplace operation|a view of a leaf
    A tensor that autograd still needs was changed in place (+=, x[...] = ..., methods ending in _): make a new
    tensor
cannot assign .* as parameter
    A parameter can't be replaced by a plain tensor: write into it with copy_, under torch.no_grad()
view size is not compatible
    view cannot reorder memory after a transpose or permute: use reshape, or rearrange of einops
shape '\[.*\]' is invalid for input of size|cannot reshape
    The new shape holds another number of elements than the tensor does: multiply both shapes out
Sizes of tensors must match except in dimension|Tensors must have same number of dimensions
    torch.cat joins along one axis, and all others must agree: check the shapes and the axis
random_ expects 'from' to be less than 'to'
    torch.randint has nothing to draw from: its upper end is left out, so it must be larger than the lower one. See
    which list or range is empty here, or one too short
probability tensor contains either|invalid multinomial distribution|cannot sample n_sample
    multinomial draws from probabilities, which are not negative and not all zero: look for logits without softmax,
    or for a row in which nothing is left to draw
unsupported operand type\(s\).*'function'|'function' object is not (subscriptable|iterable)
    A function is used where its result is meant: call it, with parentheses after its name
unsupported operand type\(s\).*NoneType|'NoneType' object
    Something is None: a function of yours returns nothing (a missing return), or a gradient was never made
"""
CAUSES = [(found[1], " ".join(found[2].split())) for found in re.finditer(r"(?m)^(\S.*)\n((?: {4}.*\n)+)", TABLE)]


def likely_cause(text: str) -> str:
    """One sentence about what usually causes an error with this text; empty where none is known."""
    return next((cause for pattern, cause in CAUSES if re.search(pattern, text)), "")
