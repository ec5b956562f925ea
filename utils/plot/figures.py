"""The figures that chapters draw. Each returns a Picture: a plain plotly figure, its caption, its text in words."""

from collections.abc import Mapping, Sequence

import numpy as np

from utils.plot.picture import CATEGORIES, DIVERGING, INK, SEQUENTIAL, Picture, small, template


def plain_figure(traces, title: str, x: str, y: str, height: int, **layout):
    """A plotly figure in the course's style, with its title and the names of its axes."""
    import plotly.graph_objects as go

    figure = go.Figure(traces)
    figure.update_layout(template=template(), title_text=title, height=height, **layout)
    figure.update_xaxes(title_text=x)
    figure.update_yaxes(title_text=y)
    return figure


def line(
    curves: Mapping[str, Sequence],
    *,
    title: str,
    x: str,
    y: str,
    caption: str,
    alt: str | None = None,
    xs: Sequence | Mapping[str, Sequence] | None = None,
    levels: Mapping[str, float] | None = None,
    smooth: int = 1,
    height: int = 380,
) -> Picture:
    """Curves by name over one axis; `levels` are horizontal lines, by name, to read the curves against.

    `xs`: the places of all curves, or of each by its name (default 1, 2, 3, ...). `smooth`: width of a running mean
    that is drawn over the faint raw curve.
    """
    import plotly.graph_objects as go

    traces, words = [], []
    for number, (name, values) in enumerate(curves.items()):
        values = small(values).astype(np.float32)
        places = xs.get(name) if isinstance(xs, Mapping) else xs
        places = np.arange(1, len(values) + 1) if places is None else np.asarray(places)
        colour = CATEGORIES[number % len(CATEGORIES)]
        if smooth > 1 and len(values) > smooth:
            faint = {"color": colour, "width": 1}
            unread = {"opacity": 0.3, "showlegend": False, "hoverinfo": "skip"}
            traces.append(go.Scatter(x=places, y=values, line=faint, mode="lines", **unread))
            values = np.convolve(values, np.ones(smooth, np.float32) / smooth, mode="valid").astype(np.float32)
            places = places[smooth - 1 :]
        mode = "lines" if len(values) > 40 else "lines+markers"
        traces.append(go.Scatter(x=places, y=values, name=name, mode=mode, line={"color": colour, "width": 2}))
        if len(values):
            words.append(f"{name} goes from {values[0]:.3g} to {values[-1]:.3g}")
    figure = plain_figure(traces, title, x, y, height, showlegend=len(curves) > 1)
    if xs is None and max((len(values) for values in curves.values()), default=0) <= 12:
        figure.update_xaxes(dtick=1)  # no ticks between the 1st and the 2nd epoch
    if levels:
        _draw_levels(figure, levels, [float(v) for trace in traces for v in trace.y if np.isfinite(v)], height)
        words += [f"{name} is a level at {value:.3g}" for name, value in levels.items()]
    return Picture(figure, caption, alt or f"Line chart, {title}: {'; '.join(words)}.")


def _draw_levels(figure, levels: Mapping[str, float], values: list[float], height: int) -> None:
    """Horizontal lines, their names to the right of the axes; names that would overlap are moved apart."""
    span = max([*values, *levels.values()]) - min([*values, *levels.values()]) or 1.0
    pixels = (height - 125) / (1.1 * span)
    top = float("inf")
    for number, (name, value) in enumerate(sorted(levels.items(), key=lambda level: -level[1])):
        dash = ("dash", "dot", "dashdot", "longdash")[number % 4]
        figure.add_hline(y=value, line={"dash": dash, "color": "#555555", "width": 1.5})
        place = min(value * pixels, top - 15)
        text = {"text": f"{name}: {value:.2f}", "showarrow": False, "xanchor": "left", "yshift": place - value * pixels}
        figure.add_annotation(x=1.01, xref="paper", y=value, font={"size": 12}, **text)
        top = place
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    figure.update_layout(margin={"r": max(map(len, levels)) * 6 + 50, "t": 75}, legend=legend)


def named(labels: Sequence[str] | None) -> dict:
    """The ticks of an axis whose places have names; nothing to set without them."""
    return {} if labels is None else {"tickvals": list(range(len(labels))), "ticktext": list(labels)}


def _heat(values: np.ndarray, x: str, y: str, diverging: bool, limits: tuple[float, float] | None = None, **more):
    """The trace of a matrix; without limits a diverging scale reaches as far as the largest value of either sign."""
    import plotly.graph_objects as go

    if diverging and limits is None:
        high = float(np.abs(values[np.isfinite(values)]).max(initial=0)) or 1.0
        limits = -high, high
    low, high = limits or (None, None)
    hover = f"{y} %{{y}}<br>{x} %{{x}}<br>%{{z:.3g}}<extra></extra>"
    return go.Heatmap(
        z=values, colorscale=DIVERGING if diverging else SEQUENTIAL, zmin=low, zmax=high, hovertemplate=hover, **more
    )


def heatmap(
    values,
    *,
    title: str,
    x: str,
    y: str,
    caption: str,
    alt: str | None = None,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    diverging: bool = False,
    limits: tuple[float, float] | None = None,
    show_values: bool = False,
    height: int = 380,
) -> Picture:
    """A matrix as colours, row 0 on top. `diverging`: for values of both signs, the scale is centred on zero."""
    values = small(values)
    if values.ndim != 2:
        raise ValueError(f"a heat map needs a matrix, but this has shape {values.shape}")
    trace = _heat(values, x, y, diverging, limits, texttemplate="%{z:.2f}" if show_values else None)
    figure = plain_figure(trace, title, x, y, height)
    every = {"dtick": 1} if max(values.shape) <= 16 else {}  # where they have room, all rows and columns are numbered
    figure.update_yaxes(autorange="reversed", showgrid=False, title_standoff=10, **(named(rows) or every))
    figure.update_xaxes(showgrid=False, **(named(columns) or every))
    shape = f"{values.shape[0]} rows by {values.shape[1]} columns"
    return Picture(figure, caption, alt or f"Heat map, {title}: {shape}, {y} by {x}.")


def bars(
    groups: Mapping[str, Mapping[str, float]] | Mapping[str, float],
    *,
    title: str,
    x: str = "",
    y: str,
    caption: str,
    alt: str | None = None,
    height: int = 360,
) -> Picture:
    """Bars by label; or, where the values are mappings themselves, one colour per group: {group: {label: value}}."""
    import plotly.graph_objects as go

    grouped = all(isinstance(value, Mapping) for value in groups.values())
    series = groups if grouped else {"": groups}
    traces, words = [], []
    for number, (name, values) in enumerate(series.items()):
        heights = np.asarray(list(values.values()), dtype=np.float32)
        colour = CATEGORIES[number % len(CATEGORIES)]
        traces.append(go.Bar(x=list(values), y=heights, name=name, marker_color=colour))
        words.append((f"{name}: " if name else "") + ", ".join(f"{k} {float(v):.3g}" for k, v in values.items()))
    figure = plain_figure(traces, title, x, y, height, showlegend=grouped and len(series) > 1, barmode="group")
    figure.update_xaxes(type="category", showgrid=False)
    return Picture(figure, caption, alt or f"Bar chart, {title}: {'; '.join(words)}.")


def attention_figure(pattern, tokens: Sequence[str], *, title: str, query: int | None = None, height: int = 460):
    """One head's attention pattern (T, T) as a plain plotly figure: query rows from the top, key columns.

    Sent as 8-bit numbers. `query`: the row to outline.
    """
    import plotly.graph_objects as go

    pattern = np.nan_to_num(np.asarray(small(pattern), dtype=np.float32))
    if pattern.ndim != 2 or pattern.shape[0] != len(tokens):
        raise ValueError(f"a pattern of shape {pattern.shape} does not fit {len(tokens)} tokens")
    labels = [label(token) for token in tokens]
    trace = go.Heatmap(
        z=np.rint(np.clip(pattern, 0, 1) * 100).astype(np.uint8),
        colorscale=SEQUENTIAL,
        zmin=0,
        zmax=100,
        colorbar={"title": {"text": "%"}, "thickness": 14},
        hovertemplate="query %{y}, key %{x}: %{z}%<extra></extra>",
    )
    height = max(height, 11 * len(labels) + 150)  # each token keeps a line of its own
    figure = plain_figure(trace, title, "key: the token looked at", "query: the token that looks", height)
    size = 12 if len(labels) <= 24 else 10
    ticks = {**named(labels), "tickfont": {"size": size}, "showgrid": False}
    figure.update_yaxes(autorange="reversed", **ticks)
    figure.update_xaxes(tickangle=0 if max(map(len, tokens), default=0) <= 1 else -60, **ticks)
    if query is not None:
        box = {"x0": -0.5, "x1": len(labels) - 0.5, "y0": query - 0.5, "y1": query + 0.5}
        figure.add_shape(type="rect", line={"color": "#D55E00", "width": 2.5}, **box)
    return figure


def cells(numbers, colours: Sequence[str], text=None, **more):
    """A heat map whose cells have flat colours, `numbers` into `colours`, and a text each."""
    import plotly.graph_objects as go

    steps = len(colours)
    scale = [[(i + end) / steps, colour] for i, colour in enumerate(colours) for end in (0, 1)]
    options = {"texttemplate": "%{text}", "xgap": 1, "ygap": 1, **more}
    return go.Heatmap(z=numbers, text=text, colorscale=scale, zmin=-0.5, zmax=steps - 0.5, showscale=False, **options)


def label(token: str) -> str:
    """A token as an axis can show it: spaces and line breaks are made visible, angle brackets aren't taken for HTML."""
    shown = token.replace("\n", "⏎").replace("\t", "⇥").replace(" ", "␣")
    return (shown or "∅").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


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
    from plotly.subplots import make_subplots

    figure = make_subplots(1, len(matrices), subplot_titles=list(matrices), horizontal_spacing=0.08)
    for column, (name, values) in enumerate(matrices.items(), 1):
        across, down = (axes or {}).get(name, ("column", "row"))
        trace = _heat(small(values).astype(np.float32), across, down, diverging, showscale=False)
        figure.add_trace(trace, row=1, col=column)
        shown = named((ticks or {}).get(name))
        shown |= {"tickfont_size": 10} if shown else {}
        figure.update_xaxes(title_text=across, tickangle=0 if shown else None, **shown, row=1, col=column)
        figure.update_yaxes(title_text=down, **shown, row=1, col=column)
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(showgrid=False, autorange="reversed")
    lines = max(map(len, (ticks or {}).values()), default=0)  # each name of a row keeps a line of its own
    height = max(400, 11 * lines + 160)
    figure.update_layout(template=template(), title_text=title, height=height, margin={"t": 80})
    return Picture(figure, caption, alt or f"Heat maps side by side, {title}: {', '.join(matrices)}.")
