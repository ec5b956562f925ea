"""The RASP playground: type a program and an input, and see what every layer does (chapter 3)."""

from collections.abc import Mapping

from utils.plot.figures import plain_figure
from utils.plot.picture import Picture
from utils.plot.rasp import rasp_picture
from utils.plot.rasp_steps import trace
from utils.plot.widget import Explorer, explore

FIRST = 'aggregate(select(indices, length() - 1 - indices, "=="), tokens)'


def playground(names: Mapping) -> Explorer:
    """Two text fields, a program in Python and its input, above the picture of the run; errors in one sentence.

    `names`: what programs may use, such as `globals()` of a notebook. Enter or leaving a field draws anew.
    """

    def draw(program: str, input: str) -> Picture:
        try:
            sop = eval(program, dict(names))
            if getattr(sop, "kind", "") != "s-op":
                raise ValueError("A program must end in an s-op; put a selector into aggregate(...) to use it.")
            run = trace(sop, input)
            sop(input)
        except Exception as error:  # what was typed is shown back with the one sentence that is wrong with it
            says = str(error) or type(error).__name__
            figure = plain_figure([], "This program does not run", "", "", 120)
            figure.update_xaxes(visible=False)
            figure.update_yaxes(visible=False)
            return Picture(figure, says, f"The program {program} does not run: {says}")
        return rasp_picture(run, program)

    return explore(draw, program=FIRST, input="hello")
