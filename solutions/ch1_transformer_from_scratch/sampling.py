"""From the logits of one position to a token (chapter 1)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def greedy(logits: Float[Tensor, "V"]) -> int:
    """The token with the largest logit; the first of them where several are equal.

    Shapes: logits (V,) -> a Python int.
    """
    # solution
    return int(logits.argmax())  # torch promises the first of several largest
    # end solution


def apply_temperature(logits: Float[Tensor, "V"], temperature: float) -> Float[Tensor, "V"]:
    """Sharpen (temperature below 1) or flatten (above 1) the distribution.

    Shapes: logits (V,) -> (V,), as a new tensor. Raises ValueError unless temperature > 0.
    """
    # solution
    if not temperature > 0:
        raise ValueError(f"The temperature must be above zero, but it is {temperature}.")
    return logits / temperature
    # end solution


def apply_frequency_penalty(
    tokens: Int[Tensor, "T"],
    logits: Float[Tensor, "V"],
    penalty: float,
) -> Float[Tensor, "V"]:
    """Lower each token's logit by `penalty` for every time it already occurs in `tokens`.

    Shapes: tokens (T,), logits (V,) -> (V,), as a new tensor: the caller's logits are untouched.
    Source: the frequency penalty of OpenAI's API reference.
    """
    # solution
    counts = torch.bincount(tokens, minlength=len(logits))
    return logits - penalty * counts
    # end solution


def sample_top_k(logits: Float[Tensor, "V"], k: int, generator: torch.Generator | None = None) -> int:
    """Draw from the k most likely tokens, with their probabilities renormalised.

    Shapes: logits (V,) -> a Python int. k above V means all. The generator is not reset between calls.
    Source: Fan, Lewis, Dauphin 2018, section 5.4.
    """
    # solution
    top = logits.topk(min(k, len(logits)))
    place = torch.multinomial(top.values.softmax(dim=-1), 1, generator=generator)
    return int(top.indices[place])
    # end solution


def sample_top_p(
    logits: Float[Tensor, "V"],
    p: float,
    generator: torch.Generator | None = None,
    min_tokens_to_keep: int = 1,
) -> int:
    """Draw from the smallest set of most likely tokens whose probability together reaches p (nucleus sampling).

    Shapes: logits (V,) -> a Python int. At least min_tokens_to_keep tokens stay in the set.
    Source: Holtzman et al. 2020, section 3.1.
    """
    # solution
    probabilities, order = logits.softmax(dim=-1).sort(descending=True, stable=True)
    short_of_p = int((probabilities.cumsum(dim=-1) < p).sum())
    kept = probabilities[: max(short_of_p + 1, min_tokens_to_keep)]
    place = torch.multinomial(kept, 1, generator=generator)
    return int(order[place])
    # end solution
