"""Hidden tests of exercise 3.17: verdicts for several kinds of brackets, with neutral tokens among them."""

from pathlib import Path

from utils.grade import load_file

L = load_file(Path(__file__).with_name("_language.py"))


def verdicts(x, pairs):
    """With a stack."""
    closing, stack, broken, found = {p[1]: p[0] for p in pairs}, [], False, []
    for c in x:
        if c in closing:
            broken |= not stack or stack.pop() != closing[c]
        elif c in closing.values():
            stack.append(c)
        found.append("F" if broken else "P" if stack else "T")
    return found


def compared(dyck_k, inputs, pairs, says):
    found = L.result(dyck_k, [L.step("tokens"), pairs], inputs)
    L.agrees(found, [verdicts(x, pairs) for x in inputs], inputs, says)


def test_brackets_alone(dyck_k, draw):
    inputs = ["({})()", "{(})", "(()", "}{", "((){})"]
    inputs += ["".join("(){}"[int(i)] for i in draw.integers(0, 4, 7)) for _ in range(4)]
    compared(dyck_k, inputs, ["()", "{}"], "without neutral tokens, the verdicts T, P and F are wrong")


def test_neutral_tokens(dyck_k, draw):
    inputs = ["{(a)}", "a(a){a}", "(aa(a)a)", "a{a(b}", "(a}"]
    inputs += ["".join("(){}aab"[int(i)] for i in draw.integers(0, 7, 10)) for _ in range(6)]
    inputs += ["{(1)}", "{(-)}", "{([)}", "{(1-)a}"]  # whatever is not in pairs is neutral, other brackets as well
    says = "neutral tokens must change nothing: {(a)} is balanced at its end"
    compared(dyck_k, inputs, ["()", "{}"], says)


def test_other_pairs(dyck_k):
    compared(dyck_k, ["[({a})]", "[a(])", "([a]{})"], ["()", "{}", "[]"], "three kinds of brackets must work, too")
    compared(dyck_k, ["(a(a)a)"], ["()"], "one kind of bracket alone must work")


def test_any_sequence(dyck_k):
    seq = "tokens.lookup({'o': '(', 'c': ')', '(': 'a', 'u': '{', 'n': '}'})"
    found = L.result(dyck_k, [L.step(seq), ["()", "{}"]], ["uo(cn"])
    L.agrees(found, [list("PPPPT")], ["uo(cn"], "dyck_k must read the sequence that it is given")


def test_size(dyck_k):
    L.fits(dyck_k, [L.step("tokens"), ["()", "{}"]], [1, 2, 1, 1], "the repair must not make the program larger")
