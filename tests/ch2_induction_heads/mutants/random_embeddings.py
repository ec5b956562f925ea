"""Wrong answers to exercise 2.7 that learners write, and right ones written differently."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from utils.grade.mutants import right, wrong


@wrong("the entries have variance 1: divide by the square root of d")
def variance_one(n, d, generator):
    return torch.randn(n, d, generator=generator)


@wrong("divided by d the variance is 1/d squared: divide by the square root of d")
def divided_by_d(n, d, generator):
    return torch.randn(n, d, generator=generator) / d


@wrong("the entries are multiplied by the square root of d: divide by it")
def times_root(n, d, generator):
    return torch.randn(n, d, generator=generator) * d**0.5


@wrong("the variance is 1/n: it is the dimension d that counts, not the number of vectors")
def by_n(n, d, generator):
    return torch.randn(n, d, generator=generator) / n**0.5


@wrong("the fourth root of d was taken somewhere: the standard deviation is 1 over the square root of d")
def fourth_root(n, d, generator):
    return torch.randn(n, d, generator=generator) / d**0.25


@wrong("the size of the entries depends on n as well: only d counts")
def by_n_and_d(n, d, generator):
    return torch.randn(n, d, generator=generator) * (2 / (n + d)) ** 0.5


@wrong("the variance is 2/d: it is 1/d")
def twice(n, d, generator):
    return torch.randn(n, d, generator=generator) * (2 / d) ** 0.5


@wrong("the numbers are uniform: draw normal ones")
def uniform(n, d, generator):
    return (torch.rand(n, d, generator=generator) * 2 - 1) * (3 / d) ** 0.5


# The start of a linear layer is the same thing, so the two share a sentence.
NARROW = "the numbers are uniform, between -1 and 1 over the root of d, with a third of the variance: draw normal ones"


@wrong(NARROW)
def narrow_uniform(n, d, generator):
    return (torch.rand(n, d, generator=generator) * 2 - 1) / d**0.5


@wrong("the numbers are all positive (rand): draw normal ones (randn)")
def rand(n, d, generator):
    return torch.rand(n, d, generator=generator) / d**0.5


@wrong("only the signs are random: draw normal numbers")
def signs(n, d, generator):
    return (torch.randint(0, 2, (n, d), generator=generator) * 2 - 1) / d**0.5


@wrong("the normal numbers are cut off at two standard deviations: draw them as they come")
def truncated(n, d, generator):
    x = torch.empty(n, d)
    return nn.init.trunc_normal_(x, std=d**-0.5, a=-2 * d**-0.5, b=2 * d**-0.5, generator=generator)


@wrong("every row is scaled to length 1: the lengths of random vectors scatter about 1, leave them")
def unit_rows(n, d, generator):
    return F.normalize(torch.randn(n, d, generator=generator), dim=1)


@wrong("every column is brought to the same size: leave the numbers as they are drawn")
def equal_columns(n, d, generator):
    x = torch.randn(n, d, generator=generator)
    return F.normalize(x, dim=0) * (n / d) ** 0.5


@wrong("the rows are made orthogonal: random vectors are so only nearly, leave them")
def orthogonal(n, d, generator):
    x = torch.randn(n, d, generator=generator)
    return torch.linalg.qr(x.T).Q.T if n < d else torch.linalg.qr(x).Q * (n / d) ** 0.5


@wrong("all vectors are the same one: draw n times d numbers")
def one_vector(n, d, generator):
    return (torch.randn(1, d, generator=generator) / d**0.5).expand(n, d).clone()


@wrong("all numbers of a vector are the same: draw n times d numbers")
def one_number_a_row(n, d, generator):
    return (torch.randn(n, 1, generator=generator) / d**0.5).expand(n, d).clone()


@wrong("the shape is turned round: n rows of d numbers")
def turned(n, d, generator):
    return torch.randn(d, n, generator=generator) / d**0.5


@wrong("half of the vectors are the others with a minus sign: draw all n independently")
def mirrored(n, d, generator):
    half = torch.randn((n + 1) // 2, d, generator=generator) / d**0.5
    return torch.cat([half, -half])[:n]


@wrong("the mean is not 0")
def shifted(n, d, generator):
    return (torch.randn(n, d, generator=generator) + 1) / d**0.5


@wrong("the absolute value is taken: half of the numbers should be negative")
def positive(n, d, generator):
    return torch.randn(n, d, generator=generator).abs() / d**0.5


@wrong("the generator is not used: hand it on to the draw")
def ignores_generator(n, d, generator):
    return torch.randn(n, d) / d**0.5


@wrong("a generator of its own is used, the same at every call: draw from the given one")
def own_generator(n, d, generator):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(0)) / d**0.5


@wrong("the given generator is seeded anew at every call, so it never gets on")
def seeds_anew(n, d, generator):
    return torch.randn(n, d, generator=generator.manual_seed(generator.initial_seed())) / d**0.5


@wrong("the table comes from nn.Embedding, which knows nothing of the generator and has variance 1")
def embedding_layer(n, d, generator):
    return nn.Embedding(n, d).weight.detach()


@wrong(NARROW)
def linear_layer(n, d, generator):
    return nn.init.kaiming_uniform_(torch.empty(n, d), a=5**0.5, generator=generator)


@wrong("the entries are cut down to whole numbers: they must stay floating-point numbers")
def whole_numbers(n, d, generator):
    return (torch.randn(n, d, generator=generator) / d**0.5).long()


@wrong("a list of vectors is returned: stack them into a tensor (n, d)")
def as_list(n, d, generator):
    return [torch.randn(d, generator=generator) / d**0.5 for _ in range(n)]


@wrong("two uniform numbers are added up, which is not normal yet: draw normal numbers (randn)")
def two_dice(n, d, generator):
    return (torch.rand(n, d, generator=generator) - torch.rand(n, d, generator=generator)) * (6 / d) ** 0.5


@wrong("large numbers are cut off: leave the normal numbers as they are drawn")
def clamped(n, d, generator):
    return torch.randn(n, d, generator=generator).clamp(-1.5, 1.5) / d**0.5


@wrong("the numbers are rounded: leave the normal numbers as they are drawn")
def rounded(n, d, generator):
    return torch.randn(n, d, generator=generator).round() / d**0.5


@wrong("the variance is 1/(2 d): it is 1/d")
def half(n, d, generator):
    return torch.randn(n, d, generator=generator) / (2 * d) ** 0.5


@wrong("softmax makes all numbers positive: they are normal numbers, half of them negative")
def softmax(n, d, generator):
    return torch.randn(n, d, generator=generator).softmax(1)


@wrong("all numbers are in one long row: give them the shape (n, d)")
def one_row(n, d, generator):
    return torch.randn(n * d, generator=generator) / d**0.5


@wrong("the vectors are float64: float32, torch's usual type, is that of the matrices that they meet later")
def doubles(n, d, generator):
    return torch.randn(n, d, generator=generator, dtype=torch.float64) / d**0.5


@wrong("the vectors are parameters: they are fixed, a plain tensor of random numbers")
def parameters(n, d, generator):
    return torch.nn.Parameter(torch.randn(n, d, generator=generator) / d**0.5)


@right
def by_normal(n, d, generator):
    return torch.normal(0.0, d**-0.5, (n, d), generator=generator)


@right
def row_by_row(n, d, generator):
    return torch.stack([torch.randn(d, generator=generator) * math.sqrt(1 / d) for _ in range(n)])


@right
def in_place(n, d, generator):
    return torch.empty(n, d).normal_(generator=generator).mul_(1 / d**0.5)


@right
def by_box_and_muller(n, d, generator):
    u, v = torch.rand(2, n, d, dtype=torch.float64, generator=generator).unbind()
    return ((-2 * torch.log1p(-u)).sqrt() * torch.cos(2 * torch.pi * v)).float() / d**0.5


@right
def by_numpy(n, d, generator):
    seed = int(torch.randint(0, 2**62, (), generator=generator))
    return torch.from_numpy(np.random.default_rng(seed).normal(0, np.sqrt(1 / d), (n, d))).float()
