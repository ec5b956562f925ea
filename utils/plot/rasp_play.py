"""The RASP playground: type a program and an input, and see what every layer does (chapter 3)."""

import importlib
from collections.abc import Mapping, Sequence

from utils import course
from utils.plot.figures import matrix_panels, plain_figure
from utils.plot.picture import Picture
from utils.plot.rasp_steps import not_a_program, rasp_picture, size_in_words, trace
from utils.plot.widget import Explorer, explore

SHOWN = ("the program", "its weights")
FIRST = 'aggregate(select(indices, length() - 1 - indices, "=="), tokens)'


def playground(names: Mapping) -> Explorer:
    """Two text fields, a program in Python and its input, above the picture of the run; errors in one sentence.

    Instead of the run, the attention of the compiled program can be shown. `names`: what programs may use, such as
    `globals()` of a notebook. Enter or leaving a field draws anew.
    """

    def draw(program: str, input: str, show: str) -> Picture:
        try:
            sop = eval(program, dict(names))
            if problem := not_a_program(sop, program):
                raise ValueError(problem)
            run = trace(sop, input)
            sop(input)
        except SyntaxError as error:
            return _nothing("This program does not run", f"Python cannot read it as an expression: {error.msg}.")
        except Exception as error:  # what was typed is answered with the one sentence that is wrong with it
            return _nothing("This program does not run", str(error) or type(error).__name__)
        if show == SHOWN[0]:
            return rasp_picture(run, program)
        try:
            return compiled_picture(sop, input, program)
        except Exception as error:  # a program that runs, but that the compiler refuses
            return _nothing("The weights of this program cannot be shown", str(error) or type(error).__name__)

    return explore(draw, program=FIRST, input="hello", show=SHOWN)


def _nothing(title: str, says: str) -> Picture:
    """An empty picture with a sentence that says why."""
    figure = plain_figure([], title, "", "", 120)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return Picture(figure, says, f"{title}: {says}")


def compiled_picture(sop, x: str, title: str) -> Picture:
    """The attention patterns of a program's compiled form on an input, BOS first, head by head.

    Raises CourseError for a program that cannot be compiled, or where the compiler is not at hand.
    """
    try:
        compiler = importlib.import_module(f"solutions.{course.chapter_name('ch3')}.compiler")
    except ModuleNotFoundError:
        raise course.CourseError("The compiler is part of our solutions, which this copy leaves out.") from None
    model = compiler.compile_rasp(sop, sorted(set(x)), len(x))
    patterns = {
        f"layer {layer}, head {head + 1}": pattern[head]
        for layer, (pattern, used) in enumerate(zip(model.patterns(x), model.heads, strict=True), start=1)
        for head in range(used)
    }
    if not patterns:
        raise course.CourseError("This program computes each position by itself: its weights have no attention.")
    result = " ".join(map(str, model(x)))
    says = f"The compiled program makes {result} of {' '.join(x)}, {size_in_words(model.heads)}."
    says += " Yellow is a head's largest weight. A query that selects nothing looks at BOS."
    return attention_panels(patterns, ["BOS", *x], f"{title}, in weights", says)


def attention_panels(patterns: Mapping[str, object], tokens: Sequence[str], title: str, caption: str) -> Picture:
    """Attention patterns {name: (T, T)} over the same tokens side by side, query rows and key columns."""
    axes, ticks = dict.fromkeys(patterns, ("key", "query")), dict.fromkeys(patterns, tokens)
    return matrix_panels(patterns, title=title, axes=axes, ticks=ticks, diverging=False, caption=caption)
