"""Further wrong answers to exercise 4.1: labels, what is returned, and the generator."""

from pathlib import Path

import torch

from utils.grade.mutants import wrong
from utils.grade.suite import load_file

pieces = load_file(Path(__file__).with_name("_pieces.py"))
sentences, result = pieces.sentences, pieces.result


@wrong("one flip decides the labels of the whole batch: each label is noise on its own")
def one_flip(*given, **named):
    return sentences(*given, **named, flips=lambda s: (s.rand()[:1] < s.alpha).expand(s.batch))


@wrong("the labels are noise with probability 1 - alpha instead of alpha")
def alpha_inverted(*given, **named):
    return sentences(*given, **named, flips=lambda s: s.rand() >= s.alpha)


@wrong("the first part of each batch is noise, the rest is not: every label must be drawn on its own")
def exact_share(*given, **named):
    return sentences(*given, **named, flips=lambda s: s.rows < round(s.alpha * s.batch))


@wrong("exactly a share alpha of each batch is noise: every label must be drawn on its own, however small the batch")
def share_in_any_order(*given, **named):
    def flips(s):
        return torch.randperm(s.batch, generator=s.generator) < round(s.alpha * s.batch)

    return sentences(*given, **named, flips=flips)


@wrong("labels are noise without noise too: alpha plays no part there")
def noise_without_noise(*given, **named):
    return sentences(*given, **named, result=lambda s: (s.tokens, torch.where(s.rand() < s.alpha, s.N - 1, s.y), s.y))


@wrong("the labels are never noise: in noisy sentences a label is the noise token with probability alpha")
def labels_clean(*given, **named):
    return sentences(*given, **named, result=lambda s: (s.tokens, s.y.clone(), s.y))


@wrong("whether a label is noise is decided by which pair comes first: draw it independently of the sentence")
def label_by_order(*given, **named):
    return sentences(*given, **named, flips=lambda s: s.p_tau < s.p)


@wrong("the outputs hold the labels: they are y also where the label is noise")
def outputs_are_labels(*given, **named):
    return sentences(*given, **named, result=lambda s: (lambda r: (r[0], r[1], r[1]))(result(s)))


@wrong("labels and outputs come in the wrong order: (tokens, labels, outputs)")
def returned_in_wrong_order(*given, **named):
    return sentences(*given, **named, result=lambda s: (lambda r: (r[0], r[2], r[1]))(result(s)))


@wrong("only tokens and labels are returned: return the outputs as well")
def without_outputs(*given, **named):
    return sentences(*given, **named)[:2]


@wrong("the tokens are floating-point numbers: ids are int64")
def float_tokens(*given, **named):
    return sentences(*given, **named, result=lambda s: (s.tokens.float(), *result(s)[1:]))


@wrong("the sentences of a batch come in a fixed order of triggers or outputs: draw each on its own")
def outputs_in_turn(*given, **named):
    return sentences(
        *given, **named, y=lambda s: (s.Q + s.Y + s.rows % (s.N - 1 - s.Q - s.Y)) if s.ood else s.Q + s.rows % s.Y
    )


@wrong("a draw is made without the generator: the same seed must give the same sentences")
def generator_ignored(*given, **named):
    return sentences(*given[:5], **{name: x for name, x in named.items() if name != "generator"})


@wrong("a draw is made without the generator: the same seed must give the same sentences")
def generator_half_used(*given, **named):
    return sentences(*given, **named, p=lambda s: torch.randint(0, s.H - 2, (s.batch,)))


@wrong("the random numbers are seeded at every call: every batch is the same")
def seeded_at_every_call(*given, **named):
    if named.get("generator") is None:
        return sentences(*given, **{**named, "generator": torch.Generator().manual_seed(0)})
    return sentences(*given, **{**named, "generator": named["generator"].manual_seed(0)})
