"""What a trained model represents, and whether it uses it: the tables of chapter 5, each with its controls."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from utils.course import CourseError
from utils.train import generator

from .activations import (
    ablate_subspace,
    all_sites,
    donor_patch,
    random_shift,
    random_subspace,
    record,
    run_with_edit,
    swap_means,
    target_and_unchanged,
)
from .boards import mask_boards, paint, pairs_of, sample_boards
from .checkpoints import Checkpoint
from .geometry import fit_probe, participation_ratio, probe_accuracy, probe_transfer, variance_explained
from .language import measure_language, steer, word_information
from .lea import draw, speak
from .model import build_model

CAUSAL_SITES = ("b0.out", "b1.z_attn", "b1.out", "b2.z_attn", "b2.out")


@dataclass
class Look:
    """Boards of one kind as a model sees them: tokens (B, T) with holes, the mask, and every label (B, T)."""

    tokens: Int[Tensor, "B T"]
    mask: Bool[Tensor, "B T"]
    labels: dict[str, Int[Tensor, "B T"]]  # token, root, offset, bg, board
    scenes: dict[str, Tensor]


def look(lib, boards: int, kind: int, seed: int, masking: float = 0.25, patches: float = 0.0) -> Look:
    """Fresh boards of one kind with holes."""
    draws = generator(seed, kind)
    shares = tuple(float(kind == one) for one in range(3))
    scenes = sample_boards(lib, boards, shares, draws)
    masked, mask = mask_boards(lib, scenes, masking, patches, draws)
    labels = {"token": scenes["board"], "root": scenes["root_id"], "offset": scenes["offset"]}
    labels = {name: value.flatten(1) for name, value in labels.items()}
    labels["bg"] = scenes["bg"][:, None].expand_as(labels["root"])
    labels["board"] = torch.arange(boards)[:, None].expand_as(labels["root"])
    return Look(masked.flatten(1), mask.flatten(1), labels, scenes)


def profile(model: nn.Module, lib, boards: int = 1200, seed: int = 0) -> dict[str, dict[str, float]]:
    """By site: eta squared of root, token and offset, and the accuracy of linear probes, at hidden cells only.

    Controls: a probe fitted on shuffled labels, and the root probe of an untrained network of the same shape.
    """
    fit, test = look(lib, boards, 0, seed + 1), look(lib, boards, 0, seed + 2)
    sites = all_sites(model)
    torch.manual_seed(seed)
    untrained = build_model("factor" if hasattr(model.blocks[0].attention, "query") else "vanilla", model.cfg)
    with torch.no_grad():
        untrained.position.normal_(0, 0.02)
    found = {}
    hidden = [part.mask & (part.labels["root"] >= 0) for part in (fit, test)]
    empty = [part.mask & (part.labels["root"] < 0) for part in (fit, test)]
    vectors = [record(model, part.tokens, sites) for part in (fit, test)]
    blank = [record(untrained, part.tokens, sites) for part in (fit, test)]
    for site in sites:
        X, Z = (v[site][cells] for v, cells in zip(vectors, hidden, strict=True))
        row = {}
        for name in ("root", "token", "offset"):
            y, z = fit.labels[name][hidden[0]], test.labels[name][hidden[1]]
            row[f"eta2 {name}"] = variance_explained(X, y)
            if name != "token":
                row[f"probe {name}"] = probe_accuracy(fit_probe(X, y), Z, z)
        y, z = fit.labels["root"][hidden[0]], test.labels["root"][hidden[1]]
        order = torch.randperm(len(y), generator=generator(seed, 7))
        row["probe root, shuffled"] = probe_accuracy(fit_probe(X, y[order]), Z, z)
        U, V = (v[site][cells] for v, cells in zip(blank, hidden, strict=True))
        row["probe root, untrained"] = probe_accuracy(fit_probe(U, y), V, z)
        X, Z = (v[site][cells] for v, cells in zip(vectors, empty, strict=True))
        row["probe background"] = probe_accuracy(
            fit_probe(X, fit.labels["bg"][empty[0]]), Z, test.labels["bg"][empty[1]]
        )
        found[site] = row
    return found


def dimensions(model: nn.Module, lib, boards: int = 1200, seed: int = 0) -> dict[str, dict[str, float]]:
    """By site: participation ratio of all hidden object cells and of the root means; how alike the means are."""
    one = look(lib, boards, 0, seed + 3)
    cells = one.mask & (one.labels["root"] >= 0)
    found = {}
    for site, value in record(model, one.tokens, CAUSAL_SITES).items():
        X, y = value[cells], one.labels["root"][cells]
        means = torch.stack([X[y == root].mean(0) for root in range(len(lib.roots))])
        unit = torch.nn.functional.normalize(means - means.mean(0), dim=1)
        cosines = (unit @ unit.T)[~torch.eye(len(unit), dtype=torch.bool)]
        found[site] = {
            "all cells": participation_ratio(X),
            "root means": participation_ratio(means),
            "mean cosine": cosines.mean().item(),
            "spread of cosines": cosines.std().item(),
        }
    return found


def contexts(model: nn.Module, lib, boards: int = 1500, seed: int = 0) -> dict[str, dict[str, float]]:
    """By site: a root probe fitted on single boards of backgrounds 0-4, tested on 5-9, on doubles, on composites."""
    looks = [look(lib, boards, kind, seed + 4) for kind in range(3)]
    sites = ("embedding", "b0.out", "b1.out", "b2.attn", "b2.z_attn", "b2.out")
    recorded = [record(model, one.tokens, sites) for one in looks]
    low, high = list(range(lib.n_bg // 2)), list(range(lib.n_bg // 2, lib.n_bg))
    found = {}
    for site in sites:
        parts = []
        for kind, (one, vectors) in enumerate(zip(looks, recorded, strict=True)):
            cells = one.mask & (one.labels["root"] >= 0)
            labels = [one.labels[name][cells] for name in ("root", "board", "bg")]
            parts.append((vectors[site][cells], labels[0], labels[1], labels[2] + lib.n_bg * kind))
        X, y, board, condition = (torch.cat(column) for column in zip(*parts, strict=True))
        given = {"same backgrounds": low, "other backgrounds": high}
        given |= {
            f"other backgrounds, {name}": [c + lib.n_bg * k for c in high]
            for k, name in ((1, "doubles"), (2, "composites"))
        }
        found[site] = {name: probe_transfer(X, y, board, condition, low, test_on) for name, test_on in given.items()}
    return found


def _means(vectors: Float[Tensor, "B T D"], cells: Bool[Tensor, "B T"], labels: Int[Tensor, "B T"], classes: int):
    X, y = vectors[cells], labels[cells]
    return torch.stack([X[y == c].mean(0) for c in range(classes)])


def causal(model: nn.Module, lib, boards: int = 500, seed: int = 0) -> dict[str, dict[str, float]]:
    """By site: what becomes of hidden cells when what the stream represents is changed.

    "to" is the share of cells that turn into the wanted token, of those whose token has to change; "random" the same
    for a shift of the same length in a random direction. The last two are accuracies at hidden object cells after the
    subspace of the root means, or a random one of the same size, is removed.
    """
    source, one = look(lib, 3 * boards, 0, seed + 5), look(lib, boards, 0, seed + 6)
    draws, found = generator(seed, 9), {}
    thing = one.labels["root"] >= 0
    hidden, empty = one.mask & thing, one.mask & ~thing
    root, bg = one.scenes["objects"][:, 0, 0], one.scenes["bg"]
    other_root = (root + torch.randint(1, len(lib.roots), root.shape, generator=draws)) % len(lib.roots)
    other_bg = (bg + torch.randint(1, lib.n_bg, bg.shape, generator=draws)) % lib.n_bg
    objects = one.scenes["objects"].clone()
    objects[:, 0, 0] = other_root
    wanted = paint(lib, objects, bg)["board"].flatten(1)
    donor = torch.where(one.mask, lib.unk, wanted)
    recorded = record(model, source.tokens, CAUSAL_SITES)
    now, token = one.labels["token"], source.labels
    for site in CAUSAL_SITES:
        vectors = recorded[site]
        of_bg = _means(vectors, source.mask & (token["root"] < 0), token["bg"], lib.n_bg)
        of_root = _means(vectors, source.mask & (token["root"] >= 0), token["root"], len(lib.roots))
        row = {}
        moved = random_shift(of_bg[other_bg] - of_bg[bg], draws)
        zero = torch.zeros_like(moved)
        for name, ends in {"": (of_bg[bg], of_bg[other_bg]), ", random": (zero, moved)}.items():
            logits = swap_means(model, one.tokens, empty, *ends, site)
            row[f"background to{name}"] = target_and_unchanged(logits, empty, now, other_bg[:, None].expand_as(now))[0]
        moved = random_shift(of_root[other_root] - of_root[root], draws)
        for name, ends, alpha in (
            ("", (of_root[root], of_root[other_root]), 1.0),
            (" x2", (of_root[root], of_root[other_root]), 2.0),
            (" x2, random", (zero, moved), 2.0),
        ):
            logits = swap_means(model, one.tokens, hidden, *ends, site, alpha)
            row[f"root to{name}"] = target_and_unchanged(logits, hidden, now, wanted)[0]
        for name, cells in {
            "all object cells": thing,
            "hidden ones": hidden,
            "visible ones": thing & ~one.mask,
        }.items():
            logits = donor_patch(model, one.tokens, donor, cells, site)
            row[f"donor, {name}"] = target_and_unchanged(logits, hidden, now, wanted)[0]
        mean = vectors[source.mask & (token["root"] >= 0)].mean(0)
        k = len(lib.roots) - 1
        for name, U in {"roots": of_root - of_root.mean(0), "random": random_subspace(k, len(mean), draws)}.items():

            def remove(v, U=U, mean=mean):
                return torch.where(thing[..., None], ablate_subspace(v, U, mean), v)

            said = run_with_edit(model, one.tokens, {site: remove}).argmax(-1)
            row[f"accuracy without {name}"] = (said == now)[hidden].float().mean().item()
        found[site] = row
    return found


def part_whole(model: nn.Module, lib, boards: int = 600, seed: int = 0) -> dict[str, float]:
    """Composites with one whole root hidden and nothing else; and a root of a single board hidden completely."""
    one = look(lib, boards, 2, seed + 8, masking=0.0, patches=1.0)
    with torch.no_grad():
        said = model(one.tokens).argmax(-1)
    right = ((said == one.labels["token"]) | ~one.mask).all(1).float().mean().item()
    alone = look(lib, boards, 0, seed + 8, masking=0.0)
    thing = alone.labels["root"] >= 0
    with torch.no_grad():
        said = model(torch.where(thing, lib.unk, alone.tokens)).argmax(-1)
    empty = (said == alone.labels["bg"])[thing].float().mean().item()
    return {"hidden root of a composite restored": right, "hidden single root painted as background": empty}


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


def analyse(checkpoint: Checkpoint, boards: int = 1200, seed: int = 0) -> dict:
    """All tables of the chapter for one checkpoint."""
    if checkpoint.is_lea:
        return analyse_language(checkpoint, boards, seed)
    model, lib = checkpoint.model, checkpoint.library
    return {
        "profile": profile(model, lib, boards, seed),
        "dimensions": dimensions(model, lib, boards, seed),
        "contexts": contexts(model, lib, boards, seed),
        "causal": causal(model, lib, max(boards // 3, 1), seed),
        "part_whole": {"composites": part_whole(model, lib, max(boards // 2, 1), seed)},
    }


def as_markdown(table: dict[str, dict[str, float]]) -> str:
    """A table as Markdown, two digits after the point."""
    columns = list(next(iter(table.values())))
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(f"{row[c]:.2f}" for c in columns) + " |" for name, row in table.items()]
    return "\n".join(lines)
