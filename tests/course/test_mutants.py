"""Tests of the hidden tests: the reference and every right variant pass, every known wrong answer is named."""

import ast
import builtins
import dis
import inspect

import pytest
import torch

from tests.course.rewrite import rewrite
from utils import course
from utils.chapter import load_chapter
from utils.grade import diagnose, suite, wire
from utils.grade.assess import Status, assess
from utils.grade.mutants import Mutant, mutants
from utils.grade.probes import isolated, probe_source
from utils.grade.reference import reference
from utils.grade.subject import LocalRunner

SEEDS = (101, 202, 303)  # seeds that no default uses
CHAPTERS = [course.START, *course.chapters()]
EXERCISES = [(chapter, exercise.name) for chapter in CHAPTERS for exercise in load_chapter(chapter).exercises]
READY = [pair for pair in EXERCISES if course.hidden_tests(*pair).is_file() and course.mutants_file(*pair).is_file()]

every_seed = pytest.mark.parametrize(
    "seed", [SEEDS[0], *(pytest.param(seed, marks=pytest.mark.slow) for seed in SEEDS[1:])]
)
every_exercise = pytest.mark.parametrize(("chapter", "name"), READY, ids=[f"{c}-{n}" for c, n in READY])


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def each_answer_runs_once(monkeypatch):
    """Diagnosis runs the same mutants for every wrong answer: within one test the result of each run is kept."""
    kept = {}
    run = suite.run_test

    def run_once(test, name, runner, seed, index):
        key = (test, runner.obj, seed, index)
        if type(runner) is not LocalRunner:
            return run(test, name, runner, seed, index)
        if key not in kept:
            kept[key] = run(test, name, runner, seed, index)
        return kept[key]

    for module in (suite, diagnose):
        monkeypatch.setattr(module, "run_test", run_once)


def wrong_ones(chapter: str, name: str) -> list[Mutant]:
    return [mutant for mutant in mutants(chapter, name) if not mutant.right]


def right_ones(chapter: str, name: str) -> list[Mutant]:
    return [mutant for mutant in mutants(chapter, name) if mutant.right]


def named(chapter: str, name: str, objects, seed: int) -> list[str]:
    """What is said wrongly about (mutant, object) pairs: empty when each is shown its own sentence and no other's."""
    sentences = {mutant.says for mutant in wrong_ones(chapter, name)}
    complaints = []
    for mutant, obj in objects:
        outcome = assess(chapter, name, LocalRunner(obj), seed)
        others = [says for says in sentences - {mutant.says} if says in outcome.says and says not in mutant.says]
        if outcome.ok:
            complaints.append(f"{mutant.name} passes with seed {seed}")
        elif mutant.says not in outcome.says or others:
            complaints.append(f"{mutant.name}, seed {seed}, fails {outcome.test} and is told: {outcome.says!r}")
    return complaints


def test_every_exercise_has_tests_and_mutants():
    missing = [f"{chapter} {name}" for chapter, name in EXERCISES if (chapter, name) not in READY]
    assert not missing, f"without hidden tests or without mutants: {', '.join(missing)}"
    assert EXERCISES


@every_exercise
@every_seed
def test_reference_passes(chapter, name, seed):
    outcome = assess(chapter, name, LocalRunner(reference(chapter, name)), seed)
    assert outcome.status is Status.FULL, f"{outcome.test}: {outcome.says}"


@every_exercise
@every_seed
def test_right_variants_pass(chapter, name, seed):
    variants = right_ones(chapter, name)
    assert len(variants) >= 2, "two right answers, written differently, are wanted"
    for mutant in variants:
        for obj in (mutant.obj, rewrite(mutant.obj)):
            outcome = assess(chapter, name, LocalRunner(obj), seed)
            assert outcome.ok, f"{mutant.name} with seed {seed} fails {outcome.test}: {outcome.says}"


@every_exercise
def test_every_mistake_has_a_name_of_its_own(chapter, name):
    tree = ast.parse(course.mutants_file(chapter, name).read_text(encoding="utf-8"))
    slips = [part for part in tree.body if isinstance(part, ast.Assign) and isinstance(part.value, ast.Call)]
    names = [part.targets[0].id for part in slips if isinstance(part.targets[0], ast.Name)]
    names += [part.name for part in tree.body if isinstance(part, (ast.FunctionDef, ast.ClassDef))]
    twice = {one for one in names if names.count(one) > 1}
    assert not twice, f"the later one replaces the earlier one: {', '.join(sorted(twice))}"


@every_exercise
def test_enough_wrong_answers(chapter, name):
    # an exercise with fewer known wrong answers says why in a constant of its mutants file
    reason = getattr(suite.load_file(course.mutants_file(chapter, name)), "FEWER_BECAUSE", "")
    assert len({mutant.says for mutant in wrong_ones(chapter, name)}) >= 5 or len(reason) > 20


@every_exercise
@pytest.mark.parametrize("seed", [SEEDS[0], pytest.param(SEEDS[1], marks=pytest.mark.slow)])
def test_wrong_answers_are_named(chapter, name, seed):
    complaints = named(chapter, name, [(m, m.obj) for m in wrong_ones(chapter, name)], seed)
    assert not complaints, "\n".join(complaints)


def test_a_mistake_is_named_in_a_class_of_the_notebook_too():
    """Its parameters are made in another order than those of the classes that the known wrong answers build on."""
    chapter, name = "ch1_transformer_from_scratch", "TransformerBlock"

    class Wrong(reference(chapter, name)):
        def forward(self, residual):
            middle = residual + self.attention(self.layer_norm_1(residual))
            return residual + self.mlp(self.layer_norm_2(middle))

    assert assess(chapter, name, LocalRunner(Wrong)).mutant == "LosesAttention"


@every_exercise
@pytest.mark.slow
def test_rewritten_wrong_answers_are_named(chapter, name):
    complaints = named(chapter, name, [(m, rewrite(m.obj)) for m in wrong_ones(chapter, name)], SEEDS[2])
    assert not complaints, "\n".join(complaints)


@every_exercise
@pytest.mark.slow
def test_each_hidden_test_catches_something_new(chapter, name):
    tests = suite.hidden_tests(chapter, name)
    left = {mutant.name: LocalRunner(mutant.obj) for mutant in wrong_ones(chapter, name)}
    idle = []
    for test in tests:
        caught = {
            mutant
            for mutant, runner in left.items()
            if not all(result.passed for result in suite.run_suite(chapter, name, runner, SEEDS[0], tests=[test]))
        }
        left = {mutant: runner for mutant, runner in left.items() if mutant not in caught}
        if not caught:
            idle.append(test.__name__)
    assert not idle, f"these catch nothing that the tests before them do not: {', '.join(idle)}"


@every_exercise
@pytest.mark.slow
def test_messages_say_enough_and_never_the_answer(chapter, name, monkeypatch):
    """A hand-out without answers has no mutants: there the hidden tests' own sentences must do."""
    source = inspect.getsource(reference(chapter, name))
    region = source.split("# solution", 1)[-1].split("# end solution")[0]
    lines = [" ".join(line.split()) for line in region.splitlines()]
    lines = [line for line in lines if len(line) >= 12 and not line.startswith("#")]
    found = wrong_ones(chapter, name)
    messages = {mutant.says for mutant in found}
    monkeypatch.setattr(diagnose, "mutants", lambda *_: ())
    for mutant in found:
        outcome = assess(chapter, name, LocalRunner(mutant.obj), SEEDS[0])
        assert not outcome.ok
        assert len(outcome.says) > 20, f"{mutant.name} is told only {outcome.says!r}"
        assert "cannot be judged" not in outcome.says, f"{mutant.name} trips the judge: {outcome.says!r}"
        messages.add(outcome.says)
    shown = [(line, message) for message in messages for line in lines if line in " ".join(message.split())]
    assert lines and not shown, shown


@every_exercise
def test_files_lean_on_no_answers(chapter, name):
    for file in (course.hidden_tests(chapter, name), course.mutants_file(chapter, name)):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [module for module in modules if module.split(".")[0] == "solutions"], f"{file.name} imports it"


@every_exercise
def test_probes_stand_alone(chapter, name):
    module = suite.load_file(course.hidden_tests(chapter, name))
    known = {"torch", "nn", "F", "SimpleNamespace", *vars(builtins)}
    for probe in [f for n, f in vars(module).items() if n.startswith("probe") and inspect.isfunction(f)]:
        helpers = getattr(probe, "takes_along", ())
        for part in (probe, *helpers):
            start = "@takes_along(" if part is probe and helpers else "def "
            assert inspect.getsource(part).startswith(start), f"{part.__name__} is decorated or not at the top level"
        assert probe_source(probe).startswith("def ")
        sent = known | {helper.__name__ for helper in helpers}  # a helper may call those sent along with it
        strangers = {name for part in (probe, *helpers) for name in _globals(isolated(part).__code__)} - sent
        assert not strangers, f"{probe.__name__} leans on {strangers}"


def _globals(code) -> list[str]:
    found = [step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")]
    if "class" in code.co_name or code.co_flags & inspect.CO_OPTIMIZED == 0:
        found = [name for name in found if name not in code.co_names or name not in _stored(code)]
        found = [name for name in found if not name.startswith("__")]
    return found + [name for inner in code.co_consts if inspect.iscode(inner) for name in _globals(inner)]


def _stored(code) -> set[str]:
    return {step.argval for step in dis.get_instructions(code) if step.opname == "STORE_NAME"}


class WireRunner(LocalRunner):
    """Everything goes through frames, as it does to a grading worker and back."""

    def run(self, probe, data):
        sent = wire.decode(wire.encode(data))
        assert diagnose.same_data(sent, wire.plain(data)), "the inputs do not survive the wire"
        result = super().run(probe, sent)
        received = wire.decode(wire.encode(result))
        assert diagnose.same_data(received, result), "the result does not survive the wire"
        return received


@every_exercise
def test_everything_survives_the_wire(chapter, name):
    outcome = assess(chapter, name, WireRunner(reference(chapter, name)), SEEDS[0])
    assert outcome.ok, f"{outcome.test}: {outcome.says}"
    wrong = wrong_ones(chapter, name)[0]
    assert assess(chapter, name, WireRunner(wrong.obj), SEEDS[0]).says == wrong.says
