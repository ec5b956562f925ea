"""The RASP playground: type a program and an input, and see what every layer does (chapter 3)."""

import importlib
from collections.abc import Mapping

from utils import course
from utils.plot.figures import matrix_panels, plain_figure
from utils.plot.picture import Picture
from utils.plot.rasp_steps import rasp_picture, trace
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
            if getattr(sop, "kind", "") != "s-op":
                raise ValueError("A program must end in an s-op; put a selector into aggregate(...) to use it.")
            run = trace(sop, input)
            sop(input)
            if show == SHOWN[1]:
                return compiled_picture(sop, input, program)
        except Exception as error:  # what was typed is shown back with the one sentence that is wrong with it
            says = str(error) or type(error).__name__
            figure = plain_figure([], "This program does not run", "", "", 120)
            figure.update_xaxes(visible=False)
            figure.update_yaxes(visible=False)
            return Picture(figure, says, f"The program {program} does not run: {says}")
        return rasp_picture(run, program)

    return explore(draw, program=FIRST, input="hello", show=SHOWN)


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
    size = f"{model.layers} layer{'s' * (model.layers > 1)}, heads {model.heads}"
    says = f"The compiled program ({size}) makes {result} of {' '.join(x)}."
    return matrix_panels(
        patterns,
        title=f"{title}, in weights",
        axes={name: ("key", "query") for name in patterns},
        ticks={name: ["BOS", *x] for name in patterns},
        diverging=False,
        caption=f"{says} A query that selects nothing looks at BOS.",
    )
