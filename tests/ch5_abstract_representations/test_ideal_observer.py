"""Hidden tests of exercise 5.4: Bayes' rule over a short list of scenes, worked out scene by scene."""

from pathlib import Path

import torch

from utils.grade import close, equal, load_file, raises, require, takes_along

stand_in = load_file(Path(__file__).with_name("_stand_in.py"))
a_library = stand_in.a_library
N_BG, N_OBJ, T = 3, 4, 6
UNK, V = 7, 8


@takes_along(a_library)
def probe_posterior(ideal_observer, masked, scenes, prior):
    library = {"roots": torch.zeros(1, 1, 1, dtype=torch.int64), "n_bg": 3, "n_obj": 4, "side": 6}
    given = [masked, scenes, prior]
    return {"result": ideal_observer(a_library(library), *given), "args": given}


def a_world(draw, count=9):
    """Scenes (count, T) of -1 and object tokens, all different, and an uneven prior."""
    scenes = torch.where(draw.uniform(count, T) < 0.5, -1, draw.integers(N_BG, UNK, count, T))
    scenes[:, 0] = torch.tensor([-1, 3, 4, 5, 6, -1, 3, 4, 5])[:count]
    scenes[:, 1] = torch.tensor([-1, -1, -1, 4, 4, 5, 5, 6, 6])[:count]
    prior = draw.uniform(count, low=0.2, high=2.0)
    return scenes.to(torch.int8), prior / prior.sum()


def hide(draw, scenes, rows, background, p):
    board = torch.where(scenes[rows] < 0, background, scenes[rows].long())
    return torch.where(draw.uniform(*board.shape) < p, UNK, board)


def by_hand(board, scenes, prior):
    """The oracle: every background with every scene, one after the other."""
    total = torch.zeros(T, V, dtype=torch.float64)
    for scene, weight in zip(scenes.tolist(), prior.tolist(), strict=True):
        for background in range(N_BG):
            whole = [background if token < 0 else token for token in scene]
            if all(seen in (UNK, token) for seen, token in zip(board.tolist(), whole, strict=True)):
                for cell, token in enumerate(whole):
                    total[cell, token] += weight
    return (total / total.sum(1, keepdim=True)).float()


def posterior(ideal_observer, masked, scenes, prior):
    got = ideal_observer.run(probe_posterior, masked, scenes, prior)
    result = got["result"]
    shape = (len(masked), T, V)
    require(torch.is_tensor(result) and tuple(result.shape) == shape, f"the result must have shape {shape}", got=result)
    says = "the caller's tensors are different after the call: work on copies"
    for before, now in zip((masked, scenes, prior), got["args"], strict=True):
        equal(now, before, says)
    return result


def test_sums_to_one(ideal_observer, draw):
    scenes, prior = a_world(draw)
    masked = hide(draw, scenes, draw.integers(0, 9, 4), 1, 0.5)
    result = posterior(ideal_observer, masked, scenes, prior)
    close(result.sum(-1), torch.ones(4, T), "the probabilities of a cell do not add up to 1")
    close(result[..., UNK], torch.zeros(4, T), "UNK isn't a token that a cell can be: its probability must be 0")


def test_everything_hidden(ideal_observer, draw):
    scenes, prior = a_world(draw)
    masked = torch.full((2, T), UNK)
    says = "with everything hidden, each cell must show the prior: every scene by its weight, every background alike"
    close(posterior(ideal_observer, masked, scenes, prior)[0], by_hand(masked[0], scenes, prior), says)


def test_only_a_background_cell(ideal_observer, draw):
    scenes, prior = a_world(draw)
    masked = torch.full((1, T), UNK)
    masked[0, 1] = 2 - draw.index
    says = "one visible background cell tells the background everywhere, and rules out scenes with an object there"
    close(posterior(ideal_observer, masked, scenes, prior)[0], by_hand(masked[0], scenes, prior), says)


def test_bayes(ideal_observer, draw):
    scenes, prior = a_world(draw)
    masked = hide(draw, scenes, draw.integers(0, 9, 8), draw.integer(0, N_BG), 0.6)
    expected = torch.stack([by_hand(board, scenes, prior) for board in masked])
    says = "the posterior is not that of Bayes' rule over the scenes that agree with all visible cells"
    close(posterior(ideal_observer, masked, scenes, prior), expected, says)


def test_no_scene(ideal_observer, draw):
    scenes, prior = a_world(draw)
    masked = torch.full((1, T), UNK)
    masked[0, :2] = torch.tensor([3, 6])
    with raises("a board that no scene explains must be refused with a ValueError", "ValueError"):
        posterior(ideal_observer, masked, scenes, prior)
