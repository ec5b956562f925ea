"""`quiz("name")`: one question, its choices, and once answered the explanation of every choice."""

import html
import re

from utils import course
from utils.chapter import Quiz, load_chapter
from utils.learn import store
from utils.learn.context import current_chapter
from utils.learn.show import Notice, box, show
from utils.learn.start import has_front_end


def quiz(name: str, answer: int | None = None) -> None:
    """Ask a quiz of the chapter. With `answer` (1 for the first choice) answer it at once, without widgets."""
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
        show(explanation_text(question, answer - 1), box("note", explanation(question, answer - 1)))
    elif not (has_front_end() and _ask(chapter, question)):
        choices = "\n".join(f"  {i}. {text}" for i, (text, _, _) in enumerate(question.choices, 1))
        show(f'{question.question}\n{choices}\nAnswer with quiz("{name}", answer=1) to {count}.')


def explanation(question: Quiz, chosen: int) -> str:
    """Every choice with its explanation as HTML; right and wrong are told in words and signs, not by colour alone."""
    head = "Right." if question.choices[chosen][1] else "Not this one."
    parts = [f"<b>{head}</b>"]
    for i, (text, right, why) in enumerate(question.choices):
        sign = "&#10003; right" if right else "&#10007; wrong"
        own = " (your choice)" if i == chosen else ""
        parts.append(f"<div style='margin-top:.4em'><b>{sign}{own}: {_inline(text)}</b><br>{_inline(why)}</div>")
    return "".join(parts)


def explanation_text(question: Quiz, chosen: int) -> str:
    """As `explanation`, in plain text."""
    head = "Right." if question.choices[chosen][1] else "Not this one."
    rows = [
        f"  {'right' if right else 'wrong'}{' (your choice)' if i == chosen else ''}: {text}\n    {why}"
        for i, (text, right, why) in enumerate(question.choices)
    ]
    return "\n".join([head, *rows])


def _ask(chapter: str, question: Quiz) -> bool:
    """Show the question with radio buttons (reached by Tab, moved by arrows); False where widgets are not installed."""
    try:
        import ipywidgets as widgets
        from IPython.display import display

        from utils.plot.widget import boxed
    except ImportError:
        return False
    labels = [(f"{i}. {_plain(text)}", i - 1) for i, (text, _, _) in enumerate(question.choices, 1)]
    choices = widgets.RadioButtons(options=labels, value=None, layout=widgets.Layout(width="max-content"))
    button = widgets.Button(description="Answer", tooltip="Show whether this is right, and why", disabled=True)
    out = widgets.HTML()

    def chosen(_):
        button.disabled = choices.value is None

    def answered(_):
        _record(chapter, question, choices.value)
        body = box("good" if question.choices[choices.value][1] else "bad", explanation(question, choices.value))
        out.value = f'<div aria-live="polite">{body}</div>'

    choices.observe(chosen, "value")
    button.on_click(answered)
    show(question.question, markdown=question.question)
    display(boxed(choices, button, out))
    return True


def _record(chapter: str, question: Quiz, chosen: int) -> None:
    answer = {"choice": chosen + 1, "right": question.choices[chosen][1]}
    store.update(chapter, lambda data: data["quizzes"].update({question.name: answer}))


def _plain(text: str) -> str:
    return re.sub(r"[`*$]", "", text)


def _inline(text: str) -> str:
    """The little Markdown that a choice may hold: code and bold."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
    return re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", text)
