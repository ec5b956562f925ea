"""Wrong answers to exercise 5.4 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F

from utils.grade import right, slips

slip = slips("""
    def ideal_observer(lib, masked, scenes, prior):
        results = []
        for board in masked:
            hidden, background = board == lib.unk, board < lib.n_bg
            seen = torch.where(background, -1, board).to(scenes.dtype)
            possible = ((scenes == seen) | hidden).all(dim=1)
            weight = prior * possible
            if weight.sum() == 0:
                raise ValueError("no scene fits")
            weight = weight / weight.sum()
            result = torch.zeros(len(board), lib.vocab)
            for token in range(lib.n_bg, lib.unk):
                result[:, token] = weight @ (scenes == token).float()
            if background.any():
                colours = F.one_hot(board[background][0], lib.n_bg).float()
            else:
                colours = torch.full((lib.n_bg,), 1 / lib.n_bg)
            result[:, :lib.n_bg] = (weight @ (scenes == -1).float())[:, None] * colours
            results.append(result)
        return torch.stack(results)
""")

NoPrior = slip(
    "the prior is not used: scenes that agree are not equally likely",
    "weight = prior * possible",
    "weight = possible.float()",
)
NotNormalised = slip(
    "the weights of the scenes that remain are not normalised: divide by their sum",
    "weight = weight / weight.sum()", "pass",
)  # fmt: skip
BackgroundUnknown = slip(
    "the background's colour is spread evenly although a visible cell shows it", "if background.any():", "if False:"
)
FirstColour = slip(
    "where no background cell is visible, one colour is chosen: all are equally likely",
    "torch.full((lib.n_bg,), 1 / lib.n_bg)", "F.one_hot(torch.tensor(0), lib.n_bg).float()",
)  # fmt: skip
BackgroundIgnored = slip(
    "visible background cells rule nothing out: a scene with an object there is impossible",
    "((scenes == seen) | hidden)", "((scenes == seen) | hidden | background)",
)  # fmt: skip
OnlyBackground = slip(
    "visible object cells rule nothing out: only scenes with this token there are possible",
    "((scenes == seen) | hidden)", "((scenes == seen) | (board >= lib.n_bg))",
)  # fmt: skip
AnyCell = slip(
    "a scene counts as soon as one cell agrees: all visible cells must", "| hidden).all(dim=1)", "| hidden).any(dim=1)"
)
BestScene = slip(
    "only the most likely scene is kept: the cells of all that remain must be mixed by their weights",
    "weight = weight / weight.sum()", "weight = F.one_hot(weight.argmax(), len(weight)).float()",
)  # fmt: skip
CellByCell = slip(
    "each cell is judged by the prior alone: the visible cells must change what the hidden ones may be",
    "weight = weight / weight.sum()", "weight = torch.where(hidden.any(), prior, weight / weight.sum())",
)  # fmt: skip
NoRefusal = slip(
    "a board that no scene explains gives numbers: raise a ValueError",
    'raise ValueError("no scene fits")',
    "weight = prior",
)
UnkGetsRest = slip(
    "UNK gets the probability of the background: a hidden cell is never really UNK",
    "result[:, :lib.n_bg] = (weight @ (scenes == -1).float())[:, None] * colours",
    "result[:, lib.unk] = weight @ (scenes == -1).float()",
)  # fmt: skip
LastToken = slip(
    "the last object token is left out: range ends one before its end already",
    "range(lib.n_bg, lib.unk)", "range(lib.n_bg, lib.unk - 1)",
)  # fmt: skip
SoftmaxPrior = slip(
    "the weights go through a softmax: divide them by their sum",
    "weight = weight / weight.sum()", "weight = torch.where(possible, weight, float('-inf')).softmax(0)",
)  # fmt: skip
NoOneColour = slip(
    "the background's probability is not shared among the colours: each of the n_bg has its part",
    "torch.full((lib.n_bg,), 1 / lib.n_bg)", "torch.full((lib.n_bg,), 1.0)",
)  # fmt: skip
AllTokensShare = slip(
    "the background's probability is shared among all tokens: among the n_bg background tokens",
    "torch.full((lib.n_bg,), 1 / lib.n_bg)", "torch.full((lib.n_bg,), 1 / lib.vocab)",
)  # fmt: skip
TokenAfter = slip(
    "every object token's probability is one column too far right", "result[:, token] =", "result[:, token + 1] ="
)
NoUnkColumn = slip(
    "the column of UNK is missing: there are V of them, and that of UNK is 0",
    "return torch.stack(results)", "return torch.stack(results)[..., :-1]",
)  # fmt: skip
Logarithms = slip(
    "logarithms of the probabilities are returned: return the probabilities",
    "return torch.stack(results)", "return torch.stack(results).log()",
)  # fmt: skip
FirstBoardOnly = slip(
    "every board gets the posterior of the first one",
    "for board in masked:",
    "for board in masked[:1].expand_as(masked):",
)
FirstCellsOnly = slip(
    "only the first half of the cells is compared: all visible ones count",
    "| hidden).all(dim=1)", "| hidden)[:, : len(board) // 2].all(dim=1)",
)  # fmt: skip
SameObjectsNormalised = slip(
    "object tokens are normalised among themselves: the background has its share as well",
    "result[:, token] = weight @ (scenes == token).float()",
    "result[:, token] = weight @ (scenes == token).float() / (weight @ (scenes >= 0).float()).clamp(min=1e-9)",
)  # fmt: skip
Quiet = slip(
    "a board that no scene explains gives nan: raise a ValueError",
    'if weight.sum() == 0:\n            raise ValueError("no scene fits")\n        ', "",
)  # fmt: skip
ColourOfAnother = slip(
    "a board without a visible background takes the colour of the board before: all are equally likely",
    "colours = torch.full((lib.n_bg,), 1 / lib.n_bg)",
    "seen_before = masked[masked < lib.n_bg]\n            colours = F.one_hot(seen_before[0], "
    "lib.n_bg).float() if len(seen_before) else torch.full((lib.n_bg,), 1 / lib.n_bg)",
)  # fmt: skip
FromTheOtherSide = slip(
    "a token equal to n_bg counts as background: it is the first object token", "board < lib.n_bg", "board <= lib.n_bg"
)
Counted = slip(
    "the scenes that agree are counted: add up their weights",
    "weight @ (scenes == token).float()", "(scenes[possible] == token).float().mean(0)",
)  # fmt: skip
ColourOfFirstCell = slip(
    "the background's colour is read from the first cell, whatever it shows: look for a visible background cell",
    "result[:, :lib.n_bg] = (weight @ (scenes == -1).float())[:, None] * colours",
    "result[:, board[0]] = weight @ (scenes == -1).float()",
)  # fmt: skip
CertainColour = slip(
    "a visible background counts as certain in every cell: multiply by the probability that the cell is background",
    "result[:, :lib.n_bg] = (weight @ (scenes == -1).float())[:, None] * colours",
    "result[:, :lib.n_bg] = colours * (1 if background.any() else (weight @ (scenes == -1).float())[:, None])",
)  # fmt: skip
HiddenOnly = slip(
    "visible cells get no probabilities: each shows its own token with certainty",
    "results.append(result)", "result[~hidden] = 0\n        results.append(result)",
)  # fmt: skip
PriorChanged = slip(
    "the caller's prior is changed: work on a copy",
    "weight = prior * possible", "prior[~possible] = 0\n        weight = prior.clone()",
)  # fmt: skip
ZerosForNone = slip(
    "a board that no scene explains gives zeros: raise a ValueError",
    'raise ValueError("no scene fits")', "weight = prior * 0 + 1e-30",
    "weight = weight / weight.sum()", "weight = weight / weight.sum() * (weight.sum() > 1e-20)",
)  # fmt: skip
FlooredLogarithms = slip(
    "logarithms of the probabilities are returned: return the probabilities",
    "return torch.stack(results)", "return torch.stack(results).clamp(min=1e-9).log()",
)  # fmt: skip
SingleColourCell = slip(
    "a single visible background cell is not enough for the colour: it tells it everywhere",
    "if background.any():", "if background.sum() > 1:",
)  # fmt: skip
ColoursCompared = slip(
    "visible background cells are compared by their colour: in the scenes every background is -1",
    "torch.where(background, -1, board).to(scenes.dtype)", "board.to(scenes.dtype)",
)  # fmt: skip
SharedByOneMore = slip(
    "the background's probability is shared by n_bg + 1 colours: there are n_bg",
    "torch.full((lib.n_bg,), 1 / lib.n_bg)", "torch.full((lib.n_bg,), 1 / (lib.n_bg + 1))",
)  # fmt: skip
MostLikelyToken = slip(
    "only the most likely token of a cell is told: give the probability of each token",
    "return torch.stack(results)", "return F.one_hot(torch.stack(results).argmax(-1), lib.vocab).float()",
)  # fmt: skip


@right
def with_every_background(lib, masked, scenes, prior):
    """Templates with every background, and one big comparison."""
    colours = torch.arange(lib.n_bg)[:, None, None]
    whole = torch.where(scenes.long() < 0, colours, scenes.long()).flatten(0, 1)
    weight = prior.repeat(lib.n_bg)
    fits = ((whole[None] == masked[:, None]) | (masked == lib.unk)[:, None]).all(-1)
    posterior = fits * weight
    if (posterior.sum(1) == 0).any():
        raise ValueError("impossible")
    posterior = posterior / posterior.sum(1, keepdim=True)
    return torch.einsum("bs,stv->btv", posterior, F.one_hot(whole, lib.vocab).float())


@right
def by_scatter(lib, masked, scenes, prior):
    out = torch.zeros(*masked.shape, lib.vocab)
    for b, board in enumerate(masked):
        keep = torch.ones(len(scenes), dtype=torch.bool)
        for t, token in enumerate(board.tolist()):
            if token != lib.unk:
                keep &= scenes[:, t] == (-1 if token < lib.n_bg else token)
        weight = prior[keep]
        if weight.numel() == 0:
            raise ValueError("no scene")
        weight = weight / weight.sum()
        seen = [token for token in board.tolist() if token < lib.n_bg]
        for background in seen[:1] or range(lib.n_bg):
            share = 1.0 if seen else 1 / lib.n_bg
            tokens = scenes[keep].long()
            tokens = torch.where(tokens < 0, background, tokens)
            out[b].scatter_add_(1, tokens.T, share * weight.expand(len(board), -1))
    return out
