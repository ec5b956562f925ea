"""What every page of a report shares: the frame, the looks, and text made harmless."""

import html

from utils.grade.exports.common import number, one_line

# The policy is the second lock on learners' text, after escaping: no script runs and nothing is fetched.
FRAME = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""  # noqa: E501
STYLE = """\
:root { color-scheme: light dark; --ink: #1d2126; --soft: #565e68; --paper: #ffffff; --band: #f2f4f6; --line: #cfd5db;
  --bar: #0072b2; --good: #00664a; --bad: #a33c00; --link: #005a8e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaee; --soft: #aab3bd; --paper: #16191d; --band: #20252b;
  --line: #3b434c; --bar: #56b4e9; --good: #5fd3ae; --bad: #ff9f6b; --link: #7cc4f2; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; }
p { max-width: 46rem; margin: .4rem 0; overflow-wrap: anywhere; }
a { color: var(--link); }
a:focus-visible, .wide:focus-visible { outline: 3px solid var(--bar); outline-offset: 2px; }
.facts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 0 0 1rem; }
.facts div { min-width: 6rem; }
.facts dt { color: var(--soft); font-size: .85rem; }
.facts dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--soft); padding: .5rem .7rem; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem; border-top: 1px solid var(--line); }
td { overflow-wrap: anywhere; }
thead th { background: var(--band); white-space: nowrap; }
tbody th { font-weight: 600; overflow-wrap: anywhere; min-width: 9rem; }
@media (min-width: 40rem) { tbody th, .name { min-width: 15.5rem; } }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.status { white-space: nowrap; }
.sentence { min-width: 18rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .soft { color: var(--soft); }
.share { white-space: nowrap; font-variant-numeric: tabular-nums; }
.share b { display: inline-block; width: 3.6rem; font-weight: 400; text-align: right; padding-right: .6rem; }
.track { display: inline-block; width: 7rem; height: .75rem; background: var(--line); border-radius: 2px;
  overflow: hidden; }
.track span { display: block; height: 100%; background: var(--bar); }
.note { border-left: 4px solid var(--bad); background: var(--band); padding: .5rem .8rem; margin: .6rem 0;
  max-width: 46rem; }
code { font-size: .92em; overflow-wrap: anywhere; }
ul { padding-left: 1.2rem; max-width: 46rem; } li { overflow-wrap: anywhere; }
svg { display: block; max-width: 40rem; width: 100%; height: auto; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }
svg rect { fill: var(--bar); } svg line { stroke: var(--line); }
@media print { main { max-width: none; } .wide { overflow: visible; } }
"""


def text(value) -> str:
    """Any text as HTML that shows it: escaped, without control characters and marks that turn the reading direction."""
    return html.escape(one_line(str(value)), quote=True)


def frame(title: str, body: str) -> str:
    """A whole page; `title` is plain text, `body` is HTML."""
    return FRAME.format(title=text(title), style=STYLE, body=body)


def facts(**pairs) -> str:
    """A short list of names and values; underscores in a name are spaces."""
    rows = "".join(f"<div><dt>{text(k.replace('_', ' '))}</dt><dd>{text(v)}</dd></div>" for k, v in pairs.items())
    return f'<dl class="facts">{rows}</dl>'


def table(caption: str, head: list[tuple[str, str]], rows: list[list[str]]) -> str:
    """A table: `head` is (column title, class); the cells are HTML and the first of a row names it."""
    titles = "".join(f'<th scope="col" class="{kind}">{text(title)}</th>' for title, kind in head)
    body = []
    for first, *rest in rows:
        cells = "".join(f'<td class="{kind}">{cell}</td>' for cell, (_, kind) in zip(rest, head[1:], strict=True))
        body.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
    return (
        f'<div class="wide" role="region" aria-label="{text(caption)}" tabindex="0"><table>'
        f"<caption>{text(caption)}</caption>"
        f"<thead><tr>{titles}</tr></thead>\n<tbody>\n" + "\n".join(body) + "\n</tbody></table></div>"
    )


def bar(share: float) -> str:
    """A share from 0 to 1 as its number and a bar (decoration: the number says it all)."""
    width = f"{100 * min(max(share, 0), 1):.1f}%"
    return f'<b>{percent(share)}</b><span class="track" aria-hidden="true"><span style="width:{width}"></span></span>'


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def points(score: float, whole: float) -> str:
    return f"{number(score)} / {number(whole)}"


def mark(status: str) -> str:
    """A status as a word with a sign, so that colour is never all that tells."""
    if status == "full":
        return '<span class="good">&#10003; full</span>'
    if status == "partial":
        return '<span class="bad">&#9681; partial</span>'
    kind = "soft" if status in ("not attempted", "skipped", "missing") else "bad"
    return f'<span class="{kind}">&#10007; {text(status)}</span>'
