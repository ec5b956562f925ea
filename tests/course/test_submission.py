"""The learner's definitions as source: by name, from cells split, merged, moved, broken, exported."""

import pytest

from utils.chapter import load_chapter
from utils.grade import policy
from utils.grade.submission import Notebook, course_chapter

NAMES = ["f", "g"]


def run(notebook, name, replaced=None):
    """Execute what would be sent to a worker (here trusted text) and return the object."""
    made = {}
    for module in notebook.modules(name, replaced or {}):
        space = {used: made[used] for used in module["uses"]}
        for _, _, source in module["parts"]:
            exec(source, space)
        made[module["name"]] = space[module["name"]]
    return made[name]


def pieces(cells, name="f"):
    return [source for _, _, source in Notebook(cells, NAMES).definition(name).parts]


def test_only_what_the_answer_reads_is_taken():
    cells = [
        "import math, os",
        "print('demo')\nunused = os.getcwd()",
        "def f(x):\n    return math.sqrt(x)",
        "f(4)\nimport evil",
    ]
    assert pieces(cells) == ["import math, os", "def f(x):\n    return math.sqrt(x)"]


def test_the_last_definition_counts():
    assert run(Notebook(["def f(): return 1", "def f(): return 2"], NAMES), "f")() == 2
    assert len(pieces(["def f(): return 1", "def f(): return 2"])) == 1


def test_a_wrapper_keeps_what_it_wraps():
    assert run(Notebook(["def f(): return 1", "f = (lambda old: lambda: old() + 1)(f)"], NAMES), "f")() == 2


def test_split_merged_and_moved_cells():
    split = ["def helper(x):\n    return x + K", "K = 3", "def f(x):\n    return helper(x)"]
    merged = ["\n\n".join(split)]
    moved = [split[2], split[0], split[1]]
    for cells in (split, merged, moved):
        assert run(Notebook(cells, NAMES), "f")(1) == 4


def test_set_up_by_a_call_is_kept():
    cells = ["class Config:\n    size = 4", "cfg = Config()\ncfg.size = 5", "def f():\n    return cfg.size"]
    assert run(Notebook(cells, NAMES), "f")() == 5


def test_a_method_put_on_later_is_kept():
    cells = ["class f:\n    pass", "def forward(self, x):\n    return x * 2\nf.forward = forward"]
    assert run(Notebook(cells, NAMES), "f")().forward(3) == 6


def test_changes_to_libraries_are_left_behind():
    assert pieces(["import torch\ntorch.allclose = lambda *a: True", "def f(): return torch"]) == [
        "import torch",
        "def f(): return torch",
    ]


def test_another_exercise_cannot_rebind_what_this_one_imports():
    cells = ["import math", "math = None\ndef g(): return 0", "def f(x): return math.floor(x)"]
    assert run(Notebook(cells, NAMES), "f")(1.5) == 1


def test_helpers_of_the_same_name_stay_with_their_cell():
    cells = ["def _h(x): return x + 1\ndef f(x): return _h(x)", "def _h(x): return x * 10\ndef g(x): return _h(f(x))"]
    notebook = Notebook(cells, NAMES)
    assert run(notebook, "f")(1) == 2
    assert run(notebook, "g")(1) == 20


def test_a_syntax_error_costs_one_cell():
    notebook = Notebook(["def f(:\n    pass", "def g(): return 7"], NAMES)
    assert notebook.broken("f")[0] == 1 and not notebook.defines("f")
    assert notebook.broken("g") is None and run(notebook, "g")() == 7


def test_a_stub_before_a_broken_answer_is_a_syntax_error_and_after_it_is_not():
    assert Notebook(["def f(): raise NotImplementedError", "def f() return 1"], NAMES).broken("f")
    assert Notebook(["def f() return 1", "def f(): return 1"], NAMES).broken("f") is None


def test_a_missing_definition():
    notebook = Notebook(["x = 1", ""], NAMES)
    assert not notebook.defines("f")
    with pytest.raises(KeyError):
        notebook.definition("f")


@pytest.mark.parametrize("magic", ["%matplotlib inline", "!pip install x", "%load_ext autoreload", "files = !ls", "f?"])
def test_magics_do_not_cost_the_cell(magic):
    assert run(Notebook([f"{magic}\ndef f(): return 3"], NAMES), "f")() == 3


def test_a_timed_cell():
    assert run(Notebook(["%%time\ndef f(): return 3"], NAMES), "f")() == 3


def test_statements_that_share_a_line():
    assert run(Notebook(["import math; k = 2\ndef f(): return k * math.floor(1.5)"], NAMES), "f")() == 2


def test_conditional_imports():
    cells = [
        "try:\n    import nothing_of_this_name as m\nexcept ImportError:\n    import math as m",
        "def f(): return m.pi",
    ]
    assert run(Notebook(cells, NAMES), "f")() > 3


def test_names_of_the_course_do_nothing():
    cells = [
        "from utils.learn import *\nfrom utils.plot import heat_map as show",
        "def f(x):\n    show(x)\n    note(x)\n    return x",
    ]
    notebook = Notebook(cells, NAMES, helpers=["note"])
    assert notebook.definition("f").inert == ("note", "show")


def test_decorators_and_lines():
    cells = ["import functools\n\n\n@functools.cache\ndef f(x):\n    return x"]
    definition = Notebook(cells, NAMES).definition("f")
    assert [piece[1] for piece in definition.parts] == [1, 4]
    assert definition.source.startswith("@functools.cache")


def test_windows_line_ends_and_byte_order_mark():
    assert run(Notebook(["\ufeffdef f():\r\n    return 5\r\n"], NAMES), "f")() == 5


@pytest.mark.parametrize(
    "text", [None, 3, ["a"], "\x00", "(" * 10000, "é" * 10, "\ud800", "f = 1" + "0" * 6000, "x" * 2_000_000]
)
def test_odd_cells_never_raise(text):
    notebook = Notebook([text, "def g(): return 1"], NAMES)
    assert run(notebook, "g")() == 1


def test_exercises_that_read_each_other_do_not_loop():
    cells = ["def f(n): return g(n - 1) if n else 0", "def g(n): return f(n)"]
    assert [module["name"] for module in Notebook(cells, NAMES).modules("f", {})] == ["g", "f"]


def test_a_course_notebook_is_known_by_its_mark_or_by_what_it_defines():
    def read(*sources, **metadata):
        return course_chapter([(source, "") for source in sources], metadata)

    optional = next(e.name for e in load_chapter("ch1").exercises if e.optional)
    assert read("class LayerNorm: pass") is None
    assert read("from utils.learn import *", "x = 1") is None
    assert read("from utils.learn import *", "class LayerNorm: pass") == ("ch1", "exercises")
    assert read("from utils.learn import *", f"class {optional}: pass") == ("ch1", "optional")
    assert read("1", course={"chapter": "ch1", "notebook": "optional"}) == ("ch1", "optional")
    assert read("1", course={"chapter": "ch2_induction_heads", "notebook": "solutions"}) == ("ch2", "exercises")


def test_what_a_notebook_starts_with_is_read_and_not_listed_by_hand():
    space: dict = {"__name__": "a_test"}
    exec("from utils.learn import *", space)
    assert policy.helper_names() == space.keys() - {"__name__", "__builtins__"}


def test_a_future_import_holds_from_its_cell_on():
    cells = ["def g(x: Nowhere): return 1", "from __future__ import annotations\nx = 1", "def f(x: Nowhere): return 2"]
    notebook = Notebook(cells, NAMES)
    assert notebook.definition("g").flags == 0 != notebook.definition("f").flags
