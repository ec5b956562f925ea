"""What the words of LEA mean: what each tells about a feature of the scene, what changes when one is swapped."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from .boards import mask_boards
from .lea import draw, speak
from .training import cell_metrics


def _entropy_bits(labels: Int[Tensor, " n"]) -> float:
    """Entropy, in bits, of how often each label occurs."""
    share = torch.unique(labels, return_counts=True)[1] / len(labels)
    return float(-(share.double() * share.double().log2()).sum())


def word_information(
    words: Int[Tensor, "n W"],
    features: Int[Tensor, "n F"],
    shuffles: int = 0,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "W F"]:
    """Mutual information, in bits, between each position of a sentence and each feature of the scene.

    Shapes: words (n, W) and features (n, F), integers -> (W, F), float64. I(w; f) = H(w) + H(f) - H(w, f). A finite
    sample shows some information even between unrelated labels: with `shuffles` > 0 the mean over that many random
    permutations of the features is subtracted.
    """
    # solution
    found = _information(words, features)
    for _ in range(shuffles):
        order = torch.randperm(len(features), generator=generator)
        found = found - _information(words, features[order]) / shuffles
    return found
    # end solution


def _information(words: Int[Tensor, "n W"], features: Int[Tensor, "n F"]) -> Float[Tensor, "W F"]:
    found = torch.zeros(words.shape[1], features.shape[1], dtype=torch.float64)
    for s, word in enumerate(words.T):
        for f, feature in enumerate(features.T):
            _, pair = torch.unique(torch.stack([word, feature]), dim=1, return_inverse=True)
            found[s, f] = _entropy_bits(word) + _entropy_bits(feature) - _entropy_bits(pair)
    return found


def perplexity(words: Int[Tensor, "*n"]) -> float:
    """How many words are in use: 2 to the entropy, in bits, of how often each word occurs.

    K words that are used equally often give K; one word that is always used gives 1.
    """
    # solution
    share = torch.unique(words, return_counts=True)[1] / words.numel()
    return float(2 ** -(share.double() * share.double().log2()).sum())
    # end solution


def steer(
    model: nn.Module, words: Int[Tensor, "B W"], slot: int, new_word: int | Int[Tensor, " B"]
) -> tuple[Int[Tensor, "B T"], Bool[Tensor, "B T"]]:
    """Replace one word of each sentence and draw again.

    Shapes: words (B, W), left as they are; new_word is one number or (B,). Returns the new drawing (B, T), the most
    likely token of each cell, and where it differs from what the model drew before, bool (B, T).
    """
    # solution
    changed = words.clone()
    changed[:, slot] = new_word
    before, after = draw(model, words).argmax(-1), draw(model, changed).argmax(-1)
    return after, after != before
    # end solution


@torch.no_grad()
def predict_from_board(model: nn.Module, masked: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
    """The first pass: fill in masked boards before a word has been said. (`draw` predicts from speech.)"""
    return model.head(model.read(masked, model.blank(len(masked))))


@torch.no_grad()
def measure_language(
    model: nn.Module, lib, scenes: dict[str, Tensor], masking: float, generator: torch.Generator, patches: float = 0.0
) -> dict[str, float]:
    """How well these boards are restored when seen with holes, and when only heard of; and which words are in use.

    "board_..." are `cell_metrics` of the first pass. "speech_object", "speech_background" and "speech_board" are shares
    of cells and of whole boards that are drawn right from a sentence alone. "words", "least" and "most": the perplexity
    of all words said, and the share of the rarest and the commonest word of the codebook. Runs in eval mode; nothing
    in the model changes.
    """
    was_training, device = model.training, model.slots.device
    model.eval()
    masked, mask = mask_boards(lib, scenes, masking, patches, generator)
    masked, mask, board, root = (x.flatten(1) for x in (masked, mask, scenes["board"], scenes["root_id"]))
    seen = cell_metrics(predict_from_board(model, masked.to(device)).cpu(), board, mask, root)
    words = speak(model, masked.to(device))
    heard = cell_metrics(draw(model, words).cpu(), board, torch.ones_like(mask), root)
    model.train(was_training)
    usage = torch.bincount(words.flatten().cpu(), minlength=len(model.codebook)) / words.numel()
    found = {f"board_{name.removeprefix('masked_')}": seen[name] for name in ("masked_object", "masked_background")}
    found |= {f"speech_{name.removeprefix('masked_')}": heard[name] for name in ("masked_object", "masked_background")}
    found |= {"board_board": seen["board"], "speech_board": heard["board"]}
    return found | {"words": perplexity(words), "least": usage.min().item(), "most": usage.max().item()}
