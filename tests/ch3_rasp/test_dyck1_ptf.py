"""Hidden tests of exercise 3.15: after each prefix: balanced, possible, or broken for good."""

from pathlib import Path

from utils.grade import load_file

L = load_file(Path(__file__).with_name("_language.py"))


def verdicts(x):
    """With a counter, from left to right."""
    depth, broken, found = 0, False, []
    for c in x:
        depth += (c == "(") - (c == ")")
        broken |= depth < 0
        found.append("F" if broken else "T" if depth == 0 else "P")
    return found


def test_verdicts(dyck1_ptf, draw):
    inputs = ["())(", "(())", "()()", "(", ")", "((()", ")()(", "a(b)c", "aa", "())((", ")((", "[(]{)}", "-1)"]
    inputs += ["".join("()a"[int(i)] for i in draw.integers(0, 3, 12)) for _ in range(3)]
    found = L.result(dyck1_ptf, [L.step("tokens")], inputs)
    says = "the verdicts T, P and F after each prefix are wrong"
    L.agrees(found, [verdicts(x) for x in inputs], inputs, says)


def test_long_texts(dyck1_ptf):
    inputs = ["(" + "a" * 48, ")" + "(" * 48]
    says = "the verdicts are wrong in a long text: 49 * (1 / 49) is a little below 1 in floats, so don't cut it off"
    L.agrees(L.result(dyck1_ptf, [L.step("tokens")], inputs[:1]), [verdicts(inputs[0])], inputs[:1], says)
    says = "one negative balance breaks all that follows, however long the text is"
    L.agrees(L.result(dyck1_ptf, [L.step("tokens")], inputs[1:]), [verdicts(inputs[1])], inputs[1:], says)


def test_any_sequence(dyck1_ptf):
    found = L.result(dyck1_ptf, [L.step("tokens.lookup({'o': '(', 'c': ')'})")], ["ocoo"])
    L.agrees(found, [list("PTPP")], ["ocoo"], "dyck1_ptf must read the sequence that it is given")


def test_size(dyck1_ptf):
    L.fits(
        dyck1_ptf, [L.step("tokens")], [1, 1], "dyck1_ptf takes two layers of one head, the balance and then its past"
    )
