"""Wrong answers to exercise 1.17 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


@wrong("the logits are multiplied by the temperature: that sharpens where it should flatten")
def multiplied(logits, temperature):
    return logits * temperature


@wrong("the temperature has no effect on the differences between logits: divide by it")
def subtracted(logits, temperature):
    return logits - temperature


@wrong("the temperature is not used at all")
def ignored(logits, temperature):
    return logits.clone()


@wrong("probabilities are returned: return logits, the softmax comes later")
def probabilities(logits, temperature):
    return (logits / temperature).softmax(-1)


@wrong("the probabilities are divided by the temperature: divide the logits, before the softmax")
def divided_probabilities(logits, temperature):
    return logits.softmax(-1) / temperature


@wrong("the logits are divided by the square of the temperature")
def squared(logits, temperature):
    return logits / temperature**2


@wrong("the logits are divided by the square root of the temperature")
def square_root(logits, temperature):
    return logits / temperature**0.5


@wrong("the logits are raised to a power: only probabilities are, for logits it is a division")
def power(logits, temperature):
    return logits.sign() * logits.abs() ** (1 / temperature)


@wrong("only the largest logit is rescaled: the temperature acts on all")
def largest_only(logits, temperature):
    changed = logits.clone()
    changed[logits.argmax()] /= temperature
    return changed


@wrong("temperatures below 1 are raised to 1, so that nothing can be sharpened")
def at_least_one(logits, temperature):
    return logits / max(temperature, 1.0)


@wrong("temperatures above 1 are lowered to 1, so that nothing can be flattened")
def at_most_one(logits, temperature):
    return logits / min(temperature, 1.0)


@wrong("the temperature is kept within limits: any temperature above zero is allowed")
def clamped(logits, temperature):
    return logits / min(max(temperature, 0.1), 10.0)


@wrong("something is added to the temperature against a division by zero, and distorts small temperatures")
def offset(logits, temperature):
    return logits / (temperature + 0.01)


@wrong("the division is done in place, in the caller's logits")
def in_place(logits, temperature):
    logits /= temperature
    return logits


@wrong("probabilities are returned: return logits, the softmax comes later")
def probabilities_to_a_power(logits, temperature):
    return logits.softmax(-1) ** (1 / temperature)


@wrong("// rounds the quotients down to whole numbers: divide with /")
def rounded(logits, temperature):
    return logits // temperature


@wrong("1 is added to the temperature: divide by the temperature itself")
def one_more(logits, temperature):
    return logits / (1 + temperature)


@right
def shifted(logits, temperature):
    return (logits - logits.max()) / temperature


@right
def normalised(logits, temperature):
    return torch.log_softmax(logits * (1 / temperature), dim=-1)


@right
def one_by_one(logits, temperature):
    return torch.tensor([logit / temperature for logit in logits.tolist()])
