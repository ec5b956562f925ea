"""Writing on from a prompt, one token at a time (chapter 1)."""

from collections.abc import Callable

import torch
from jaxtyping import Int
from torch import Tensor, nn

from .sampling import greedy


def generate(
    model: nn.Module,
    prompt: Int[Tensor, "T"],
    max_new_tokens: int,
    sample: Callable[[Tensor], int] = greedy,
    stop: int | None = None,
) -> Int[Tensor, "T_all"]:
    """Append up to `max_new_tokens` tokens to the prompt; `sample` chooses each one from the logits (V,).

    Shapes: prompt (T,) -> (T + new,). The model reads the last context_length tokens at most. Generation ends
    early after the token `stop`, which is kept. It runs in eval mode without gradients; the mode before is restored.
    """
    # solution
    before = model.training
    model.eval()
    tokens = prompt
    with torch.no_grad():
        for _ in range(max_new_tokens):
            window = tokens[-model.config.context_length :]
            token = sample(model(window[None])[0, -1])
            tokens = torch.cat([tokens, tokens.new_tensor([token])])
            if token == stop:
                break
    model.train(before)
    return tokens
    # end solution
