"""Games and experiments on a trained model: find a head, take a head away, spell a name, keep a scoreboard."""

import copy
import json
import time

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from utils.ch1 import measure
from utils.ch1.shipped import for_writing
from utils.learn.context import progress_folder
from utils.plot import Picture, bars, heatmap
from utils.plot.figures import label


def find_head(model: nn.Module, rows: Int[Tensor, "rows T"], guess: tuple[int, int] | None) -> Picture | None:
    """The hunt for a previous-token head: how much the head (layer, head) attends to the token before, and a score.

    The control is a model of the same class and sizes with random weights: what its best head reaches, chance reaches.
    """
    if guess is None:
        print("Look at the heads in the viewer above, then write your guess as (layer, head) and run this cell again.")
        return None
    scores = measure.looks_back(measure.mean_patterns(model, rows), 1)
    layer, head = guess
    if not (0 <= layer < scores.shape[0] and 0 <= head < scores.shape[1]):
        print(f"This model has layers 0 to {scores.shape[0] - 1} and heads 0 to {scores.shape[1] - 1}.")
        return None
    with torch.random.fork_rng():
        torch.manual_seed(0)
        untrained = measure.looks_back(measure.mean_patterns(type(model)(model.config), rows), 1).max().item()
    found, best = scores[layer, head].item(), scores.max().item()
    points = max(0, round(10 * (found - untrained) / (best - untrained))) if best > untrained else 0
    print(f"Head {layer}.{head} gives {found:.0%} of its attention to the token before: {points} of 10 points.")
    if points < 10:
        print("Some head does this more. Which one? The figure below gives it away, so guess again before you scroll.")
    caption = f"Mean over {len(rows)} held-out texts. The control, a model of this shape with random weights, "
    caption += f"reaches {untrained:.2f} with its best head."
    return _heads(scores, "Attention to the token before, for every head", 1.0, caption)


def _heads(values: Float[Tensor, "L N"], title: str, top: float, caption: str) -> Picture:
    """A number for every head, as colours from 0 to `top`."""
    labels = {"rows": [str(i) for i in range(len(values))], "columns": [str(i) for i in range(values.shape[1])]}
    more = {"limits": (0, top), "show_values": True, "height": 330, "caption": caption}
    return heatmap(values, title=title, x="head", y="layer", **labels, **more)


def knock_out(model: nn.Module, layer: int, head: int) -> nn.Module:
    """A copy of the model in which one head writes nothing: its part of W_O is zero."""
    damaged = copy.deepcopy(model)
    with torch.no_grad():
        damaged.blocks[layer].attention.W_O[head].zero_()
    return damaged


def knock_out_each(model: nn.Module, rows: Int[Tensor, "rows T"], loss) -> Picture:
    """How much the held-out loss rises when one head is taken away, for every head in turn."""
    whole = measure.evaluate(model, rows, loss=loss)["loss"]
    layers, heads = len(model.blocks), model.config.num_attention_heads
    rise = torch.zeros(layers, heads)
    for layer in range(layers):
        for head in range(heads):
            rise[layer, head] = measure.evaluate(knock_out(model, layer, head), rows, loss=loss)["loss"] - whole
    top = divmod(int(rise.argmax()), heads)
    others = rise.flatten().sort().values[:-1]
    caption = f"Rise of the held-out loss in nats. Head {top[0]}.{top[1]} costs {rise.max():.2f}; the other "
    caption += f"{len(others)} cost {others.mean():.3f} on average, and {others.max():.2f} at most."
    return _heads(rise, "What it costs to take one head away", max(0.05, rise.max().item()), caption)


def next_letters(logits: Float[Tensor, "V"], tokenizer) -> dict[str, float]:
    """The model's belief about the next character: the probabilities of all tokens, summed by their first one."""
    letters: dict[str, float] = {}
    for token, probability in enumerate(logits.softmax(dim=-1).tolist()):
        text = tokenizer.decode([token])
        if text:
            letters[text[0]] = letters.get(text[0], 0.0) + probability
    return dict(sorted(letters.items(), key=lambda item: -item[1]))


@torch.no_grad()
def spell(model: nn.Module, tokenizer, name: str, before: str = "\n\nEnter ") -> Picture:
    """How likely the model finds each letter of a name, given what comes before it in the text."""
    model, shown, sure = for_writing(model), {}, []
    for at, letter in enumerate(name):
        tokens = torch.tensor(tokenizer.encode(before + name[:at]).ids)[-model.config.context_length :]
        letters = next_letters(model(tokens[None])[0, -1], tokenizer)
        expected = next(iter(letters))
        shown[f"{at + 1}. {label(letter)}"] = letters.get(letter, 0.0)
        sure.append(f"“{label(expected)}” ({letters[expected]:.0%}) for “{label(letter)}”")
    return bars(
        shown,
        title=f"What the model believes about each letter of {name}",
        y="probability",
        height=320,
        caption="What it finds likeliest in the place of each letter: " + ", ".join(sure) + ".",
    )


def record_run(name: str, held_out_loss: float, seconds: float, **settings) -> None:
    """Note a run of the learner's on the scoreboard, which is kept beside the notebook."""
    line = {"name": name, "loss": held_out_loss, "seconds": seconds, "day": time.strftime("%Y-%m-%d"), **settings}
    file = progress_folder("ch1") / "ch1-runs.jsonl"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
    except OSError as error:
        print(f"The scoreboard could not be written ({error.strerror}).")


def scoreboard(levels: dict[str, float]) -> None:
    """Print the learner's runs, best first, among the models that only count."""
    file = progress_folder("ch1") / "ch1-runs.jsonl"
    rows = [(loss, name, "a model that only counts") for name, loss in levels.items() if name != "uniform"]
    try:
        runs = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        rows += [(run["loss"], run["name"], f"your run of {run['day']}, {run['seconds']:.0f} s") for run in runs]
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError):
        print(f"{file.name} cannot be read, so your earlier runs are missing here.")
    for loss, name, what in sorted(rows):
        print(f"{loss:6.3f} nats a token   {name:24} {what}")
