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


def test_traps_of_the_original(tmp_path, capsys):
    text = "-2^2;\n2^3^2;\nTrue or True and False;\n1<2<3;\n3 and 5;\nround(2.5);"
    status, out, _ = run(tmp_path, capsys, text)
    assert status == 0
    assert out == " ".join(f"value: out = {value}" for value in (4, 64, False, True, 5, 2))


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
    assert main(["run", "/no/such/file.rasp"]) == 2
    assert "cannot be read" in capsys.readouterr().err
