"""Wrong answers to exercise 1.17 that learners write, and right ones written differently."""

import torch

from utils.grade import right, slips

slip = slips("""
    def apply_temperature(logits, temperature):
        if not temperature > 0:
            raise ValueError("the temperature must be above 0")
        return logits / temperature
""")
DIVIDED = "logits / temperature"

multiplied = slip(
    "the logits are multiplied by the temperature: that sharpens where it should flatten",
    DIVIDED,
    "logits * temperature",
)
subtracted = slip(
    "the temperature has no effect on the differences between logits: divide by it", DIVIDED, "logits - temperature"
)
ignored = slip("the temperature is not used at all", DIVIDED, "logits.clone()")
PROBABILITIES = "probabilities are returned: return logits, the softmax comes later"
probabilities = slip(PROBABILITIES, DIVIDED, f"({DIVIDED}).softmax(-1)")
probabilities_to_a_power = slip(PROBABILITIES, DIVIDED, "logits.softmax(-1) ** (1 / temperature)")
divided_probabilities = slip(
    "the probabilities are divided by the temperature: divide the logits, before the softmax",
    DIVIDED, "logits.softmax(-1) / temperature",
)  # fmt: skip
squared = slip("the logits are divided by the square of the temperature", DIVIDED, f"{DIVIDED}**2")
square_root = slip("the logits are divided by the square root of the temperature", DIVIDED, f"{DIVIDED}**0.5")
power = slip(
    "the logits are raised to a power: that is right for probabilities, but logits are divided",
    DIVIDED, "logits.sign() * logits.abs() ** (1 / temperature)",
)  # fmt: skip
largest_only = slip(
    "only the largest logit is rescaled: the temperature acts on all",
    f"return {DIVIDED}", "changed = logits.clone()\n    changed[logits.argmax()] /= temperature\n    return changed",
)  # fmt: skip
at_least_one = slip(
    "temperatures below 1 are raised to 1, so nothing can be sharpened", DIVIDED, "logits / max(temperature, 1.0)"
)
at_most_one = slip(
    "temperatures above 1 are lowered to 1, so nothing can be flattened", DIVIDED, "logits / min(temperature, 1.0)"
)
clamped = slip(
    "the temperature is clamped: any temperature above zero is allowed",
    DIVIDED, "logits / min(max(temperature, 0.1), 10.0)",
)  # fmt: skip
offset = slip(
    "something is added to the temperature to avoid a division by zero, and it distorts small temperatures",
    DIVIDED, "logits / (temperature + 0.01)",
)  # fmt: skip
one_more = slip(
    "1 is added to the temperature: divide by the temperature itself", DIVIDED, "logits / (1 + temperature)"
)
same_at_one = slip(
    "at temperature 1 the caller's own tensor is returned: make a new one, as at any other temperature",
    f"return {DIVIDED}", f"return {DIVIDED} if temperature != 1 else logits",
)  # fmt: skip
rounded = slip("// rounds the quotients down to whole numbers: divide with /", DIVIDED, "logits // temperature")
in_place = slip(
    "the division is done in place, in the caller's logits",
    f"return {DIVIDED}", "logits /= temperature\n    return logits",
)  # fmt: skip
ERROR = 'if not temperature > 0:\n        raise ValueError("the temperature must be above 0")\n    '
no_error = slip("a temperature of zero or below must raise a ValueError, but nothing is raised", ERROR, "")
AND_NO_ERROR = ", and a temperature of zero or below raises no ValueError"  # often forgotten along with another mistake
multiplied_no_error = slip(
    "the logits are multiplied by the temperature: that sharpens where it should flatten" + AND_NO_ERROR,
    ERROR, "", DIVIDED, "logits * temperature",
)  # fmt: skip
probabilities_no_error = slip(PROBABILITIES + AND_NO_ERROR, ERROR, "", DIVIDED, f"({DIVIDED}).softmax(-1)")
divided_probabilities_no_error = slip(
    "the probabilities are divided by the temperature: divide the logits, before the softmax" + AND_NO_ERROR,
    ERROR, "", DIVIDED, "logits.softmax(-1) / temperature",
)  # fmt: skip
in_place_no_error = slip(
    "the division is done in place, in the caller's logits" + AND_NO_ERROR,
    ERROR, "", f"return {DIVIDED}", "logits /= temperature\n    return logits",
)  # fmt: skip
zero_allowed = slip(
    "a temperature of exactly zero must raise a ValueError too: the logits would be divided by it",
    "not temperature > 0", "temperature < 0",
)  # fmt: skip
asserted = slip(
    "a temperature of zero or below must raise a ValueError, not another kind of error",
    ERROR, "assert temperature > 0\n    ",
)  # fmt: skip
greedy_at_zero = slip(
    "a temperature of zero is treated as a special case: it must raise a ValueError, because greedy does that job",
    "if not", "if temperature == 0:\n        return torch.where(logits == logits.max(), 0.0, -torch.inf)\n    if not",
)  # fmt: skip


def positive(temperature):
    if temperature <= 0:
        raise ValueError(f"{temperature} is not above 0")
    return temperature


@right
def shifted(logits, temperature):
    return (logits - logits.max()) / positive(temperature)


@right
def normalised(logits, temperature):
    return torch.log_softmax(logits * (1 / positive(temperature)), dim=-1)


@right
def one_by_one(logits, temperature):
    return torch.tensor([logit / positive(temperature) for logit in logits.tolist()])


class NotAboveZero(ValueError):
    pass


@right
def error_of_its_own(logits, temperature):
    if temperature <= 0:
        raise NotAboveZero(temperature)
    return logits / temperature
