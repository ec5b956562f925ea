"""RASP's text form from files and at the prompt: where mistakes are, what stays private, what draw writes."""

import pytest

from solutions.ch3_rasp.cli import main
from solutions.ch3_rasp.console import prompt


def run(tmp_path, capsys, text: str, *more: str):
    file = tmp_path / "program.rasp"
    file.write_text(text, encoding="utf-8")
    status = main(["run", str(file), "--pictures", str(tmp_path / "pictures"), *more])
    said = capsys.readouterr()
    return status, " ".join(said.out.split()), said.err


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('a = 1;\ntokens != "l";', "line 2, column 8"),
        ("a = (1;\n", "line 1, column 7"),
        ("x = .5;", "line 1, column 5"),
    ],
)
def test_a_broken_file_is_named_by_line_and_column(tmp_path, capsys, text, place):
    status, out, err = run(tmp_path, capsys, text)
    assert status == 2 and place in err and "program.rasp" in err and out == ""


@pytest.mark.parametrize(
    ("text", "says"), [("2^20000;\n1;", "too many digits"), ("+".join(["1"] * 3000) + ";\n1;", "too long")]
)
def test_what_is_too_long_is_told_and_the_rest_goes_on(tmp_path, capsys, text, says):
    status, out, err = run(tmp_path, capsys, text)
    assert status == 2 and says in out and "value: out = 1" in out and "line 1" in err


def test_traps_of_the_original(tmp_path, capsys):
    text = "-2^2;\n2^3^2;\nTrue or True and False;\n1<2<3;\n3 and 5;\nround(2.5);"
    status, out, _ = run(tmp_path, capsys, text)
    assert status == 0
    assert out == " ".join(f"value: out = {value}" for value in (4, 64, False, True, 5, 2))


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("1 if True else 2 if False else 3;", "value: out = 3"),  # the left one is chosen from first
        ('"z" in ["a"] == True;', '!!ignoring input: "[atom] in X" expects X to be list or s-op, but got: False'),
        ("7 % 4 * 2;", "value: out = 7"),
        ("2*-3+1;", "value: out = -5"),
        ("not True==False;", "value: out = True"),
        ('a,b = "xy";', 'value: a = "x" value: b = "y"'),
        ('for k in {"a":1} { z = k; }\nz;', 'value: z = "a"'),
        ("for a in [1,2] { c = a; }\n{};\nc;", "dict: out = {} value: c = 2"),
        ("def f(max) { count = max; return count; }\nf(3);", "console function: f(max) value: out = 3"),
        ("def f(x) { return g(x); }\ndef g(x) { return x+1; }\nf(1);", "value: out = 2"),
        ('tokens("abc");\nout;', '= [a, b, c] (strings) value: out = "abc"'),
        ("max = 3;", "!!ignoring input: Error: Cannot set reserved name: max"),
        ('{"h":1}[tokens];', '!!ignoring input: index [ "e" ] not in dict.'),
        ("[1,2,3][indices];", "!!ignoring input: index 3 out of range for list of length 3"),
        ("tokens[indices];", "!!ignoring input: index into sequence has to be integer, got: indices"),
        ("set example tokens", "!!ignoring input: an input must be a string or a list, but this is tokens_str"),
        ("1/indices;", "something went wrong: division by zero"),
        ("1/tokens;", "something went wrong: unsupported operand type(s) for /: 'int' and 'str'"),
        ('1+"a";', "something went wrong: unsupported operand type(s) for +: 'int' and 'str'"),
        (
            "examples off\n[tokens, indices+1, not indices, indicator(tokens), 1 if indices else 0, full_s];",
            "list: out = [ s-op: tokens s-op: ( indices + 1 ) s-op: ( not indices ) s-op: I(tokens) "
            "s-op: 1 if indices else 0 selector: full_s ]",
        ),
        (
            'full seq display on\nlength;\ntokens=="l";',
            's-op: length Example: length("hello") = [5]*5 (ints) [skipped full display: identical values] '
            "s-op: out Example: input: h e l l o (strings) output: T T (bools)",
        ),
    ],
)
def test_what_the_prompt_prints(capsys, text, printed):
    assert prompt(lines=text.split("\n")) == 0
    assert " ".join(capsys.readouterr().out.split()).endswith(printed)


def test_names_given_in_one_session_are_unknown_in_the_next(capsys):
    prompt(lines=["def f(a) { return a; }", "f(tokens);", "x = tokens;", "y = length;"])
    capsys.readouterr()
    prompt(lines=["examples off", "[tokens, length];"])
    assert " ".join(capsys.readouterr().out.split()).endswith("list: out = [ s-op: tokens s-op: length ]")


def test_a_loaded_file_goes_on_after_an_error(tmp_path, capsys):
    (tmp_path / "inner.rasp").write_text("g = f;\nb = 7;\n_b = 8;\n", encoding="utf-8")
    (tmp_path / "outer.rasp").write_text(
        'a = f;\na = 3;\nload "inner";\nc = b;\nd = _b;\nexit\ne = 1;', encoding="utf-8"
    )
    status, out, _ = run(tmp_path, capsys, 'f = 10;\nload "outer";\nc;\ne;')
    assert status == 2
    assert [out.count(f"Undefined variable: {name}") for name in ("f", "_b", "e")] == [2, 1, 1]
    assert "value: a = 3" in out and out.count("value: c = 7") == 2 and "outer.rasp, line 5" in out


def test_commands_in_a_loaded_file_hold_from_there_on(tmp_path, capsys):
    (tmp_path / "lib.rasp").write_text('set example "ab"\nfull seq display on\n', encoding="utf-8")
    _, out, _ = run(tmp_path, capsys, 'load "lib";\nlength;')
    assert out == 's-op: length Example: length("ab") = [2]*2 (ints) [skipped full display: identical values]'


def test_a_loaded_name_is_printed_once_with_its_last_value(tmp_path, capsys):
    (tmp_path / "twice.rasp").write_text("a = 1;\nb = 2;\na = 3;\n", encoding="utf-8")
    _, out, _ = run(tmp_path, capsys, 'load "twice";')
    assert out == "value: b = 2 value: a = 3"


def test_load_keeps_private_names(tmp_path, capsys):
    (tmp_path / "lib.rasp").write_text("_hidden = 3;\nseen = _hidden + 1;\n# a comment\n", encoding="utf-8")
    status, out, err = run(tmp_path, capsys, 'load "lib";\nseen;\n_hidden;')
    assert status == 2 and "value: seen = 4" in out and "Undefined variable: _hidden" in out and "line 3" in err


def test_draw_writes_a_page_under_a_safe_name(tmp_path, capsys):
    status, out, _ = run(
        tmp_path, capsys, 'r = aggregate(select(indices,length-1-indices,==),tokens);\ndraw(r,"a/../b");'
    )
    assert status == 0 and "[b, /, ., ., /, a] (strings)" in out
    assert [path.suffix for path in (tmp_path / "pictures").glob("r*")] == [".html"]


def test_examples_and_commands(tmp_path, capsys):
    _, out, _ = run(tmp_path, capsys, 'set example "ab"\ntokens;\nexamples off\nindices;\nshow s-op example')
    assert 'Example: tokens("ab") = [a, b] (strings)' in out and "Example: indices" not in out
    assert 's-op example: "ab"' in out


def test_the_prompt_waits_for_the_end_of_a_statement(capsys):
    assert prompt(lines=["def f(a) {", "return a + 1;", "}", "f(2);", "exit", "f(3);"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "value: out = 3" in out and "value: out = 4" not in out


def test_compile_command(capsys):
    assert main(["compile", "reverse", "--input", "abc", "--tries", "5", "--max-len", "4"]) == 0
    assert "c b a" in capsys.readouterr().out
    assert main(["compile", "nothing"]) == 2
    assert main(["compile", "reverse", "--input", "", "--tries", "1", "--max-len", "3"]) == 2
    assert "must not be empty" in capsys.readouterr().err
    assert main(["draw-attention"]) == 2
    assert capsys.readouterr().err.startswith("Missing: --lang, --sequence; ")
    assert main(["draw-attention", "--sequence"]) == 2
    assert capsys.readouterr().err.startswith("--sequence needs a value; ")
    assert main(["run", "/no/such/file.rasp"]) == 2
    assert "cannot be read" in capsys.readouterr().err
