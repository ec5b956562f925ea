"""Programs with values, types, sizes and errors as the original interpreter computed them."""

import json
from pathlib import Path

import pytest

import solutions.ch3_rasp as rasp
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
