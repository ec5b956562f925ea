"""Sequences of the bigram task: triggers, their outputs, and everything else from the bigram table (chapter 2)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def sample_triggers(
    pi_u: Float[Tensor, "V"], k: int, batch: int, fixed: bool, no_repeat: bool, generator: torch.Generator
) -> tuple[Int[Tensor, "B k"], Int[Tensor, "B k"]]:
    """For each sequence, k different triggers and an output for each of them.

    Shapes: pi_u (V,) -> triggers (B, k), outputs (B, k), int64. `fixed`: the k most frequent tokens for every
    sequence; otherwise drawn from pi_u, one after the other without replacement. Outputs are uniform and independent;
    with `no_repeat`, uniform over the V - 1 tokens that are not their own trigger.
    Source: Bietti et al. 2023.
    """
    # solution
    V = len(pi_u)
    if fixed:
        triggers = pi_u.topk(k).indices.expand(batch, k)
    else:  # the k that ring first, where token i waits an exponential time of rate pi_u[i]
        waits = torch.empty(batch, V, dtype=pi_u.dtype).exponential_(generator=generator) / pi_u
        triggers = waits.topk(k, largest=False).indices
    if no_repeat:
        outputs = torch.randint(V - 1, (batch, k), generator=generator)
        outputs = outputs + (outputs >= triggers).long()  # step over the trigger: V - 1 tokens, all equally likely
    else:
        outputs = torch.randint(V, (batch, k), generator=generator)
    return triggers, outputs
    # end solution


def sample_sequences(
    pi_u: Float[Tensor, "V"],
    pi_b: Float[Tensor, "V V"],
    triggers: Int[Tensor, "B k"],
    outputs: Int[Tensor, "B k"],
    seq_len: int,
    generator: torch.Generator,
) -> Int[Tensor, "B T_plus_1"]:
    """Draw one sequence a row: after a trigger comes its output, after any other token a draw from its bigram row.

    Shapes: triggers and outputs (B, k), k may be 0 -> tokens (B, seq_len + 1), int64; the first follows pi_u.
    Source: Bietti et al. 2023.
    """
    # solution
    B, V = len(triggers), len(pi_u)
    cdf = pi_b.cumsum(dim=1)
    cdf = cdf / cdf[:, -1:]  # ends in exactly 1, so that no draw falls beyond it
    forced = torch.full((B, V), -1).scatter(1, triggers, outputs)  # what token i is followed by in this row; -1: free

    start = torch.multinomial(pi_u, B, replacement=True, generator=generator)
    tokens = [start]
    for u in torch.rand(seq_len, B, 1, dtype=cdf.dtype, generator=generator):
        last = tokens[-1]
        free = torch.searchsorted(cdf[last], u, right=True).squeeze(1)  # inverse of the cumulative distribution
        output = forced.gather(1, last[:, None]).squeeze(1)
        tokens.append(torch.where(output >= 0, output, free))
    return torch.stack(tokens, dim=1)
    # end solution
