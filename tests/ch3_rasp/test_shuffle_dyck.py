"""Hidden tests of exercise 3.16: whether each kind of bracket, taken alone, is balanced."""

from pathlib import Path

from utils.grade import load_file, require

L = load_file(Path(__file__).with_name("_language.py"))


def right(x, pairs):
    for opening, closing in pairs:
        depth = 0
        for c in x:
            depth += (c == opening) - (c == closing)
            if depth < 0:
                return [False] * len(x)
        if depth:
            return [False] * len(x)
    return [True] * len(x)


def compared(shuffle_dyck, inputs, pairs, says):
    found = L.result(shuffle_dyck, [L.step("tokens"), pairs], inputs)
    L.agrees(found, [right(x, pairs) for x in inputs], inputs, says)


def test_two_pairs(shuffle_dyck, draw):
    inputs = ["({)}", "()", "){}(", "(()", "{}}{", "(){", "a(b)", "a", "()){}(", ")}({"]
    inputs += ["".join("(){}"[int(i)] for i in draw.integers(0, 4, draw.integer(3, 15))) for _ in range(3)]
    says = "every position must get True where each kind of bracket is balanced by itself, else False"
    compared(shuffle_dyck, inputs, ["()", "{}"], says)


def test_other_numbers_of_pairs(shuffle_dyck):
    inputs = ["[(])", "()[}{]", "{[}]", "]["]
    compared(shuffle_dyck, inputs, ["()", "{}", "[]"], "all the pairs must be looked at, with three of them, too")
    compared(shuffle_dyck, ["(())", "())("], ["()"], "one pair alone must work")


def test_any_sequence(shuffle_dyck):
    seq = "tokens.lookup({'o': '(', 'c': ')', '(': 'a'})"
    found = L.result(shuffle_dyck, [L.step(seq), ["()"]], ["oc(", "o("])
    says = "shuffle_dyck must read the sequence that it is given"
    L.agrees(found, [[True] * 3, [False] * 2], ["oc(", "o("], says)


def test_size(shuffle_dyck):
    heads = L.result(shuffle_dyck, [L.step("tokens"), ["()", "{}"]], [], heads=[99, 99])["heads"]
    require(heads is None, "shuffle_dyck takes two layers, for any number of pairs", got=heads)
