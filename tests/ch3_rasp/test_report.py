"""Hidden tests of exercise 3.18: layers and heads of a program."""

from pathlib import Path

from utils.grade import load_file, require, takes_along

L = load_file(Path(__file__).with_name("_language.py"))


@takes_along(L.language, *L.LENT.values())
def run_report(report, text, merge):
    """The report of a program written in the tests' own language, given as the expression `text`.

    The learner's code may ask a step for its class, so it sees this language's classes under the chapter's names. There
    a selector is an s-op, too.
    """
    import inspect

    lent = language()  # noqa: F821
    lines = text.split(";")
    exec("\n".join(line.strip() for line in lines[:-1]), lent)
    program = eval(lines[-1].strip(), lent)
    own = getattr(inspect.unwrap(report), "__globals__", {})
    put = {"SOp": lent["SOp"].__base__, "Selector": lent["Selector"]}
    kept = {name: own[name] for name in put if name in own}
    own.update(put)
    try:
        return report(program) if merge is None else report(program, merge)
    finally:
        for name in put:
            own.pop(name, None)
        own.update(kept)


def compared(report, text, expected, says, merge=None):
    got = report.run(run_report, text, merge)
    inputs = {"program": text}
    good = isinstance(got, tuple) and len(got) == 2 and isinstance(got[1], list)
    require(good, "report must return (layers, heads): an int and a list of ints", got=got)
    require(got == expected, says, expected=expected, got=got, inputs=inputs)


def test_depth(report, draw):
    says = "the number of layers, or of heads in a layer, is wrong"
    compared(report, "(indices + 1) * 2", (0, []), "what is computed position by position needs no layer")
    compared(report, "aggregate(select(tokens, tokens, '=='), indices)", (1, [1]), says)
    compared(report, "round(1 / aggregate(full_s, indicator(indices == 0))) + 1", (1, [1]), says)
    text = "a = aggregate(select(indices, 1, '=='), tokens); aggregate(select(indices, indices, '<'), a + 'x')"
    compared(report, text, (2, [1, 1]), "an aggregate comes one layer after its values")
    n = draw.integer(3, 40)
    compared(report, "a = indices; " + "a = aggregate(full_s, a) + 1; " * n + "a", (n, [1] * n), says)


def test_queries_and_keys(report):
    for pair in ("indices, a", "a, indices"):
        text = f"a = aggregate(full_s, indices); aggregate(select({pair}, '=='), tokens, '?')"
        compared(report, text, (2, [1, 1]), "a selector waits for both its keys and its queries")


def test_joined_selectors(report):
    text = "a = has_focus(select(tokens, 'a', '==')); s = select(indices, indices, '<'); "
    says = "joining selectors costs no layer, and the joined selector comes with the latest of its parts"
    compared(report, text + "aggregate(s & select(a, True, '=='), 1)", (2, [1, 1]), says)
    compared(report, text + "aggregate(~(s | s), 1) + aggregate(s, 1)", (1, [2]), says)


def test_shared_selectors(report, draw):
    says = "a selector is one head in each layer where it is used, however many aggregates use it there"
    text = "s = select(indices, indices, '<='); a = aggregate(s, indicator(tokens == '(')); "
    compared(report, text + "a - aggregate(s, indicator(tokens == ')'))", (1, [1]), says)
    compared(report, text + "aggregate(s, a)", (2, [1, 1]), says)
    n = draw.integer(2, 40)
    several = " + ".join(["aggregate(select(indices, indices, '<'), indices)"] * n)
    compared(report, several, (1, [n]), "selectors are told apart as objects: equal ones are a head each")


def test_merged(report):
    says = "with merge=True, selectors that compare the same things in the same way are one head"
    both = "aggregate(select(indices, indices, '<'), indices) + aggregate(select(indices, indices, '<'), 1)"
    twice = "aggregate(select(indices, indices, '<'), indices) + aggregate(select(indices, indices, '<'), indices)"
    compared(report, twice, (1, [1]), says, merge=True)
    compared(report, both, (1, [1]), says, merge=True)
    compared(report, both, (1, [2]), "with merge=False, two equal selectors are two heads", merge=False)
    other = "aggregate(select(indices, indices, '<'), indices) + aggregate(select(indices, indices, '<='), 1)"
    compared(report, other, (1, [2]), "selectors that compare in another way stay two heads", merge=True)
    other = "aggregate(select(indices, indices, '<'), indices) + aggregate(select(tokens, tokens, '<'), 1)"
    says_other = "selectors that compare other things, in the same way, stay two heads"
    compared(report, other, (1, [2]), says_other, merge=True)
    parts = "select(indices, indices + 1, '==') & select(tokens, 'a', '==')"
    compared(report, f"aggregate({parts}, indices) + aggregate({parts}, 1)", (1, [1]), says, merge=True)
    compared(report, "sort(tokens)", (2, [2, 1]), "the size of a longer program is wrong")
