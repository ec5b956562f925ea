"""Beam search (chapter 1, optional part)."""

import torch
from jaxtyping import Int
from torch import Tensor, nn


def beam_search(
    model: nn.Module,
    prompt: Int[Tensor, "T"],
    beams: int,
    max_new_tokens: int,
    no_repeat_ngram: int | None = None,
) -> list[tuple[Int[Tensor, "T_all"], float]]:
    """The `beams` most likely continuations that can be found by keeping that many alive at each step.

    Shapes: prompt (T,) -> a list of (tokens (T + max_new_tokens,), log-probability of the new tokens), best first and
    all distinct. With no_repeat_ngram = n no beam repeats n tokens in a row that it (or the prompt) already holds;
    probabilities are not renormalised for the ban. Source: Graves 2012; the ban: Paulus et al. 2017, section 2.5.
    """
    # solution
    n = no_repeat_ngram

    def banned(text: list[int]) -> list[int]:
        """Tokens that would complete n tokens in a row which the text already holds."""
        if n is None or len(text) < n:
            return []
        tail, starts = text[len(text) - n + 1 :], range(len(text) - n + 1)
        return [text[start + n - 1] for start in starts if text[start : start + n - 1] == tail]

    before = model.training
    model.eval()
    alive = [(prompt, 0.0)]
    with torch.no_grad():
        for _ in range(max_new_tokens):
            texts = torch.stack([tokens for tokens, _ in alive])
            logits = model(texts[:, -model.config.context_length :])[:, -1]
            totals = logits.log_softmax(dim=-1) + logits.new_tensor([[total] for _, total in alive])
            for beam, text in enumerate(texts.tolist()):
                totals[beam, banned(text)] = -torch.inf
            best = totals.flatten().topk(min(beams, totals.numel()))
            parents, tokens = best.indices // totals.shape[1], best.indices % totals.shape[1]
            alive = [
                (torch.cat([texts[parent], token[None].to(texts)]), total.item())
                for total, parent, token in zip(best.values, parents, tokens, strict=True)
                if total > -torch.inf
            ]
            if not alive:
                raise ValueError(f"Every continuation repeats {n} tokens: allow longer repeats.")
    model.train(before)
    return alive
    # end solution
