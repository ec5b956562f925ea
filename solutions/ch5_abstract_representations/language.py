"""What the words of LEA mean: what each tells about a feature of the scene, what changes when one is swapped."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from utils.course import CourseError
from utils.train import generator

from .boards import mask_boards, pairs_of, sample_boards
from .checkpoints import Checkpoint
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
    permutations of the features is subtracted (so that unrelated labels may end below 0).
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


class Pass(nn.Module):
    """One pass of a LEA as a module of its own, so that `record` and `run_with_edit` can look into it.

    `way` is what the pass does: way(model, tokens) -> logits (B, T, V), as `predict_from_board`.
    """

    def __init__(self, model: nn.Module, way):
        super().__init__()
        self.model, self.way = model, way

    def forward(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        return self.way(self.model, tokens)


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


def _told(found: Checkpoint, boards: int, seed: int) -> tuple[dict[str, Tensor], Int[Tensor, "n T"], dict[str, Tensor]]:
    """Different boards of a LEA's world (the kinds of its last epoch), as scenes and (n, T), and features by name."""
    lib, run = found.library, found.settings["run"]
    shares = run["board_proba_end"] if run["board_curriculum"] else found.world.board_types_proba
    scenes = sample_boards(lib, boards, tuple(shares), generator(seed, 21), pairs_of(lib, found.world.double_rule))
    board = scenes["board"].flatten(1)
    _, which = board.unique(dim=0, return_inverse=True)
    first = torch.zeros(int(which.max()) + 1, dtype=torch.int64).index_copy(0, which, torch.arange(boards))
    scenes = {name: value[first] for name, value in scenes.items()}
    features = {"background": scenes["bg"]}
    for number in range(2 if shares[1] > 0 else 1):
        suffix = f" {number + 1}" if shares[1] > 0 else ""
        features |= {name + suffix: scenes["objects"][:, number, i] for i, name in enumerate(("root", "row", "column"))}
    return scenes, board[first], features


def information(found: Checkpoint, boards: int = 4000, seed: int = 0) -> dict[str, dict[str, float]]:
    """By place in the sentence: bits about each feature of the scene, less what shuffled features give."""
    _, board, features = _told(found, boards, seed)
    words = speak(found.model, board.to(found.model.slots.device)).cpu()
    table = word_information(words, torch.stack(list(features.values()), 1), 3, generator(seed, 22))
    return {f"word {i + 1}": dict(zip(features, row.tolist(), strict=True)) for i, row in enumerate(table)}


def steering(found: Checkpoint, boards: int = 4000, seed: int = 0) -> dict[str, dict[str, float]]:
    """By place in the sentence: what happens when its word is taken from another board of the same sort.

    For each feature, each board gets a partner with which it shares everything but that feature (where there is one):
    "X changes": how often the word differs between the two; "X steered": share of the cells in which the two boards
    differ that are drawn as on the partner once this one word is replaced. The row "all words" replaces the sentence.
    """
    _, board, features = _told(found, boards, seed)
    model, table = found.model, torch.stack(list(features.values()), 1)
    words = speak(model, board)
    W, rows = words.shape[1], {}
    for f, feature in enumerate(features):
        others = torch.cat([table[:, :f], table[:, f + 1 :]], 1)
        group = others.unique(dim=0, return_inverse=True)[1]
        order = torch.argsort(group * len(group) + torch.randperm(len(group), generator=generator(seed, 23)))
        same = group[order][:-1] == group[order][1:]
        one, other = order[:-1][same], order[1:][same]
        if not len(one):
            continue
        differ = board[one] != board[other]
        for slot in range(W + 1):
            if slot < W:
                drawn, _ = steer(model, words[one], slot, words[other, slot])
                moved = (words[one, slot] != words[other, slot]).float().mean().item()
            else:
                drawn = draw(model, words[other]).argmax(-1)
                moved = (words[one] != words[other]).any(1).float().mean().item()
            row = rows.setdefault(f"word {slot + 1}" if slot < W else "all words", {})
            row[f"{feature} changes"] = moved
            row[f"{feature} steered"] = (drawn == board[other])[differ].float().mean().item()
    return rows


def analyse_language(found: Checkpoint, boards: int = 4000, seed: int = 0) -> dict:
    """The tables of a LEA: what is restored from the board and from speech, and what its words are about (claim C7)."""
    scenes, board, _ = _told(found, boards, seed)
    restored = {
        name: measure_language(found.model, found.library, scenes, masking, generator(seed, 24))
        for name, masking in (("whole boards seen", 0.0), ("with holes", found.settings["run"]["masking_p"]))
    }
    words = speak(found.model, board)
    for row in restored.values():
        row |= {"boards": len(board), "sentences": len(words.unique(dim=0))}
    return {
        "restored": restored,
        "information": information(found, boards, seed),
        "steering": steering(found, boards, seed),
    }


def conversation(found: Checkpoint, words: Sequence[int] = (), boards: int = 3, seed: int = 0) -> Iterator[str]:
    """What a LEA says about fresh boards and what it draws from that, as text; or what it draws from `words`.

    Raises CourseError for a model that does not speak and a sentence of another length or with unknown words.
    """
    if not found.is_lea:
        raise CourseError("The model of this checkpoint has no words: train one that has with train-lea.")
    lib, model = found.library, found.model
    W, K = model.settings.block_speech_size, len(model.codebook)
    if words and (len(words) != W or not all(0 <= word < K for word in words)):
        raise CourseError(f"A sentence of this model has {W} words, each from 0 to {K - 1}.")

    def text(board: Int[Tensor, "T"]) -> list[str]:
        names = [str(t) if t < lib.n_bg else chr(65 + (t - lib.n_bg) % 26) for t in board.tolist()]
        return [" ".join(names[i : i + lib.side]) for i in range(0, len(names), lib.side)]

    if words:
        yield "\n".join(text(draw(model, torch.tensor([list(words)])).argmax(-1)[0]))
        return
    _, board, _ = _told(found, max(boards, 1), seed)
    said = speak(model, board)
    for whole, sentence, drawn in zip(board, said, draw(model, said).argmax(-1), strict=True):
        sides = "\n".join(f"{a}     {b}" for a, b in zip(text(whole), text(drawn), strict=True))
        yield f"it says: {' '.join(map(str, sentence.tolist()))}\n{sides}\n"
