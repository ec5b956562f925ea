"""Hidden tests of exercise 5.28. The fixture perplexity is the function under test."""

import math
from collections import Counter

import torch

from utils.grade import close, equal, require


def bits(words):
    """The entropy of how often each word occurs."""
    counts = Counter(words.flatten().tolist())
    return -sum(n / words.numel() * math.log2(n / words.numel()) for n in counts.values())


def number(got):
    require(
        isinstance(got, float), f"perplexity must return a Python float, but it returns a {type(got).__name__}", got=got
    )
    return got


def test_known_cases(perplexity, draw):
    K = 5 + draw.index
    words = draw.permutation(4 * K) % K
    says = f"{K} words that are used equally often must give {K}"
    close(number(perplexity(words)), float(K), says, inputs={"words": words})
    says = "one word that is always used must give 1"
    close(number(perplexity(torch.full((7,), 3))), 1.0, says, inputs={"words": torch.full((7,), 3)})


def test_uneven_use(perplexity, draw):
    words = torch.cat([torch.full((20 + draw.index,), 9), draw.integers(0, 6, 15), torch.tensor([2, 2, 11])])
    words = words[draw.permutation(len(words))]
    says = "words of uneven use give another number: 2 to the entropy, in bits, of how often each one occurs"
    got = perplexity.call(words)
    close(number(got["result"]), 2 ** bits(words), says, inputs={"words": words})
    equal(got["args"][0], words, "the caller's words were changed")


def test_all_digits(perplexity):
    words = torch.tensor([0, 0, 0, 1])
    close(number(perplexity(words)), 2 ** bits(words), "the number is rounded: return it as it is", rtol=1e-6, atol=0)


def test_sentences(perplexity, draw):
    words = draw.integers(0, 4, 6, 3)
    words[:, 0] = 8
    says = "words (B, S) count together, whatever sentence and place they are in"
    close(number(perplexity(words)), 2 ** bits(words), says, inputs={"words": words})
