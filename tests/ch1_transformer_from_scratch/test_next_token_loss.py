"""Hidden tests of exercise 1.12: mean cross-entropy of token t+1 under the logits at t."""

import math

import torch
import torch.nn.functional as F

from utils.grade import close, equal

B, T, V = 3, 5, 7


def probe_gradient(next_token_loss, logits, tokens):
    """The gradient of the loss with respect to the logits, or why there is none."""
    logits.requires_grad_()
    loss = next_token_loss(logits, tokens)
    if not torch.is_tensor(loss) or not loss.requires_grad:
        return None
    loss.backward()
    return logits.grad


def inputs(draw):
    tokens = draw.integers(0, V, B, T + draw.index)
    tokens[0, 1:3] = torch.tensor([0, V - 1])  # the first and the last token are targets like any other
    return draw.normal(B, T + draw.index, V, std=2), tokens


def surprise(logits, target):
    """The oracle for one target, a number: -log p of it, from a list of V logits."""
    return math.log(sum(math.exp(x) for x in logits)) - logits[target]


def test_uniform_guess(next_token_loss, draw):
    logits, tokens = inputs(draw)
    flat = torch.full_like(logits, 0.7)
    says = f"equal logits are a uniform guess among V = {V} tokens, whatever the targets: the loss must be log V"
    close(next_token_loss(flat, tokens), math.log(V), says, name="the loss")


def test_matches_a_loop_over_targets(next_token_loss, draw):
    logits, tokens = inputs(draw)
    says = "the loss differs from the mean of -log p(token t+1) under the logits at t"
    places = [(b, t) for b in range(B) for t in range(tokens.shape[1] - 1)]
    expected = sum(surprise(logits[b, t].tolist(), int(tokens[b, t + 1])) for b, t in places) / len(places)
    close(next_token_loss(logits, tokens), expected, says, inputs={"tokens": tokens})


def test_inputs_are_left_alone(next_token_loss, draw):
    logits, tokens = inputs(draw)
    after = next_token_loss.call(logits, tokens)["args"]
    close(after[0], logits, "the caller's logits are different after the call")
    equal(after[1], tokens, "the caller's tokens are different after the call")


def test_gradient(next_token_loss, draw):
    logits, tokens = inputs(draw)
    gradient = next_token_loss.run(probe_gradient, logits, tokens)
    expected = logits[:, :-1].softmax(-1) - F.one_hot(tokens[:, 1:], V)
    expected = F.pad(expected / (B * (tokens.shape[1] - 1)), (0, 0, 0, 1))
    says = "the gradient that reaches the logits is missing or wrong, so the model would not learn"
    close(gradient, expected, says, name="the gradient of the loss")


def test_certain_and_wrong(next_token_loss, draw):
    logits, tokens = inputs(draw)
    logits += 100.0  # the same number for all changes nothing
    rest = F.one_hot(tokens[:, 1:], V).logical_not()
    logits[:, :-1] += 60.0 * rest  # each target is almost impossible
    places = [(b, t) for b in range(B) for t in range(tokens.shape[1] - 1)]
    expected = sum(
        torch.logsumexp(logits[b, t].double(), 0).item() - logits[b, t, tokens[b, t + 1]].item() for b, t in places
    )
    says = "for a model that is certain and wrong the loss is large: it has no limit, and it must not overflow"
    close(next_token_loss(logits, tokens), expected / len(places), says, name="the loss")
