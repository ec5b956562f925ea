"""What a trained model represents, and whether it uses it: the tables of chapter 5, each with its controls."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from utils.train import generator

from .activations import (
    ablate_subspace,
    all_sites,
    attention_patterns,
    donor_patch,
    random_shift,
    random_subspace,
    record,
    run_with_edit,
    swap_means,
    target_and_unchanged,
)
from .boards import blur, mask_boards, paint, pairs_of, sample_boards
from .checkpoints import Checkpoint
from .config import KINDS, WorldConfig
from .geometry import fit_probe, participation_ratio, probe_accuracy, probe_transfer, variance_explained
from .language import Pass, analyse_language, predict_from_board
from .lea import draw, speak
from .observer import observer_of
from .training import cell_metrics, floor_logits, masked_ce

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

    Controls: a probe fitted on shuffled labels, and the root probe of an untrained network of the same shape. And one
    probe that need not be linear: the label that most of the 15 nearest vectors have.
    """
    from sklearn.neighbors import KNeighborsClassifier  # takes a second, which other commands need not wait for

    fit, test = look(lib, boards, 0, seed + 1), look(lib, boards, 0, seed + 2)
    sites = all_sites(model)
    torch.manual_seed(seed)
    untrained = type(model)(model.cfg)
    with torch.no_grad():
        untrained.position.normal_(0, 0.02)  # all alike at the start of a training, they would see no places at all
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
        row["neighbours root"] = float(KNeighborsClassifier(15).fit(X.numpy(), y.numpy()).score(Z.numpy(), z.numpy()))
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


def restored(
    lib,
    world: WorldConfig,
    boards: int = 400,
    seed: int = 0,
    masking: float = 0.25,
    patches: float = 0.5,
    model: nn.Module | None = None,
) -> dict[str, dict[str, float]]:
    """Fresh boards of a world as they are filled in by the ideal observer, by a model, and by copying and background.

    "cells" are all cells, "loss" is the cross-entropy over them (nan for the last row, which is always sure). The
    most likely token of a cell counts; boards by kind as well. Probabilities of the kinds are those of the world.
    """
    draws, kinds = generator(seed, 25), world.board_types_proba
    scenes = sample_boards(lib, boards, kinds, draws, pairs_of(lib, world.double_rule))
    scenes = blur(lib, scenes, draws)
    masked, mask = mask_boards(lib, scenes, masking, patches, draws)
    masked, mask, board, root = (x.flatten(1) for x in (masked, mask, scenes["board"], scenes["root_id"]))
    says = {"ideal observer": observer_of(lib, kinds, world.double_rule)(masked).clamp(min=1e-12).log()}
    if model is not None:
        with torch.no_grad():
            says["network"] = model(masked.to(next(model.parameters()).device)).cpu()
    says["copy and background"] = floor_logits(lib, masked)
    found = {}
    for name, logits in says.items():
        right = logits.argmax(-1) == board
        loss = float("nan") if name == "copy and background" else masked_ce(logits, board, mask).item()
        found[name] = {"loss": loss, "cells": right.float().mean().item(), **cell_metrics(logits, board, mask, root)}
        for kind, one in enumerate(KINDS):
            found[name][f"board, {one}"] = right[scenes["kind"] == kind].all(1).float().mean().item()
    return found


def exported(found: Checkpoint, one: Look) -> dict[str, Tensor]:
    """Every activation of a model on these boards, by name, with the masked boards and all labels (for other programs).

    A transformer: inputs (norm_1, norm_2) and updates (attn, mlp) of the sub-layers, queries, keys, values and the
    attention pattern (B, N, T, T) of every block, the stream, logits. LEA: the updates and the stream of the reader,
    once as it sees the board ("seen.") and once as it hears what was said about it ("heard."), and the words.
    """
    labels = {f"label.{name}": value for name, value in one.labels.items()}
    whole = {"masked": one.tokens, "mask": one.mask, **labels}
    model, tokens = found.model, one.tokens
    if found.is_lea:
        parts = {"z_out": "reader_norm", "logits": "head"}
        for i in range(len(model.reader)):
            parts |= {f"b{i}.{part}": f"reader.{i}.{part}" for part in ("self_attention", "cross_attention", "mlp")}
            parts[f"b{i}.out"] = f"reader.{i}"
        words = whole["words"] = speak(model, tokens)
        ways = {"seen": predict_from_board, "heard": lambda model, tokens: draw(model, words)}
        for name, way in ways.items():
            vectors = record(Pass(model, way), tokens, [f"model.{path}" for path in parts.values()])
            whole |= {f"{name}.{part}": vectors[f"model.{path}"] for part, path in parts.items()}
        return {name: value.contiguous() for name, value in whole.items()}
    parts = {site: site for site in all_sites(model)} | {"logits": "head"}
    for i in range(len(model.blocks)):
        parts |= {f"b{i}.{part}": f"blocks.{i}.{part}" for part in ("norm_1", "norm_2")}
        parts |= {f"b{i}.{part}": f"blocks.{i}.attention.{part}" for part in ("query", "key", "value")}
    vectors = record(model, tokens, list(parts.values()))
    whole |= {part: vectors[path] for part, path in parts.items()}
    whole |= {f"b{i}.pattern": pattern for i, pattern in enumerate(attention_patterns(model, tokens))}
    return {name: value.contiguous() for name, value in whole.items()}


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


def analyse(checkpoint: Checkpoint, boards: int = 1200, seed: int = 0) -> dict:
    """All tables of the chapter for one checkpoint."""
    if checkpoint.is_lea:
        return analyse_language(checkpoint, boards, seed)
    model, lib = checkpoint.model, checkpoint.library
    return {
        "restored": restored(lib, checkpoint.world, max(boards // 3, 1), seed, model=model),
        "profile": profile(model, lib, boards, seed),
        "dimensions": dimensions(model, lib, boards, seed),
        "contexts": contexts(model, lib, boards, seed),
        "causal": causal(model, lib, max(boards // 3, 1), seed),
        "part_whole": {"composites": part_whole(model, lib, max(boards // 2, 1), seed)},
    }


def as_markdown(table: dict[str, dict[str, float]], digits: int = 2) -> str:
    """A table as Markdown, so many digits after the point."""
    columns = list(next(iter(table.values())))
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, row in table.items():
        lines.append(f"| {name} | " + " | ".join(f"{row[c]:.{digits}f}" for c in columns) + " |")
    return "\n".join(lines)
