"""The RASP playground: type a program and an input, and see what every layer does (chapter 3)."""

from collections.abc import Mapping

from utils.plot.picture import Picture
from utils.plot.rasp import rasp_picture
from utils.plot.rasp_steps import trace
from utils.plot.widget import Explorer

FIRST = 'aggregate(select(indices, length() - 1 - indices, "=="), tokens)'


def playground(names: Mapping, program: str = FIRST, text: str = "hello") -> Explorer:
    """Two text fields, a program in Python and its input, above the picture of the run; errors in one sentence.

    `names`: what programs may use, such as `globals()` of a notebook. Enter or leaving a field draws anew.
    """
    first = {"program": program, "input": text}

    def draw(**values) -> Picture:
        values = first | values
        try:
            sop = eval(values["program"], dict(names))
            if getattr(sop, "kind", "") != "s-op":
                raise ValueError("A program must end in an s-op; put a selector into aggregate(...) to use it.")
            run = trace(sop, values["input"])
            sop(values["input"])
        except Exception as error:  # what was typed is shown back with the one sentence that is wrong with it
            return _trouble(values["program"], str(error) or type(error).__name__)
        return rasp_picture(run, values["program"])

    def controls() -> dict:
        import ipywidgets as widgets

        style = {"description_width": "initial"}
        wide, narrow = {"width": "46em"}, {"width": "18em"}
        return {
            "program": widgets.Text(
                first["program"], description="program", continuous_update=False, layout=wide, style=style
            ),
            "input": widgets.Text(
                first["input"], description="input", continuous_update=False, layout=narrow, style=style
            ),
        }

    return Explorer(draw, controls)


def _trouble(program: str, says: str) -> Picture:
    import plotly.graph_objects as go

    from utils.plot.style import template

    figure = go.Figure()
    figure.update_layout(template=template(), height=120, title_text="This program does not run")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return Picture(figure, says, f"The program {program} does not run: {says}")
