"""Wrong answers to exercise 5.28 that learners write, and right ones written differently."""

import math
from collections import Counter

import torch

from utils.grade import right, slips

slip = slips(
    """
    def perplexity(words):
        counts = torch.unique(words, return_counts=True)[1].double()
        share = counts / counts.sum()
        bits = -(share * share.log2()).sum()
        return float(2**bits)
    """
)

softmax_of_counts = slip(
    "the counts go through a softmax as if they were logits: a share is a count over the total",
    "counts / counts.sum()", "counts.softmax(0)",
)  # fmt: skip
entropy_itself = slip("the entropy itself is returned: raise 2 to it", "2**bits", "bits")
base_e = slip("bits are mixed with the base e: raise 2 to the bits", "2**bits", "bits.exp()")
nats = slip("nats are mixed with the base 2: take logarithms to the base 2", "log2()", "log()")
number_of_words = slip(
    "it counts the different words: those that are used often must weigh more", "2**bits", "len(counts)"
)
per_sentence = slip(
    "each sentence has its own entropy, and their mean is taken: all words count together",
    "counts = torch.unique(words, return_counts=True)[1].double()",
    "if words.ndim > 1:\n        return sum(perplexity(row) for row in words) / len(words)\n"
    "    counts = torch.unique(words, return_counts=True)[1].double()",
)  # fmt: skip
sign = slip("the sign of the entropy is missing, so that more words give less", "-(share", "(share")
inverse_square = slip(
    "one over the sum of squared shares: that is another count of words, not 2 to the entropy",
    "float(2**bits)", "float(1 / share.square().sum())",
)  # fmt: skip
as_tensor = slip("the result is a tensor: return a Python float", "float(2**bits)", "2**bits")
zero_counts = slip(
    "words that never occur count with share 0, and 0 * log 0 is nan: leave them out",
    "torch.unique(words, return_counts=True)[1].double()", "torch.bincount(words.flatten(), minlength=32).double()",
)  # fmt: skip
sorted_in_place = slip(
    "the caller's words are sorted in place: work on a copy",
    "counts = torch.unique(words,",
    "words.copy_(words.flatten().sort().values.view_as(words))\n    counts = torch.unique(words,",
)  # fmt: skip
rounded = slip("the result is rounded: return it as it is", "float(2**bits)", "float(round(float(2**bits)))")
whole_sentences = slip(
    "whole sentences are counted: count single words",
    "torch.unique(words, return_counts",
    "torch.unique(words, dim=0, return_counts",
)
over_the_sentences = slip(
    "the counts are divided by the number of sentences: divide by that of all words",
    "counts / counts.sum()",
    "counts / len(words)",
)
runs = slip(
    "only neighbours that are equal count as one word: words may come back later",
    "torch.unique(words, return_counts=True)", "words.flatten().unique_consecutive(return_counts=True)",
)  # fmt: skip
word_zero = slip(
    "word 0 is left out: it is a word like the others",
    "torch.unique(words, return",
    "torch.unique(words[words > 0], return",
)
mean_of_terms = slip(
    "the mean of the terms is taken: the entropy is their sum",
    "-(share * share.log2()).sum()",
    "-(share * share.log2()).mean()",
)
one_axis_only = slip(
    "words is taken to have one axis: it may be (B, W)",
    "torch.unique(words, return_counts=True)[1].double()",
    "torch.bincount(words).double()\n    counts = counts[counts > 0]",
)  # fmt: skip
all_numbers = slip(
    "words that never occur are counted as well, and 0 times log 0 is nan: count only those that occur",
    "torch.unique(words, return_counts=True)[1].double()", "torch.bincount(words.flatten()).double()",
)  # fmt: skip
over_places = slip(
    "the entropy is divided by the number of places: all sentences and places are taken together",
    "float(2**bits)", "float(2 ** (bits / words.shape[-1]))",
)  # fmt: skip
place_by_place = slip(
    "the places' perplexities are averaged: all sentences and places are taken together",
    "counts = torch.unique(words, return_counts=True)[1].double()",
    "if words.ndim > 1:\n        return sum(perplexity(w) for w in words.unbind(-1)) / words.shape[-1]\n"
    "    counts = torch.unique(words, return_counts=True)[1].double()",
)  # fmt: skip
mean_of_logarithms = slip(
    "the logarithms are averaged as if every word counted alike: weight each by its share",
    "(share * share.log2()).sum()", "share.log2().mean()",
)  # fmt: skip
ten_to_the = slip("10 is raised to the entropy in bits: take 2", "2**bits", "10**bits")
largest_number = slip("the largest word number plus 1 is returned", "float(2**bits)", "float(words.max() + 1)")
entropy_squared = slip("the entropy is squared: 2 is raised to it", "2**bits", "bits**2")
two_axes_only = slip(
    "words is taken to have two axes: it may have any number",
    "counts = torch",
    "n, W = words.shape\n    counts = torch",
)
three_digits = slip(
    "the number is cut to a few digits: return it as it is", "float(2**bits)", "round(float(2**bits), 4)"
)


@right
def by_counter(words):
    counts = Counter(words.flatten().tolist())
    n = words.numel()
    return math.exp(-sum(c / n * math.log(c / n) for c in counts.values()))


@right
def by_bincount(words):
    counts = torch.bincount(words.reshape(-1)).double()
    p = counts[counts > 0] / words.numel()
    return torch.special.entr(p).sum().exp().item()
