"""Predict before you run: a guess is kept, then held against what came out."""

from numbers import Number

from utils.learn import store
from utils.learn.context import current_chapter, describe
from utils.learn.show import Notice, box, lines, show


def predict(question: str, guess=None, options: tuple | list = ()) -> None:
    """Keep a guess (a number or a text; one of `options` if given). Without one, ask for it and go on."""
    if guess is None:
        how = "guess=" + (" or ".join(repr(option) for option in options) if options else "...")
        show(f"{question} Write your prediction as {how} and run this cell again before you read on.")
        return
    guess = plain(guess)
    if not isinstance(guess, (str, Number)) or isinstance(guess, complex):
        raise Notice(f"A prediction is a number or a text, not {describe(guess)}.")
    if options and guess not in options:
        raise Notice(f"{guess!r} is not one of the choices: {', '.join(map(repr, options))}.")
    store.update(current_chapter(), lambda data: data["predictions"].update({question: guess}))
    show(f"Your prediction: {guess}. Run on to see.")


def plain(value):
    """The number in a tensor or numpy array of one element; anything else as it is."""
    try:
        return value.item()
    except (AttributeError, ValueError, RuntimeError):
        return value


def compare(question: str, actual) -> None:
    """Hold the prediction made under `question` against what came out: a number (or a tensor of one), or a text."""
    actual = plain(actual)
    guess = store.read(current_chapter())["predictions"].get(question)
    shown = f"{actual:.4g}" if isinstance(actual, float) else str(actual)
    if guess is None:
        text = f"You made no prediction this time. The answer: {shown}."
    elif isinstance(guess, Number) and isinstance(actual, Number) and not isinstance(actual, bool):
        off = abs(guess - actual)
        far = f"off by {off:.3g}" + (f" ({100 * off / abs(actual):.0f}%)" if actual else "")
        text = f"You predicted {guess}. The answer: {shown}, {'exactly that' if off == 0 else far}."
    elif guess == actual:
        text = f"You predicted: {guess}. You were right."
    else:
        text = f"You predicted: {guess}. The answer: {shown}. What did you expect to happen that did not?"
    show(text, box("note", lines(text)))
