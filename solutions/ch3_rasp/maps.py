"""Heat maps of saved models' attention on a sequence, and tables of saved runs (chapter 3)."""

import html
from pathlib import Path

import torch
from einops import einsum
from torch import Tensor

from utils.course import CourseError
from utils.train.files import write_whole

from .languages import BOS, folder_name, language, languages
from .plots import layer_maps
from .runs import Trained, load_run


def run_folders(root: Path, subfolder: str, lang: str, must_contain: str = "") -> list[Path]:
    """Folders of the saved runs of a language, by name. Raises CourseError where there are none."""
    place = root / subfolder / language(lang).key
    found = sorted(path.parent for path in place.glob("*/run.json") if must_contain in path.parent.name)
    if not found:
        about = f" whose name contains {must_contain!r}" if must_contain else ""
        raise CourseError(f"There is no saved run{about} in {place}: train one first (the command train).")
    return found


@torch.no_grad()
def attention_of(run: Trained, text: str) -> tuple[list[str | int], list[Tensor], list[Tensor], list[str]]:
    """Output of a run on a text, attention and scores of each layer, (N, T, T), and the symbols at their axes."""
    lang = run.args.language
    tokens, mask = lang.encode(text)
    longest = run.args.max_len - run.args.add_BOS
    if tokens.shape[1] > longest:
        raise CourseError(f"The sequence has {tokens.shape[1]} symbols; this model takes {longest} at most.")
    inputs: list[Tensor] = []
    blocks = run.model.encoder.blocks
    hooks = [block.attention.register_forward_pre_hook(lambda _, args: inputs.append(args[0])) for block in blocks]
    try:
        if run.model.start is not None:
            start = torch.full((1, 1), run.model.start)
            tokens, mask = torch.cat([start, tokens], 1), torch.cat([mask[:, :1], mask], 1)
        logits, patterns = run.model.encoder(tokens, mask)
    finally:
        for hook in hooks:
            hook.remove()
    scores = []
    for block, residual in zip(blocks, inputs, strict=True):
        a = block.attention
        q, k = (
            einsum(residual, W, "B T E, N E H -> B N T H") + b[:, None] for W, b in ((a.W_Q, a.b_Q), (a.W_K, a.b_K))
        )
        scores.append((einsum(q, k, "B N T_Q H, B N T_K H -> B N T_Q T_K") / q.shape[-1] ** 0.5)[0])
    skipped = int(run.model.start is not None)
    output = lang.decode(logits[0, skipped:].argmax(-1))
    return output, [pattern[0] for pattern in patterns], scores, list(BOS * skipped + text)


def draw(run: Trained, folder: Path, text: str, out: Path, digits: int, size: float, colorbar: bool) -> Path:
    """Write distributions/layer i.html, scores/layer i.html and in_out.txt for one run; returns its folder in `out`."""
    lang = run.args.language
    output, patterns, scores, symbols = attention_of(run, text)
    inside = Path(run.args.subfolder) / folder.name
    place = out / lang.key / folder_name(text) / inside
    for name, weights in (("distributions", patterns), ("scores", scores)):
        (place / name).mkdir(parents=True, exist_ok=True)
        for layer, matrix in enumerate(weights):
            kind = "attention" if name == "distributions" else "scores before softmax"
            title = f"{lang.key}, layer {layer}: {kind} on {html.escape(text, quote=False)}"
            told = f"Rows are queries and columns are keys; {len(matrix)} heads of {folder.name}."
            picture = layer_maps(matrix, symbols, title, told, digits)
            side = int(100 * size)
            picture.figure.update_layout(height=side, width=max(side * len(matrix), 420))
            if colorbar:
                picture.figure.update_traces(showscale=True, selector=0)
            picture.write(place / name / f"layer {layer}.html")
    target = lang.target(text)
    right = sum(a == b for a, b in zip(output, target, strict=True))
    lines = [
        f"model: {folder.name}",
        f"epochs: {len(run.history)}" + (" (stopped)" if run.interrupted else ""),
        f"test accuracy: {run.final['test']['accuracy']:.4f}" if run.final else "test accuracy: not measured yet",
        f"input:  {' '.join(text)}",
        f"output: {' '.join(map(str, output))}",
        f"target: {' '.join(map(str, target))}",
        f"{right} of {len(target)} positions are right",
    ]
    whole = "\n".join(lines) + "\n"
    write_whole(place / "in_out.txt", whole)
    with (place.parent / "ins_outs.txt").open("a", encoding="utf-8") as file:
        file.write(whole + "\n")
    return place


def _three(values: list[float]) -> str:
    return f"{max(values):.4f} // {sum(values) / len(values):.4f} // {min(values):.4f}" if values else "-"


def summaries(root: Path, subfolder: str, lang: str, out: Path, at: int = 20) -> list[Path]:
    """Write <language>.txt, <language>_with_individuals.txt and <language>_tiny.txt for one language or for "all".

    For each size: best // mean // worst test accuracy and test loss, and the validation accuracy after epoch `at`,
    of the runs that went so far. Raises CourseError where there are no finished runs.
    """
    keys = list(languages()) if lang == "all" else [language(lang).key]
    written = []
    for key in keys:
        sizes: dict[tuple[int, int], list[tuple[Path, Trained]]] = {}
        for path in sorted((root / subfolder / key).glob("*/run.json")):
            run = load_run(path.parent)
            if run.final:
                sizes.setdefault((run.args.nlayers, run.args.nheads), []).append((path.parent, run))
        if not sizes:
            continue
        table, individuals, tiny = [key], [key], [key]
        for (layers, heads), runs in sorted(sizes.items()):
            accuracies = [run.final["test"]["accuracy"] for _, run in runs]
            losses = [run.final["test"]["loss"] for _, run in runs]
            early = [run.history[at - 1]["valid_accuracy"] for _, run in runs if len(run.history) >= at]
            name = f"{layers} layers, {heads} heads ({len(runs)} runs)"
            rows = [f"{name}: test accuracy best // mean // worst {_three(accuracies)}"]
            # the lowest loss is the best one
            rows.append(f"    test loss best // mean // worst {' // '.join(reversed(_three(losses).split(' // ')))}")
            rows.append(f"    validation accuracy after epoch {at} {_three(early)} ({len(early)} runs)")
            table += rows
            individuals += rows
            for folder, run in runs:
                found = run.final["test"]
                individuals.append(f"        {folder.name}: {found['accuracy']:.4f}, loss {found['loss']:.4f}")
            tiny.append(f"{layers},{heads}: {max(accuracies):.4f}")
        for ending, lines in (("", table), ("_with_individuals", individuals), ("_tiny", tiny)):
            path = out / subfolder / f"{key}{ending}.txt"
            write_whole(path, "\n".join(lines) + "\n")
            written.append(path)
    if not written:
        raise CourseError(f"There are no finished runs of {lang} in {root / subfolder}.")
    return written


def peep(key: str, seed: int = 0, longest: int = 12) -> list[str]:
    """A look at a language: sizes, an example with its target, and what each supervised head is to select."""
    from .data import data_set

    lang = language(key)
    data = data_set(lang, "test", 1, longest, seed, min_len=longest // 2)
    text = lang.write(data.tokens[0][data.mask[0]])
    lines = [f"{key}: {lang.vocabulary} symbols with {BOS}, {len(lang.classes)} classes"]
    lines.append(f"  input:  {' '.join(map(repr, text)) if any(c.isspace() for c in text) else ' '.join(text)}")
    lines.append(f"  target: {' '.join(map(str, lang.target(text)))}")
    for name, matrix in lang.attention(text).items():
        lines.append(f"  {name}:")
        lines += ["    " + " ".join(map(str, row)) for row in matrix]
    return lines
