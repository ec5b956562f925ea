"""`python -m utils.build new ch3.reverse`: the skeleton of an exercise, or of a chapter (`new ch6_grokking`).

What it writes is complete but for the places marked TODO, and the build and the tests fail at those alone.
"""

import re
from pathlib import Path

from utils import course
from utils.build.source import parse
from utils.files import write_whole

BLOCK = """\
:::{{exercise}} {name}
:id: {id}
:module: {module}
:goal: TODO: what the learner makes, in one sentence
:difficulty: 1
:importance: 1
:minutes: 10
:points: 1

TODO: the task, with a worked example of numbers small enough to do by hand.

:symptom: TODO: what the learner sees when it goes wrong
  TODO: where to look
:nudge: TODO: the idea, without the code
:pseudocode: TODO: the steps, in words
:::
"""

FUNCTION = '''\
def {name}(x: Float[Tensor, "B T"]) -> Float[Tensor, "B T"]:
    """TODO: what it does, in one sentence.

    Shapes: TODO. Source: TODO.
    """
    # solution
    raise NotImplementedError("TODO: the reference")
    # end solution
'''

CLASS = '''\
class {name}(nn.Module):
    """TODO: what it is, in one sentence. Source: TODO."""

    def __init__(self, config):
        super().__init__()
        # solution
        raise NotImplementedError("TODO: the reference")
        # end solution

    def forward(self, x: Float[Tensor, "B T E"]) -> Float[Tensor, "B T E"]:
        """Shapes: TODO."""
        # solution
        raise NotImplementedError("TODO: the reference")
        # end solution
'''

MODULE = '''\
"""TODO: what this module is about (chapter {number})."""

from jaxtyping import Float
from torch import {imports}


{body}'''

TESTS = '''\
"""Hidden tests of exercise {id}: TODO: what they ask, in one line."""

from utils.grade import close, equal, shaped

SAYS = "{name} must return TODO"


def expected(x):
    """The oracle: written independently of the reference, slow and plain or by torch's own means."""
    raise NotImplementedError("TODO: the oracle of {name}")


def test_values({name}, draw):
    x = draw.normal(2 + draw.index, 5)
    found = {call}
    shaped(found, (len(x), 5), SAYS, inputs={{"x": x}})
    close(found, expected(x), "TODO: what is wrong, in words for the learner", inputs={{"x": x}})


def test_the_input_is_left_alone({name}, draw):
    x = draw.normal(3, 4)
    equal({after}, x, "the caller's x is different after the call")
'''

MUTANTS = '''\
"""Wrong answers to exercise {id} that learners write, and right ones written differently."""

from utils.grade import right, slips

slip = slips(
    """
{answer}
    """,
)

# TODO: five or more mistakes: the sentence that its learner is shown, the old text, the new text.
# Reversed = slip("the tokens come back in the old order: reverse them along T", ".flip(-1)", "")


@right
{other}'''

CHAPTER = """\
# TODO: the chapter's title

TODO: the finished thing at work, before any plumbing.

```{{code-cell}}
:tags: imports, shared
import torch
from jaxtyping import Float
from torch import Tensor, nn
```

## TODO: the first section
"""

CONFTEST = """\
from utils.grade.fixtures import fixtures_for

globals().update(fixtures_for("{key}"))
"""


def new(what: str, module: str | None = None) -> list[Path]:
    """Write the skeleton that `what` asks for; returns the files made or changed. Raises CourseError, as for a name
    that is taken."""
    key, dot, name = what.partition(".")
    return _exercise(key, name, module) if dot else _chapter(key)


def _exercise(key: str, name: str, module: str | None) -> list[Path]:
    folder = course.chapter_name(key)
    if not re.fullmatch(r"[A-Za-z]\w*", name):
        raise course.CourseError(f"{name!r} cannot name an exercise: it must be a Python name, such as reverse.")
    source = course.ROOT / "chapters" / folder / "chapter.md"
    key, number = folder.split("_")[0], folder.split("_")[0].removeprefix("ch")
    module = module or course.snake(name)
    code = course.ROOT / "solutions" / folder / f"{module}.py"
    tests, wrong = course.hidden_tests(key, name), course.mutants_file(key, name)
    text = source.read_text(encoding="utf-8")
    written = code.read_text(encoding="utf-8") if code.is_file() else ""
    for file, taken in ((source, f"}} {name}\n" in text), (tests, tests.exists()), (wrong, wrong.exists()),
                        (code, bool(re.search(rf"^(class|def) {name}\b", written, re.M)))):  # fmt: skip
        if taken:
            raise course.CourseError(f"{file.relative_to(course.ROOT)} has a {name} already.")
    last = max((int(e.id.split(".")[1]) for e in parse(source).exercises), default=0)
    is_class = name[0].isupper()
    answer = ["class Answer(nn.Module):", "    pass"] if is_class else [f"def {name}(x):"]
    fill = {
        "id": f"{number}.{last + 1}",
        "name": name,
        "module": module,
        "number": number,
        "imports": "Tensor, nn" if is_class else "Tensor",
        "body": (CLASS if is_class else FUNCTION).format(name=name),
        "call": f'{name}.forward({{}}, {{}}, x)["result"]' if is_class else f"{name}(x)",
        "after": f'{name}.forward({{}}, {{}}, x)["args"][0]' if is_class else f'{name}.call(x)["args"][0]',
        "answer": "\n".join(f"    {line}" for line in [*answer[:1], '    raise NotImplementedError("TODO: right")']),
        "other": f'{answer[0].replace("Answer", "Other").replace(name, "another")}\n'
        '    raise NotImplementedError("TODO: a right answer, written differently; two or more of them")\n',
    }  # fmt: skip
    if is_class:
        fill["answer"] = fill["answer"].replace("raise", "def forward(self, x):\n            raise")
        fill["other"] = fill["other"].replace("raise", "def forward(self, x):\n        raise")
    block = BLOCK.format(**fill)
    write_whole(source, f"{text.rstrip(chr(10))}\n\n{block}")
    body = f"{written.rstrip()}\n\n\n{fill['body']}" if written else MODULE.format(**fill)
    write_whole(code, body)
    write_whole(tests, TESTS.format(**fill))
    made = MUTANTS.format(**fill)
    write_whole(wrong, made.replace("from utils", "from torch import nn\n\nfrom utils", 1) if is_class else made)
    return [source, code, tests, wrong]


def _chapter(name: str) -> list[Path]:
    if not re.fullmatch(r"ch\d+_[a-z0-9_]+", name):
        raise course.CourseError(f"{name!r} names neither an exercise (ch3.reverse) nor a chapter (ch6_grokking).")
    key = name.split("_")[0]
    if key in course.chapters():
        raise course.CourseError(f"There is a chapter {key} already: chapters/{course.chapters()[key]}.")
    files = {
        f"chapters/{name}/chapter.md": CHAPTER.format(),
        f"solutions/{name}/__init__.py": f'"""TODO: what chapter {key.removeprefix("ch")} rebuilds."""\n',
        f"tests/{name}/conftest.py": CONFTEST.format(key=key),
    }
    for path, text in files.items():
        write_whole(course.ROOT / path, text)
    course.chapters.cache_clear()
    return [course.ROOT / path for path in files]
