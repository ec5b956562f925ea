"""utils.learn as a notebook meets it: cells run in IPython's own shell, in this process."""

import json
import random
import sys
import warnings

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

from utils import course
from utils.learn import store
from utils.learn.check import CheckFailed
from utils.learn.show import Notice

IMPORTS = (
    "import torch\nfrom torch import nn, Tensor\nfrom jaxtyping import Float\n"
    "from utils.learn import *\nstart_chapter('ch1')\n"
)
NORM = """class LayerNorm(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.w = nn.Parameter(torch.ones(config.embedding_dimension))
        self.b = nn.Parameter(torch.zeros(config.embedding_dimension))

    def forward(self, residual):
        {extra}
        mean = residual.mean(-1, keepdim=True)
        variance = residual.var(-1, keepdim=True, unbiased={unbiased})
        return (residual - mean) / (variance + self.config.layer_normalization_epsilon).sqrt() * self.w + self.b
"""
RIGHT = NORM.format(extra="pass", unbiased=False)
WRONG = NORM.format(extra="pass", unbiased=True)


class Notebook:
    """Runs cells; keeps what was printed, displayed and raised."""

    def __init__(self, shell, capsys):
        self.shell, self.capsys = shell, capsys
        self.error = None

    def run(self, source: str) -> str:
        """Run a cell and return its text; the exception it ended with, if any, is in `error`."""
        self.capsys.readouterr()
        result = self.shell.run_cell(source, store_history=True)
        self.error = result.error_in_exec or result.error_before_exec
        return self.capsys.readouterr().out

    def fine(self, source: str) -> str:
        text = self.run(source)
        assert self.error is None, self.error
        return text

    def fails(self, source: str, kind=CheckFailed) -> str:
        """Run a cell that must raise; returns its one sentence."""
        self.output = self.run(source)
        assert type(self.error) is kind, repr(self.error)
        return str(self.error)

    def __getitem__(self, name):
        return self.shell.user_ns[name]


@pytest.fixture
def notebook(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / ".progress"))
    monkeypatch.setenv("COURSE_CHAPTER", "ch1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setattr(store, "_memory", {})
    monkeypatch.setattr(store, "_told", set())
    main, hook = sys.modules["__main__"], sys.displayhook
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    book = Notebook(shell, capsys)
    book.fine(IMPORTS)
    yield book
    InteractiveShell.clear_instance()
    sys.modules["__main__"], sys.displayhook = main, hook


@pytest.fixture
def handout(monkeypatch):
    """As in a class hand-out: neither the reference nor the mutants are there."""
    monkeypatch.setattr(course, "have_answers", lambda chapter: False)


def entries() -> dict:
    return store.read("ch1")["exercises"]


def test_a_notebook_is_set_up_and_says_so_in_one_line(notebook):
    said = notebook.fine("torch.manual_seed(5); start_chapter('ch1')")
    assert said.count("\n") == 1
    assert torch.__version__ in said and "chapter 1" in said and "Python 3." in said
    assert torch.initial_seed() == 0
    assert callable(notebook["check"]) and callable(notebook["report"])


def test_plain_import_changes_nothing(capsys):
    torch.manual_seed(5)
    namespace = {"__name__": "somewhere"}
    exec("from utils.learn import *", namespace)
    assert torch.initial_seed() == 5
    assert capsys.readouterr().out == ""
    assert "check" in namespace


def test_right_answer_passes_with_points_and_is_kept(notebook):
    notebook.fine(RIGHT)
    said = notebook.fine("check(LayerNorm)")
    assert "1.3 LayerNorm" in said and "+2 points" in said and "2 of " in said
    assert entries()["LayerNorm"]["status"] == "passed"
    assert entries()["LayerNorm"]["source"] == RIGHT
    assert "as before" in notebook.fine('check("LayerNorm")')


def test_wrong_answer_raises_with_the_mistake_named(notebook):
    notebook.fine(WRONG)
    says = notebook.fails("check(LayerNorm)")
    assert "E - 1" in says
    assert "expected" in notebook.output and "utils/learn" not in notebook.output
    assert "Traceback" not in notebook.output
    assert entries()["LayerNorm"]["status"] == "tried"


def test_a_pass_is_not_lost_by_a_later_failure(notebook):
    notebook.fine(RIGHT)
    notebook.fine("check(LayerNorm)")
    notebook.fine(WRONG)
    notebook.fails("check(LayerNorm)")
    assert entries()["LayerNorm"]["status"] == "passed"


def test_stub_is_not_attempted(notebook):
    from utils.chapter import stub_source

    notebook.fine(stub_source("ch1", "LayerNorm"))
    assert "not attempted" in notebook.fails("check(LayerNorm)")
    assert "LayerNorm" not in entries()


def test_a_lost_decorator_of_the_chapter_is_missed(notebook, monkeypatch):
    monkeypatch.setenv("COURSE_CHAPTER", "ch3")
    rows = "[[(COMPARISONS[op] if op in COMPARISONS else op)(key, query) for key in keys] for query in queries]"
    answer = f"def select(keys, queries, op):\n    return np.array({rows}, dtype=bool)\n"
    notebook.fine("import numpy as np\nfrom solutions.ch3_rasp.language import lazily\n")
    notebook.fine("from solutions.ch3_rasp.values import COMPARISONS\n")
    notebook.fine(answer)
    assert 'the line @lazily("Selector") above select is missing' in notebook.fails('check("ch3.select")')
    notebook.fine('select = lazily("Selector")(select)')
    notebook.fine('check("ch3.select")')
    notebook.fine(f'@lazily("Selector")\n{answer}')
    notebook.fine('check("ch3.select")')


def test_escaped_not_implemented_is_unfinished(notebook):
    notebook.fine(NORM.format(extra="raise NotImplementedError", unbiased=False))
    assert "not written yet" in notebook.fails("check(LayerNorm)")


def test_own_exception_names_the_learners_line_and_hides_our_frames(notebook):
    notebook.fine(NORM.format(extra="residual.nonsense()", unbiased=False))
    says = notebook.fails("check(LayerNorm)")
    assert "AttributeError" in says and "line 9 of your cell" in says and "residual.nonsense()" in says
    assert "subject.py" not in notebook.output


def test_the_line_is_one_of_the_answers_own_cell(notebook):
    """Also where the error comes from a function of another cell, such as one that the chapter gives."""
    notebook.fine("\n\ndef given(x):\n    return x.nonsense()")
    notebook.fine(NORM.format(extra="given(residual)", unbiased=False))
    assert "line 9 of your cell: given(residual)" in notebook.fails("check(LayerNorm)")


def test_last_definition_counts(notebook):
    notebook.fine(WRONG + "old = LayerNorm\n")
    notebook.fine(RIGHT)
    notebook.fine("check(old)")
    notebook.fine(WRONG)
    notebook.fails("check(LayerNorm)")


@pytest.mark.parametrize(
    ("argument", "part"),
    [
        ("None", "cannot check None"),
        ("3", "cannot check the number 3"),
        ("'LayerNrom'", "did you mean LayerNorm"),
        ("torch", "cannot check a module"),
        ("len", "no exercise called len"),
        ("LayerNorm(SimpleNamespace(embedding_dimension=3))", "check(LayerNorm)"),
    ],
)
def test_wrong_argument_gets_one_sentence(notebook, argument, part):
    notebook.fine("from types import SimpleNamespace\n" + RIGHT)
    says = notebook.fails(f"check({argument})")
    assert part in says and "\n" not in says


def test_undefined_and_overwritten_names(notebook):
    assert "not defined" in notebook.fails('check("LayerNorm")')
    notebook.fine(RIGHT + "LayerNorm = 3")
    assert "must be a class" in notebook.fails('check("LayerNorm")')


def test_shadowed_names_do_no_harm(notebook):
    notebook.fine(RIGHT + "keep = check\nprint = input = len = store = None")
    notebook.fine("keep(LayerNorm)")


def test_check_leaves_no_trace(notebook):
    disturb = "torch.manual_seed(9); torch.set_default_dtype(torch.float64); torch.set_grad_enabled(False)"
    notebook.fine(NORM.format(extra=disturb + "; torch.set_default_dtype(torch.float32)", unbiased=False))
    random.seed(1), np.random.seed(2), torch.manual_seed(3)
    hook = torch.nn.modules.module.register_module_forward_hook(lambda module, args, out: out * 0)
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist(), warnings.filters[:]
    try:
        notebook.run("check(LayerNorm)")
        assert torch.get_default_dtype() is torch.float64
        assert not torch.is_grad_enabled()
        assert len(torch.nn.modules.module._global_forward_hooks) == 1
        after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist(), warnings.filters
        assert after == before
    finally:
        hook.remove()
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
    assert notebook.error is None or "grad" in str(notebook.error)


def test_ten_thousand_prints_do_not_flood(notebook):
    notebook.fine(NORM.format(extra="[print('line', i) for i in range(10_000)]", unbiased=False))
    said = notebook.fine("check(LayerNorm)")
    assert "line 0" in said and "not shown" in said
    assert len(said.splitlines()) < 15


def test_interrupting_a_check_ends_in_a_card(notebook, monkeypatch):
    notebook.fine(NORM.format(extra="raise KeyboardInterrupt", unbiased=False))
    says = notebook.fails("check(LayerNorm)")
    assert "stopped by you" in says and "line 9 of your cell" in says and "LayerNorm" not in entries()
    notebook.fine(WRONG)
    monkeypatch.setattr("utils.grade.assess.diagnose", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert "stopped by you" in notebook.fails("check(LayerNorm)")
    assert "subject.py" not in notebook.output and "assess.py" not in notebook.output


def test_a_check_of_an_endless_loop_ends(notebook, monkeypatch):
    monkeypatch.setattr("utils.grade.subject.SECONDS", 0.3)
    notebook.fine(NORM.format(extra="while True: pass", unbiased=False))
    says = notebook.fails("check(LayerNorm)")
    assert "did not come to an end" in says and "line 9 of your cell: while True: pass" in says


def test_a_failure_is_shown_once(notebook):
    notebook.fine(WRONG)
    says = notebook.fails("check(LayerNorm)")
    assert notebook.output.count(says) == 1


def test_card_is_html_with_heat_maps_and_no_frames(notebook, monkeypatch):
    shown = []
    monkeypatch.setattr(InteractiveShell, "kernel", object(), raising=False)
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle))
    notebook.fine(WRONG)
    notebook.fails("check(LayerNorm)")
    (card,) = (bundle for bundle in shown if "text/html" in bundle)  # beside the button for a hint
    assert 'role="alert"' in card["text/html"]
    assert card["text/html"].count("<table") == 2 and "aria-label" in card["text/html"]
    assert "residual: float32 (3, 5, 7)" in card["text/html"]
    assert "E - 1" in card["text/plain"]
    assert "frame" not in card["text/plain"]
    notebook.fine(RIGHT)
    notebook.fine("check(LayerNorm)")
    assert "&#10003;" in shown[-1]["text/html"]


def test_reference_is_not_the_learners_work(notebook):
    notebook.fine("from solutions.ch1_transformer_from_scratch.layers import LayerNorm")
    assert "no points" in notebook.fine("check(LayerNorm)")
    assert "LayerNorm" not in entries()


def test_handout_says_what_is_missing(notebook, handout):
    for call in ('skip("LayerNorm")', 'reveal("LayerNorm", confirm=True)'):
        assert "not part of this hand-out" in notebook.fails(call, Notice)


def test_progress_is_readable_json_without_answers_of_ours(notebook, tmp_path):
    notebook.fine(RIGHT)
    notebook.fine("check(LayerNorm)")
    data = json.loads((tmp_path / ".progress" / "ch1.json").read_text(encoding="utf-8"))
    assert data["version"] == 1 and list(data["exercises"]) == ["LayerNorm"]


def test_a_need_that_has_not_passed_is_the_references_meanwhile(notebook):
    from utils.chapter import stub_source

    block = course.ROOT / "solutions" / "ch1_transformer_from_scratch" / "model.py"
    source = block.read_text(encoding="utf-8")
    source = source[source.index("class TransformerBlock") : source.index("class Transformer(")]
    notebook.fine(stub_source("ch1", "LayerNorm"))
    stub = notebook["LayerNorm"]
    notebook.fine(source)
    said = notebook.fine("check(TransformerBlock)")
    assert "1.8 TransformerBlock" in said and "reference stood in for LayerNorm" in said
    assert notebook["LayerNorm"] is stub and "Attention" not in notebook.shell.user_ns


def test_an_answer_defined_inside_a_function_is_judged_and_leaves_no_name(notebook):
    body = "".join("    " + line + "\n" for line in RIGHT.splitlines())
    notebook.fine(f"def answer():\n{body}    return LayerNorm\n")
    notebook.fine("check(answer())")
    assert "LayerNorm" not in notebook.shell.user_ns


def test_skip_lets_the_rest_go_on(notebook):
    said = notebook.fine('skip("LayerNorm")\ncheck(LayerNorm)')
    assert "skipped" in said and "no points" in said
    assert entries()["LayerNorm"]["status"] == "skipped"


def test_handout_without_mutants_says_so_once(notebook, monkeypatch, tmp_path):
    monkeypatch.setattr("utils.grade.diagnose.mutants", lambda chapter, name: ())
    monkeypatch.setattr(sys.modules["utils.learn.check"], "_has_mutants", lambda chapter: False)
    notebook.fine(WRONG)
    says = notebook.fails("check(LayerNorm)")
    assert "E - 1" not in says and "not part of this hand-out" in notebook.output
