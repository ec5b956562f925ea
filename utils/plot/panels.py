"""Several small figures side by side that share one legend or one row: curves, and matrices as colours."""

from collections.abc import Mapping, Sequence

import numpy as np

from utils.plot.picture import Picture
from utils.plot.style import CATEGORIES, DIVERGING, INK, SEQUENTIAL, small, template

DASHES = ("solid", "dash", "dot", "dashdot")


def line_panels(
    panels: Mapping[str, Mapping[str, Sequence]],
    *,
    title: str,
    x: str,
    y: str,
    caption: str,
    xs: Sequence | Mapping[str, Sequence] | None = None,
    marks: Mapping[str, Mapping[str, float]] | None = None,
    limits: tuple[float, float] | None = None,
) -> Picture:
    """Curves {panel: {name: values}}; a name has one colour and one dash in all panels, and one entry in the legend.

    `xs`: places for all, or for each panel by its name (default 0, 1, 2, ...). `marks`: {panel: {text: x}}, vertical
    lines. `limits` of the value axis, shared by the panels; without them each panel has its own.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    figure = make_subplots(1, len(panels), subplot_titles=list(panels), shared_yaxes=limits is not None)
    names = list(dict.fromkeys(name for curves in panels.values() for name in curves))
    seen, words = set(), []
    for column, (panel, curves) in enumerate(panels.items(), 1):
        for name, values in curves.items():
            values = small(values).astype(np.float32)
            places = xs.get(panel) if isinstance(xs, Mapping) else xs
            places = np.arange(len(values)) if places is None else np.asarray(places)[: len(values)]
            number = names.index(name)
            style = {"color": CATEGORIES[number % len(CATEGORIES)], "dash": DASHES[number % len(DASHES)], "width": 2}
            once = {"name": name, "legendgroup": name, "showlegend": name not in seen}
            figure.add_trace(go.Scatter(x=places, y=values, mode="lines", line=style, **once), row=1, col=column)
            seen.add(name)
            if len(values):
                words.append(f"{panel}: {name} goes from {values[0]:.3g} to {values[-1]:.3g}")
        for text, place in (marks or {}).get(panel, {}).items():
            line = {"dash": "dot", "color": INK, "width": 1.5}
            figure.add_vline(x=place, line=line, row=1, col=column)
            note = {"text": text, "showarrow": False, "textangle": -90, "xshift": -9, "font": {"size": 11}}
            figure.add_annotation(x=place, y=0.98, yref="y domain", yanchor="top", row=1, col=column, **note)
    legend = {"orientation": "h", "y": -0.3, "yanchor": "top", "x": 0}
    figure.update_layout(template=template(), title_text=title, height=380, legend=legend, margin={"t": 70, "b": 110})
    figure.update_xaxes(title_text=x, title_standoff=4)
    figure.update_yaxes(title_text=y, col=1)
    if limits is not None:
        figure.update_yaxes(range=list(limits))
    return Picture(figure, caption, f"Line charts, {title}: {'; '.join(words)}.")


def matrix_panels(
    matrices: Mapping[str, object],
    *,
    title: str,
    caption: str,
    alt: str | None = None,
    axes: Mapping[str, tuple[str, str]] | None = None,
    ticks: Mapping[str, Sequence[str]] | None = None,
    diverging: bool = True,
) -> Picture:
    """Matrices {name: (rows, columns)} side by side, row 0 on top, each with a colour scale of its own.

    `axes`: {name: (text of the columns, text of the rows)}; `ticks`: {name: labels} for both axes of a square matrix.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    figure = make_subplots(1, len(matrices), subplot_titles=list(matrices), horizontal_spacing=0.08)
    for column, (name, values) in enumerate(matrices.items(), 1):
        values = small(values).astype(np.float32)
        high = float(np.abs(values).max()) or 1.0
        across, down = (axes or {}).get(name, ("column", "row"))
        trace = go.Heatmap(
            z=values,
            colorscale=DIVERGING if diverging else SEQUENTIAL,
            zmin=-high if diverging else None,
            zmax=high if diverging else None,
            showscale=False,
            hovertemplate=f"{down} %{{y}}<br>{across} %{{x}}<br>%{{z:.3g}}<extra></extra>",
        )
        figure.add_trace(trace, row=1, col=column)
        figure.update_xaxes(title_text=across, row=1, col=column)
        figure.update_yaxes(title_text=down, row=1, col=column)
        labels = (ticks or {}).get(name)
        if labels is not None:
            shown = {"tickvals": list(range(len(labels))), "ticktext": list(labels), "tickfont": {"size": 10}}
            figure.update_xaxes(tickangle=0, **shown, row=1, col=column)
            figure.update_yaxes(**shown, row=1, col=column)
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(showgrid=False, autorange="reversed")
    figure.update_layout(template=template(), title_text=title, height=400, margin={"t": 80})
    return Picture(figure, caption, alt or f"Heat maps side by side, {title}: {', '.join(matrices)}.")
