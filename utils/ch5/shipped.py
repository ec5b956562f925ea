"""The two networks that come with chapter 5, in the classes that the learner wrote."""

from types import SimpleNamespace

from torch import nn

from utils.course import ROOT
from utils.train import read_json, read_tensors

FOLDER = ROOT / "chapters" / "ch5_abstract_representations"


def shipped(name: str, model: type[nn.Module], library: type):
    """A network that this chapter's command has trained, and its world: "half" fills in boards, "talker" speaks.

    `model` and `library` are the classes they get: model(settings), library(roots, comps, n_bg, n_obj, side).
    """
    known = read_json(FOLDER / "checkpoints" / f"{name}.json")
    tensors, _ = read_tensors(FOLDER / "checkpoints" / f"{name}.safetensors")
    network = model(SimpleNamespace(**known["model"]))
    network.load_state_dict({n.removeprefix("model."): t for n, t in tensors.items() if n.startswith("model.")})
    world = known["world"]
    sizes = world["vocab_bck"], world["vocab_token"], world["board_dim"]
    return network.eval(), library(tensors["library.roots"], tensors["library.comps"], *sizes)
