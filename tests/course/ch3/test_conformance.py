"""Programs with values, types, sizes and errors as the original interpreter computed them."""

import json
from pathlib import Path

import pytest

import solutions.ch3_rasp as rasp
from solutions.ch3_rasp.console import Console
from solutions.ch3_rasp.interpreter import Interpreter
from solutions.ch3_rasp.reading import statements
from solutions.ch3_rasp.values import RaspError, kind_of

CASES = json.loads(Path(__file__).with_name("conformance.json").read_text(encoding="utf-8"))
TRIPLES = CASES["triples"]


def run_python(text: str):
    names = {name: getattr(rasp, name) for name in rasp.__all__}
    exec(text, names)
    return names["out_"]


def same(got, expected) -> bool:
    """Equal values of equal types; floats to nine digits."""
    if isinstance(expected, list):
        return len(got) == len(expected) and all(map(same, got, expected))
    if isinstance(expected, float) or isinstance(got, float):
        return type(got) in (int, float) and got == pytest.approx(expected, abs=1e-9)
    return type(got) is type(expected) and got == expected


@pytest.mark.parametrize("case", TRIPLES, ids=[case["id"] for case in TRIPLES])
def test_python_form(case):
    expected = case["expected"]
    if "error" in expected:
        sop = run_python(case["py"])
        with pytest.raises(RaspError):
            sop(case["input"])
        return
    sop = run_python(case["py"])
    got = sop(case["input"])
    if expected["type"] == "selector":
        assert [[int(cell) for cell in row] for row in got] == expected["values"]
    else:
        assert kind_of(got) == expected["type"]
        assert same(got, expected["values"]), got
    if "layers" in case:
        assert rasp.report(sop) == (case["layers"], case["heads_per_layer"])


def run_text(text: str, example: str) -> tuple[list[str], Console]:
    """What the prompt prints for a text, spaces evened out, and the console it was typed at."""
    said: list[str] = []
    interpreter = Interpreter()
    interpreter.example = interpreter.selector_example = example
    console = Console(interpreter, said.append)
    for statement in statements(text):
        console.carry_out(statement)
    return [" ".join(line.split()) for lines in said for line in lines.split("\n")], console


@pytest.mark.parametrize("case", TRIPLES, ids=[case["id"] for case in TRIPLES])
def test_text_form(case):
    expected = case["expected"]
    said, console = run_text(case["rasp"], case["input"] or "hello")
    if "error" in expected:
        assert console.failed or case["input"] == "", said
        return
    assert not console.failed, said
    made = console.interpreter.names.get("out_")
    if expected["type"] == "selector":
        assert [[int(cell) for cell in row] for row in made(case["input"])] == expected["values"]
    else:
        assert same(made(case["input"]), expected["values"])
    if "layers" in case:
        assert rasp.report(made) == (case["layers"], case["heads_per_layer"])


@pytest.mark.parametrize("case", CASES["text_only"], ids=[case["text"][:20] for case in CASES["text_only"]])
def test_text_only(case):
    said, console = run_text(case["text"], case["example"])
    if case["printed"][0].startswith("!! antlr"):
        assert console.failed and said[0].startswith("!! line 1, column 7:"), said
    else:
        assert said == case["printed"]
