"""Hidden tests of exercise 1.18: each token's logit falls by penalty times its count."""

import torch

from utils.grade import close, equal

V = 13


def expected(tokens, logits, penalty):
    """The oracle for one row of the vocabulary at a time: what is left of each logit, in a list."""
    seen = tokens.tolist()
    return [x - penalty * seen.count(token) for token, x in enumerate(logits.tolist())]


def test_token_seen_once(apply_frequency_penalty, draw):
    logits, tokens = draw.normal(V, std=2), draw.permutation(V - 1)[:5]
    tokens[2] = V - 1
    says = "the logits of the tokens that occur must fall by the penalty, and no other logit may change"
    close(apply_frequency_penalty(tokens, logits, 1.5), expected(tokens, logits, 1.5), says, inputs={"tokens": tokens})


def test_repeated_tokens(apply_frequency_penalty, draw):
    logits, order = draw.normal(V, std=2), draw.permutation(V - 1)
    order[1] = V - 1
    tokens = order[[0, 1, 0, 2, 0, 1, 0]]
    penalty = 0.7 + draw.index
    says = "a token must lose the penalty once for every time that it occurs"
    got = apply_frequency_penalty(tokens, logits, penalty)
    close(got, expected(tokens, logits, penalty), says, inputs={"tokens": tokens})


def test_only_small_ids_seen(apply_frequency_penalty, draw):
    logits, tokens = draw.normal(V, std=2), draw.integers(0, 4, 9)
    says = "the result is wrong when the text holds only small token ids"
    close(apply_frequency_penalty(tokens, logits, 2.0), expected(tokens, logits, 2.0), says, inputs={"tokens": tokens})


def test_empty_text(apply_frequency_penalty, draw):
    logits, none = draw.normal(V, std=2), torch.zeros(0, dtype=torch.int64)
    close(apply_frequency_penalty(none, logits, 2.0), logits, "an empty text holds nothing to penalise")


def test_logits_are_left_alone(apply_frequency_penalty, draw):
    logits, tokens = draw.normal(V, std=2), draw.integers(0, V, 9)
    after = apply_frequency_penalty.call(tokens, logits, 1.5)["args"]
    close(after[1], logits, "the caller's logits are different after the call")
    equal(after[0], tokens, "the caller's tokens are different after the call")
