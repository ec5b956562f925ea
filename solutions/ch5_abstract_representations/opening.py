"""The chapter's opening: scenes that a trained model repaints with a patch hidden anywhere, worked out beforehand."""

import json
from pathlib import Path

import torch

from utils.train import generator
from utils.train.files import write_whole

from .boards import sample_boards
from .checkpoints import Checkpoint


@torch.no_grad()
def opening(checkpoint: Checkpoint, seed: int = 4) -> dict:
    """{"scenes": boards, "painted": for each scene and each place of the patch the model's most likely tokens}.

    Two scenes of each kind. A visible cell is painted as it is seen.
    """
    lib = checkpoint.library
    draws = generator(seed)
    kinds = [sample_boards(lib, 2, shares, draws)["board"] for shares in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
    scenes = torch.cat(kinds)
    places = lib.side - lib.d + 1
    painted = []
    for scene in scenes:
        masked = scene.repeat(places**2, 1, 1)
        for place in range(places**2):
            row, column = divmod(place, places)
            masked[place, row : row + lib.d, column : column + lib.d] = lib.unk
        said = checkpoint.model(masked.flatten(1)).argmax(-1).view_as(masked)
        painted.append(torch.where(masked == lib.unk, said, masked).tolist())
    return {"scenes": scenes.tolist(), "painted": painted}


def write_opening(checkpoint: Checkpoint, path: Path, seed: int = 4) -> None:
    """Write the opening's data beside the chapter."""
    text = json.dumps(opening(checkpoint, seed), separators=(",", ":"))
    write_whole(path, lambda name: Path(name).write_text(text + "\n", encoding="utf-8"))
