"""Questions to a learner: predict before you run, and quizzes whose every choice is explained."""

import html
import re
from numbers import Number

from utils import course
from utils.chapter import Quiz, load_chapter
from utils.learn import store
from utils.learn.context import current_chapter, describe
from utils.learn.show import Notice, box, lines, show
from utils.plot.widget import boxed, show_widget, widgets_work


def predict(question: str, guess=None, options: tuple | list = ()) -> None:
    """Keep a guess (a number or a text; one of `options` if given). Without one, ask for it and continue."""
    if guess is None:
        how = "guess=" + (" or ".join(repr(option) for option in options) if options else "...")
        show(f"{question}\nWrite your prediction as {how} and run this cell again before you read on.")
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
    """Compare the prediction made under `question` with the result: a number (or a tensor of one), or a text."""
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


def quiz(name: str, answer: int | None = None) -> None:
    """Ask one of the chapter's quiz questions. `answer` (1: the first choice) answers it at once, without widgets."""
    chapter = current_chapter()
    try:
        known = {quiz.name: quiz for quiz in load_chapter(chapter).quizzes}
    except course.CourseError as error:
        raise Notice(str(error)) from None
    if name not in known:
        raise Notice(f"There is no quiz called {name!r} in this chapter: it has {', '.join(known) or 'none'}.")
    question = known[name]
    count = len(question.choices)
    if answer is not None:
        if type(answer) is not int or not 1 <= answer <= count:
            raise Notice(f"The answer is the number of a choice, 1 to {count}; {answer!r} is none.")
        _record(chapter, question, answer - 1)
        text, markup = explanation(question, answer - 1)
        show(text, box("note", markup))
    elif widgets_work():
        _ask(chapter, question)
    else:
        choices = "\n".join(f"  {i}. {text}" for i, (text, _, _) in enumerate(question.choices, 1))
        show(f'{question.question}\n{choices}\nAnswer with quiz("{name}", answer=1) to {count}.')


def explanation(question: Quiz, chosen: int) -> tuple[str, str]:
    """Every choice with its explanation, as text and as HTML; right and wrong are told in words, too."""
    head = "Right." if question.choices[chosen][1] else "Not this one."
    text, markup = [head], [f"<b>{head}</b>"]
    for i, (choice, right, why) in enumerate(question.choices):
        sign, said = ("&#10003;", "right") if right else ("&#10007;", "wrong")
        said += " (your choice)" * (i == chosen)
        text.append(f"  {said}: {choice}\n    {why}")
        title = f"<b>{sign} {said}: {_inline(choice)}</b>"
        markup.append(f"<div style='margin-top:.4em'>{title}<br>{_inline(why)}</div>")
    return "\n".join(text), "".join(markup)


def _ask(chapter: str, question: Quiz) -> None:
    """Show the question with radio buttons (reached by Tab, moved by arrows)."""
    import ipywidgets as widgets

    labels = [(f"{i}. {_plain(text)}", i - 1) for i, (text, _, _) in enumerate(question.choices, 1)]
    choices = widgets.RadioButtons(options=labels, value=None, layout=widgets.Layout(width="auto"))
    choices.add_class("course-quiz")
    label = "display:flex!important;flex-flow:row-reverse;justify-content:flex-end;height:auto!important"
    wrap = widgets.HTML(f"<style>.course-quiz label{{{label};white-space:normal!important}}</style>")  # long choices
    button = widgets.Button(description="Answer", tooltip="Show whether this is right, and why", disabled=True)
    out = widgets.HTML()

    def chosen(_):
        button.disabled = choices.value is None

    def answered(_):
        _record(chapter, question, choices.value)
        body = box("good" if question.choices[choices.value][1] else "bad", explanation(question, choices.value)[1])
        out.value = f'<div aria-live="polite">{body}</div>'

    choices.observe(chosen, "value")
    button.on_click(answered)
    show(question.question, markdown=question.question)
    show_widget(boxed(wrap, choices, button, out), "Run this cell again to choose an answer.")


def _record(chapter: str, question: Quiz, chosen: int) -> None:
    answer = {"choice": chosen + 1, "right": question.choices[chosen][1]}
    store.update(chapter, lambda data: data["quizzes"].update({question.name: answer}))


def _plain(text: str) -> str:
    return re.sub(r"[`*$]", "", text)


def _inline(text: str) -> str:
    """The little Markdown that a choice may hold: code and bold."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
    return re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", text)
