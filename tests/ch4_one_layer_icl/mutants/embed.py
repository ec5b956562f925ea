"""Wrong answers to exercise 4.2 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong


def joined(tokens, cfg, previous):
    """One-hot tokens beside one-hot tokens before; -1 stands for none."""
    eye = torch.cat([torch.eye(cfg.vocab_size), torch.zeros(1, cfg.vocab_size)])
    return torch.cat([eye[tokens], eye[previous]], -1)


def shifted(tokens, fill=-1):
    return F.pad(tokens, (1, 0), value=fill)[:, :-1]


@wrong("position 0 is given the last token of the sentence as the one before it: torch.roll wraps round")
def rolls_round(tokens, cfg):
    return joined(tokens, cfg, tokens.roll(1, 1))


@wrong("position 0 of a sentence is given the last token of the sentence above it in the batch")
def rolls_through_the_batch(tokens, cfg):
    previous = shifted(tokens.flatten()[None]).reshape(tokens.shape)
    return joined(tokens, cfg, previous)


@wrong("the last N columns hold the next token: shift in the other direction")
def next_token(tokens, cfg):
    return joined(tokens, cfg, F.pad(tokens, (0, 1), value=-1)[:, 1:])


@wrong("the last N columns hold the next token, and wrap round at the end: shift in the other direction")
def next_token_rolled(tokens, cfg):
    return joined(tokens, cfg, tokens.roll(-1, 1))


@wrong("position 0 is given token 0 as the one before it: padding isn't a token, so leave the columns zero")
def pads_with_token_0(tokens, cfg):
    return joined(tokens, cfg, shifted(tokens, 0))


@wrong("position 0 is given the last token of the vocabulary as the one before it: leave the columns zero")
def pads_with_the_last_token(tokens, cfg):
    return joined(tokens, cfg, shifted(tokens, cfg.vocab_size - 1))


@wrong("position 0 is given itself as the token before it: leave the columns zero")
def first_is_its_own_past(tokens, cfg):
    return joined(tokens, cfg, torch.cat([tokens[:, :1], tokens[:, :-1]], 1))


@wrong("the halves are exchanged: the current token belongs in the first N columns")
def halves_exchanged(tokens, cfg):
    return joined(tokens, cfg, shifted(tokens)).roll(cfg.vocab_size, -1)


@wrong("the halves are added instead of put side by side: there are 2N columns")
def halves_added(tokens, cfg):
    return sum(joined(tokens, cfg, shifted(tokens)).chunk(2, -1))


@wrong("the token before is that of two positions back")
def two_back(tokens, cfg):
    return joined(tokens, cfg, shifted(shifted(tokens)))


@wrong("both halves hold the current token")
def current_twice(tokens, cfg):
    return joined(tokens, cfg, tokens)


@wrong("the token before is missing: the last N columns are all zero")
def no_previous(tokens, cfg):
    return joined(tokens, cfg, tokens.new_full(tokens.shape, -1))


@wrong("position 0 is left all zero: it lacks the token before, but it has a current token")
def first_position_empty(tokens, cfg):
    x = joined(tokens, cfg, shifted(tokens))
    x[:, 0] = 0
    return x


@wrong("position 0 is cut off because it has no token before it: T positions come out")
def first_position_missing(tokens, cfg):
    return joined(tokens, cfg, shifted(tokens))[:, 1:]


@wrong("the one-hot vectors stay integers, which no matrix of weights can multiply: make them floating-point")
def integers(tokens, cfg):
    return joined(tokens, cfg, shifted(tokens)).long()


@wrong("the vectors are of type float64, which the weights, float32, cannot multiply: take torch's default float type")
def doubles(tokens, cfg):
    return joined(tokens, cfg, shifted(tokens)).double()


@wrong("torch.roll without an axis runs through the whole batch, or along the wrong axis: shift along the positions")
def rolls_everything(tokens, cfg):
    return torch.cat([(x := joined(tokens, cfg, shifted(tokens))[..., : cfg.vocab_size]), x.roll(1)], -1)


@wrong("the two ones are interleaved: the current token's N columns come first, then those of the token before")
def interleaved(tokens, cfg):
    return torch.stack(joined(tokens, cfg, shifted(tokens)).chunk(2, -1), -1).flatten(-2)


@wrong("the number of positions is read from cfg.H: take it from the tokens")
def length_from_cfg(tokens, cfg):
    x = torch.zeros(len(tokens), cfg.H, 2 * cfg.vocab_size)
    x[:, : tokens.shape[1]] = joined(tokens, cfg, shifted(tokens))
    return x


@wrong("the number of positions is read from cfg.H: take it from the tokens")
def loops_to_cfg_length(tokens, cfg):
    rows = torch.arange(len(tokens))
    x = torch.zeros(*tokens.shape, 2 * cfg.vocab_size)
    for h in range(cfg.H):
        x[rows, h, tokens[:, h]] = 1
    return x


@wrong("the vocabulary is measured on the tokens of the batch: take N from cfg")
def vocabulary_from_tokens(tokens, cfg):
    current = F.one_hot(tokens).float()
    return torch.cat([current, F.pad(current, (0, 0, 1, 0))[:, :-1]], -1)


@wrong("each row is divided by the number of its tokens: the two ones stay ones")
def normalised(tokens, cfg):
    x = joined(tokens, cfg, shifted(tokens))
    return x / x.sum(-1, keepdim=True)


@wrong("the shift runs over the batch instead of the positions: the token before comes from the same sentence")
def shifts_the_batch(tokens, cfg):
    return joined(tokens, cfg, shifted(tokens.T).T)


@wrong("the caller's tokens are changed by the shift: work on a copy")
def changes_the_tokens(tokens, cfg):
    x = joined(tokens, cfg, shifted(tokens))
    tokens[:, 1:] = tokens[:, :-1].clone()
    return x


@right
def by_scatter(tokens, cfg):
    x = torch.zeros(*tokens.shape, 2 * cfg.vocab_size)
    x.scatter_(2, tokens[..., None], 1.0)
    x[:, 1:].scatter_(2, tokens[:, :-1, None] + cfg.vocab_size, 1.0)
    return x


@right
def one_class_more(tokens, cfg):
    N = cfg.vocab_size
    previous = F.one_hot(F.pad(tokens + 1, (1, 0))[:, :-1], N + 1)[..., 1:]
    return torch.cat([F.one_hot(tokens, N), previous], -1).float()


@right
def rolled_and_cleared(tokens, cfg):
    current = F.one_hot(tokens, cfg.vocab_size).to(torch.get_default_dtype())
    previous = torch.roll(current, 1, dims=1)
    previous[:, 0] = 0.0
    return torch.cat((current, previous), dim=2)


@right
def with_a_loop(tokens, cfg):
    rows = []
    for h in range(tokens.size(1)):
        before = F.one_hot(tokens[:, h - 1], cfg.vocab_size) if h else torch.zeros(len(tokens), cfg.vocab_size)
        rows.append(torch.hstack([F.one_hot(tokens[:, h], cfg.vocab_size), before]))
    return torch.stack(rows, 1).float()
