"""The parts of utils.learn by themselves: progress on disk, pieces, help, predictions, quizzes, cards, report."""

import getpass
import os
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import torch

from utils import course
from utils.chapter import load_chapter, stub_source
from utils.grade import diagnose
from utils.grade.assess import assess
from utils.grade.policy import needs
from utils.grade.reference import reference
from utils.grade.status import Status
from utils.grade.subject import LocalRunner
from utils.learn import board, context, ladder, questions, reuse, show, sources, start, store
from utils.learn.check import CheckFailed, before_tests, check
from utils.learn.guard import Prints
from utils.learn.reuse import stand_ins
from utils.learn.show import Notice
from utils.plot import widget

IMPORTS = "import torch\nimport torch.nn.functional as F\nfrom torch import nn, Tensor\nfrom jaxtyping import Float\n"
SOLVED = """class LayerNorm(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.w = nn.Parameter(torch.ones(config.embedding_dimension))
        self.b = nn.Parameter(torch.zeros(config.embedding_dimension))

    def forward(self, residual):
        return scaled(F.layer_norm(residual, residual.shape[-1:], eps=self.config.layer_normalization_epsilon), self)
"""
HELPER = "SCALE = 1.0\n\ndef scaled(x, layer):\n    return x * layer.w * SCALE + layer.b\n"


@pytest.fixture(autouse=True)
def course_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / ".progress"))
    monkeypatch.setenv("COURSE_CHAPTER", "ch1")
    monkeypatch.setattr(store, "_memory", {})
    monkeypatch.setattr(store, "_told", set())
    return tmp_path / ".progress"


@pytest.fixture
def names(monkeypatch):
    """A learner's namespace; `define(source)` runs a cell in it, its lines known as IPython makes them."""
    import linecache

    space: dict = {"__name__": "__main__"}
    cells = iter(range(1000))

    def define(source: str) -> None:
        file = f"<ipython-input-test-{next(cells)}>"
        monkeypatch.setitem(linecache.cache, file, (len(source), None, source.splitlines(True), file))
        exec(compile(source, file, "exec"), space)

    space["define"] = define
    monkeypatch.setattr("utils.learn.ladder.namespace", lambda: space)
    monkeypatch.setattr(sys.modules["utils.learn.check"], "namespace", lambda: space)
    define(IMPORTS)
    return space


def test_every_status_is_told_apart(names):
    define = names["define"]

    def status(name: str = "LayerNorm") -> str:
        outcome = before_tests("ch1", name, names)
        return str(outcome.status) if outcome else "to be tested"

    assert status() == "missing"
    define(stub_source("ch1", "LayerNorm"))
    assert status() == "not attempted"
    define("LayerNorm = 3\n")
    assert status() == "wrong"
    define(HELPER + SOLVED)
    assert status() == "to be tested"
    names["LayerNorm"] = reference("ch1", "LayerNorm")
    assert status() == "skipped"
    define("class LayerNorm(LayerNorm): pass\n")
    assert status() == "skipped"


def test_wrong_needs_are_replaced_for_the_check_and_put_back(names):
    wrong = object()
    names["LayerNorm"] = wrong
    assert "LayerNorm" in needs("ch1", "TransformerBlock")
    with stand_ins("ch1", "TransformerBlock", names, lambda need, obj: False) as replaced:
        assert names["LayerNorm"] is reference("ch1", "LayerNorm")
        assert names["Attention"] is reference("ch1", "Attention")
        assert {"LayerNorm", "Attention", "MLP"} <= set(replaced)
    assert names["LayerNorm"] is wrong and "Attention" not in names
    with pytest.raises(KeyboardInterrupt):
        with stand_ins("ch1", "TransformerBlock", names, lambda need, obj: False):
            raise KeyboardInterrupt
    assert names["LayerNorm"] is wrong and "Attention" not in names


def test_needs_that_are_right_stay_the_learners(names):
    names["define"](HELPER + SOLVED)
    own = names["LayerNorm"]
    with stand_ins("ch1", "TransformerBlock", names, lambda need, obj: True) as replaced:
        assert names["LayerNorm"] is own and "LayerNorm" not in replaced


def test_a_handout_names_what_has_to_pass_first(names, monkeypatch):
    monkeypatch.setattr(course, "have_answers", lambda chapter: False)
    monkeypatch.setattr("utils.learn.reuse.needs", lambda chapter, name: ["LayerNorm"] if name == "MLP" else [])
    names["define"]("class MLP(nn.Module):\n    pass\n" + HELPER)
    for cell in ("", stub_source("ch1", "LayerNorm"), SOLVED):
        names["define"](cell)
        with pytest.raises(CheckFailed, match="Do LayerNorm .exercise 1.3. first: MLP builds on it") as error:
            check("MLP")
        assert error.value.outcome.status == "blocked"
    check("LayerNorm")
    with pytest.raises(CheckFailed) as error:
        check("MLP")
    assert error.value.outcome.status == "wrong"


def test_source_helpers_and_constants_are_found(names):
    names["define"](HELPER)
    names["define"](SOLVED)
    assert sources.source_of(names["LayerNorm"]) == SOLVED
    kept = sources.companions(names["LayerNorm"], names, {"LayerNorm"})
    assert kept["SCALE"] == "SCALE = 1.0\n" and kept["F"].startswith("import torch.nn.functional as F")
    assert list(kept).index("SCALE") < list(kept).index("scaled")


def test_decorated_and_builtin_helpers_are_found(names):
    names["define"]("from functools import cache\nfrom math import sqrt as root\nfrom torch import softmax\n")
    names["define"]("@cache\ndef scale(width):\n    return 1 / root(width)\n")
    names["define"]("def greedy(logits):\n    return int(softmax(logits * scale(4), -1).argmax())\n")
    kept = sources.companions(names["greedy"], names, {"greedy"})
    assert kept["scale"].startswith("@cache\ndef scale(width):")
    built = {}
    exec("".join(kept.values()) + sources.source_of(names["greedy"]), built)
    assert built["greedy"](torch.tensor([0.0, 2.0, 1.0])) == 1


def test_mine_is_the_learners_when_passed_and_the_reference_otherwise(names, capsys):
    assert reuse.mine("ch1.LayerNorm") is reference("ch1", "LayerNorm")
    assert "has not passed" in capsys.readouterr().out
    names["define"](HELPER + SOLVED)
    kept = sources.companions(names["LayerNorm"], names, {"LayerNorm"})
    store.update_entry("ch1", "LayerNorm", status="passed", source=SOLVED, companions=kept)
    mine = reuse.mine("ch1.LayerNorm")
    config = reference_config(embedding_dimension=6)
    x = torch.randn(2, 3, 6)
    torch.testing.assert_close(mine(config)(x), torch.nn.functional.layer_norm(x, (6,)), atol=1e-4, rtol=1e-4)
    assert mine is not reference("ch1", "LayerNorm") and "yours." in capsys.readouterr().out
    block = reuse.mine("ch1.TransformerBlock")
    assert block is reference("ch1", "TransformerBlock")
    with pytest.raises(Notice, match="did you mean LayerNorm"):
        reuse.mine("ch1.LayerNrom")


def solved_answers(key: str) -> dict[str, str]:
    """The answer cells of a chapter's solved notebooks, by exercise."""
    files = sorted((course.ROOT / "solutions" / course.chapter_name(key)).glob("*solutions.ipynb"))
    cells = [cell for file in files for cell in nbformat.read(file, as_version=4).cells]
    marks = [(cell.metadata.get("exercise", {}), cell.source) for cell in cells]
    return {mark["name"]: source for mark, source in marks if mark.get("role") == "answer"}


@pytest.mark.parametrize("key", course.chapters())
def test_mine_of_every_solved_answer_passes_its_check(key, monkeypatch, capsys):
    """An answer may read any other exercise, so that one is brought along, whether the chapter says so or not."""
    monkeypatch.setenv("COURSE_CHAPTER", key)
    exercises = {exercise.name for exercise in load_chapter(key).exercises}
    for name, source in solved_answers(key).items():
        solved = reference(key, name)
        others = sources.companions(solved, vars(sys.modules[solved.__module__]), exercises)
        store.update_entry(key, name, status="passed", source=source, companions=others)
    for exercise in load_chapter(key).exercises:
        own = reuse.mine(f"{key}.{exercise.name}")
        assert own is not reference(key, exercise.name)
        outcome = assess(key, exercise.name, LocalRunner(own))
        assert outcome.status == Status.FULL, (exercise.name, outcome.says)
    assert "the reference's" not in capsys.readouterr().out


@pytest.mark.parametrize("key", course.chapters())
def test_a_right_answer_passes_whatever_its_neighbours_are(key, names, monkeypatch):
    """What an answer builds on is lent by the reference where the learner's own is wrong; nothing is missed out."""
    monkeypatch.setenv("COURSE_CHAPTER", key)
    solved = solved_answers(key)
    for name, source in solved.items():
        names.update(reuse.base_names(key))
        for shared in load_chapter(key).shared:
            names["define"](shared)
        for other in solved.keys() - {name}:
            names["define"](f"def {other}(*given, **named):\n    raise ValueError('a neighbour was called')\n")
        names["define"](source)
        check(name)


def test_saved_source_that_no_longer_runs_gives_the_reference(capsys):
    store.update_entry("ch1", "LayerNorm", status="passed", source="class LayerNorm(Gone): pass\n")
    assert reuse.mine("ch1.LayerNorm") is reference("ch1", "LayerNorm")
    assert "could not be rebuilt" in capsys.readouterr().out


def reference_config(**changes):
    from types import SimpleNamespace

    return SimpleNamespace(layer_normalization_epsilon=1e-5, **changes)


def test_corrupt_progress_is_set_aside_with_one_sentence(course_folder, capsys):
    course_folder.mkdir()
    for text in ("{broken", "[1, 2]", '{"exercises": {"GELU": 3}}'):
        (course_folder / "ch1.json").write_text(text, encoding="utf-8")
        assert store.read("ch1")["exercises"] == {}
        said = capsys.readouterr().out
        assert said.count("\n") == 1 and "unreadable" in said
    assert len(list(course_folder.glob("ch1.unreadable-*.json"))) == 3
    store.update_entry("ch1", "GELU", status="passed")
    assert store.entry("ch1", "GELU") == {"status": "passed"}


def test_two_writers_lose_nothing(course_folder):
    code = (
        "import sys; from utils.learn import store\n"
        "for i in range(15): store.update_entry('ch1', f'{sys.argv[1]}{i}', status='tried')"
    )
    env = {**os.environ, "PYTHONPATH": str(course.ROOT)}
    other = subprocess.Popen([sys.executable, "-c", code, "other"], env=env)
    threads = [
        threading.Thread(target=lambda n=n: [store.update_entry("ch1", f"t{n}{i}", hints=i) for i in range(10)])
        for n in range(3)
    ]
    for thread in threads:
        thread.start()
    while other.poll() is None:  # write until the other kernel is done
        store.update_entry("ch1", "mine", hints=1)
        time.sleep(0.02)  # or nobody else's turn would come on a busy machine
    for thread in threads:
        thread.join()
    assert other.returncode == 0
    assert len(store.read("ch1")["exercises"]) == 15 + 30 + 1
    assert not list(course_folder.glob("*.tmp"))


def test_a_disk_that_refuses_is_told_once_and_work_goes_on(monkeypatch, capsys):
    def refuse(file, data):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(store, "write_whole", refuse)
    store.update_entry("ch1", "GELU", status="passed")
    store.update_entry("ch1", "MLP", status="tried")
    assert {"GELU", "MLP"} == set(store.read("ch1")["exercises"])
    assert capsys.readouterr().out.count("\n") == 1


def test_progress_has_a_bar_per_section(capsys):
    store.update_entry("ch1", "LayerNorm", status="passed")
    store.update_entry("ch1", "GELU", status="skipped")
    board.progress()
    said = capsys.readouterr().out
    sections = {exercise.section for exercise in load_chapter("ch1").exercises}
    assert all(section in said for section in sections)
    assert "LayerNorm done" in said and "GELU skipped" in said and "#" in said


def test_hints_open_step_by_step_and_are_remembered(capsys):
    said = []
    for _ in range(4):
        ladder.hint("LayerNorm")
        said.append(capsys.readouterr().out)
    assert "Hint 1 of 3" in said[0] and "Hint 2 of 3" in said[1] and "Hint 3 of 3" in said[2] and said[3] == said[2]
    assert store.entry("ch1", "LayerNorm")["hints"] == 3
    assert "Pseudocode" in said[2] and "Pseudocode" not in said[0]
    ladder.hint("LayerNorm", step=1)
    assert capsys.readouterr().out.startswith("Hint 1 of 3")
    with pytest.raises(Notice, match="did you mean LayerNorm"):
        ladder.hint("layer_nrom")


def test_reveal_waits_for_the_hints_and_shows_the_region_only(capsys):
    with pytest.raises(Notice, match="0 of 3 hints"):
        ladder.reveal("LayerNorm")
    ladder.reveal("LayerNorm", confirm=True)
    said = capsys.readouterr().out
    assert "self.w" in said and "def __init__" not in said and "# solution" not in said
    assert store.entry("ch1", "LayerNorm")["revealed"] is True


def test_skip_takes_the_reference_for_one_object(names, capsys):
    ladder.skip("LayerNorm")
    assert names["LayerNorm"] is reference("ch1", "LayerNorm") and "GELU" not in names
    assert store.entry("ch1", "LayerNorm")["status"] == "skipped"
    assert board.score("ch1", store.read("ch1")).startswith("Chapter 1: 0 of")


def test_reset_takes_an_exercise_back(capsys):
    store.update_entry("ch1", "LayerNorm", status="passed", hints=2)
    ladder.reset_exercise("LayerNorm")
    assert store.entry("ch1", "LayerNorm") == {}
    assert "raise NotImplementedError" in capsys.readouterr().out


def test_predictions_are_kept_and_compared(capsys):
    questions.predict("how long?")
    questions.compare("how long?", 4.0)
    assert "Write your prediction as" in capsys.readouterr().out
    questions.predict("how long?", guess=torch.tensor(3.0))
    questions.compare("how long?", torch.tensor(4.0))
    said = capsys.readouterr().out
    assert "You predicted 3.0. The answer: 4, off by 1 (25%)" in said
    with pytest.raises(Notice, match="not one of the choices"):
        questions.predict("which?", guess="c", options=("a", "b"))
    with pytest.raises(Notice, match="a number or a text"):
        questions.predict("which?", guess=[1])
    questions.predict("which?", guess="a", options=("a", "b"))
    questions.compare("which?", "a")
    assert "You were right" in capsys.readouterr().out


def test_quiz_explains_every_choice(capsys):
    question = load_chapter("ch1").quizzes[0]
    questions.quiz(question.name)
    assert f'quiz("{question.name}", answer=1)' in capsys.readouterr().out
    wrong = next(i for i, choice in enumerate(question.choices, 1) if not choice[1])
    questions.quiz(question.name, answer=wrong)
    said = capsys.readouterr().out
    assert said.startswith("Not this one.") and all(why in said for _, _, why in question.choices)
    assert store.read("ch1")["quizzes"][question.name] == {"choice": wrong, "right": False}
    with pytest.raises(Notice, match="number of a choice"):
        questions.quiz(question.name, answer=99)
    with pytest.raises(Notice, match="no quiz called"):
        questions.quiz("nothing")


def test_quiz_widget_answers_by_button(monkeypatch, capsys):
    widgets = pytest.importorskip("ipywidgets", reason="ipywidgets is not installed")
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    monkeypatch.setattr(questions, "show_widget", lambda box, said: shown.append(box) or widget.show_widget(box, said))
    question = load_chapter("ch1").quizzes[0]
    questions._ask("ch1", question)
    assert shown[-1]["text/plain"] == "Run this cell again to choose an answer."  # in a saved notebook, say
    style, choices, button, out, _ = shown[-2].children
    assert isinstance(choices, widgets.RadioButtons) and button.disabled
    assert choices._dom_classes[0] in style.value and "white-space:normal" in style.value, "long choices wrap"
    right = next(i for i, choice in enumerate(question.choices) if choice[1])
    choices.value = right
    assert not button.disabled
    button.click()
    assert "Right." in out.value and "aria-live" in out.value
    assert store.read("ch1")["quizzes"][question.name]["right"] is True


def test_a_failing_card_offers_its_help_by_a_button(monkeypatch, capsys):
    pytest.importorskip("ipywidgets", reason="ipywidgets is not installed")
    shown = []
    monkeypatch.setattr(ladder, "show_widget", lambda box, instead: shown.append(box))
    ladder.offer("ch1.LayerNorm")
    assert not shown, "where no kernel runs there is no button"
    monkeypatch.setattr(ladder, "widgets_work", lambda: True)
    ladder.offer("ch1.LayerNorm")
    button, *_ = shown[0].children
    for step, title in enumerate(("what do you see?", "a nudge", "pseudocode"), 1):
        assert button.description == f"Hint {step} of 3: {title}"
        button.click()
        assert store.entry("ch1", "LayerNorm")["hints"] == step
        assert f"Hint {step} of 3 for 1.3 LayerNorm" in capsys.readouterr().out
    assert button.description == "Show the solution"
    button.click()
    assert "Solution of 1.3 LayerNorm" in capsys.readouterr().out and button.disabled
    assert store.entry("ch1", "LayerNorm")["revealed"] is True
    monkeypatch.setattr(course, "have_answers", lambda chapter: False)
    ladder.offer("ch1.LayerNorm")  # all its hints are open already
    assert shown[1].children[0].description == "All hints are open" and shown[1].children[0].disabled


def test_the_start_page_says_what_is_missing(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_CHAPTER", "start")
    start.ready()
    said = capsys.readouterr().out
    assert "NO" not in said and f"PyTorch {torch.__version__}" in said and "Solutions: here" in said
    monkeypatch.setattr(start, "_free_memory", lambda: 2**28)
    monkeypatch.setattr(start, "_version", lambda name: "not installed" if name == "anywidget" else "1")
    start.ready()
    said = capsys.readouterr().out
    assert "NO  Memory: 0.2 GB free" in said and "NO  Buttons, sliders and figures: anywidget not installed" in said


def test_progress_on_the_start_page_is_that_of_all_chapters(monkeypatch, capsys):
    store.update_entry("ch2", "store", status="passed", points=2)
    monkeypatch.setenv("COURSE_CHAPTER", "start")
    board.progress()
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 1 + len(course.chapters()) and "1 of 20 exercises" in said[2] and "0 of 21" in said[1]


def test_report_has_versions_and_nothing_personal():
    text = start.report_text()
    assert torch.__version__ in text and "commit" in text and "memory" in text
    assert str(Path.home()) not in text and str(course.ROOT) not in text
    user = getpass.getuser()
    assert len(user) < 4 or user not in text


def test_names_resolve_and_miss_with_the_nearest():
    assert context.resolve("1.3")[1].name == context.resolve("ch1.LayerNorm")[1].name == "LayerNorm"
    with pytest.raises(course.CourseError, match="did you mean KVCache"):
        context.resolve("KvCach")
    with pytest.raises(course.CourseError, match="you can check Embedding"):
        context.resolve("zzz")
    with pytest.raises(course.CourseError, match="no chapter"):
        context.resolve("ch99.LayerNorm")


def test_plain_cards_show_a_row_that_differs():
    """Where a card is text alone, two equal rows under expected and got would tell nothing."""
    expected = torch.arange(24.0).reshape(2, 3, 4)
    got = expected.clone()
    got[1, 2, 3] = -1
    (_, wanted), (_, found) = show.compared(expected, got)
    assert wanted == "shape (2, 3, 4), row [1, 2] [20, 21, 22, 23]"
    assert found == "shape (2, 3, 4), row [1, 2] [20, 21, 22, -1]"
    assert "first row [0, 1, 2, 3]" in show.compared(expected, got[:1])[0][1]


def test_heat_maps_show_the_slice_that_differs():
    expected, got = torch.zeros(2, 3, 4, 20), torch.zeros(2, 3, 4, 20)
    got[1, 2, 3, 5] = 7
    assert show.window(expected, got) == (1, 2)
    markup = show.heat_maps(expected, got)
    assert "shown [1, 2, :, :12]" in markup and "1 of 480 values differ" in markup
    assert markup.count("(differs)") == 2 and "[3, 5] = 7 (differs)" in markup


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (torch.zeros(2, 3), torch.full((2, 3), float("nan"))),
        (torch.zeros(2, 3), torch.zeros(3, 2)),
        (torch.zeros(2, 3), torch.zeros(0, 3)),
        (torch.tensor(1.0), torch.tensor(2.0)),
        (torch.zeros(2, 1, 3), torch.zeros(3)),
        (torch.zeros(3, 20), torch.zeros(3, 20, 4)),  # an axis too many
        (torch.tensor([True, False]), torch.tensor([1, 2])),
        ("<b>", None),
        ([1, 2] * 500, {"a": 1}),
    ],
)
def test_heat_maps_take_anything(expected, got):
    markup = show.heat_maps(expected, got)
    assert "expected" in markup and "got" in markup and "<b>" not in markup
    assert len(show.brief(got)) <= 200


def test_prints_keep_the_first_lines_only():
    prints = Prints()
    print("a\n" * 10_000, "open", file=prints, end="")
    summary = prints.summary()
    assert len(summary.splitlines()) == 7 and "9,996 more lines" in summary


def test_import_is_light():
    """Neither plotly nor ipywidgets nor IPython comes with the star import; our figures configure plotly."""
    code = (
        "import sys\nfrom utils.learn import *\n"
        "assert not {'plotly', 'ipywidgets', 'IPython', 'pandas'} & set(sys.modules)\n"
        "import plotly.graph_objects as go, plotly.io as pio\n"
        "from utils.plot.picture import configure\nconfigure()\nc = pio.renderers['plotly_mimetype'].config\n"
        "assert c['displaylogo'] is False and c['showSendToCloud'] is False\n"
    )
    env = {**os.environ, "PYTHONPATH": str(course.ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, cwd=course.ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_a_stub_bound_as_a_default_argument_is_replaced_too(names):
    names["define"](stub_source("ch1", "greedy").replace("Float[Tensor, ", "tuple[Tensor, "))
    names["define"]("def generate(model, prompt, sample=greedy):\n    return sample\n")
    stub = names["greedy"]
    with stand_ins("ch1", "generate", names, lambda need, obj: False):
        assert names["generate"](None, None) is reference("ch1", "greedy")
    assert names["generate"](None, None) is stub


def test_what_known_mistakes_print_or_are_warned_of_is_not_told(monkeypatch, capsys):
    """While an answer is compared with them, torch may warn of a mistake that the learner has not made."""
    results = [SimpleNamespace(lost=False, passed=False, stopped=False, test="one", index=0)]

    def loud(*_):
        print("a mistake of ours")
        print("another", file=sys.stderr)
        warnings.warn("a third", stacklevel=1)
        return results[0]

    monkeypatch.setattr(diagnose, "run_test", loud)
    monkeypatch.setattr(diagnose, "alike", lambda *_: False)
    monkeypatch.setattr(diagnose, "hidden_tests", lambda *_: [SimpleNamespace(__name__="one")])
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert diagnose.diagnose("ch5_abstract_representations", "train_lea", results, 0) is None
    assert "".join(capsys.readouterr()) == "" and not warned
