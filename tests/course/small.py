"""A whole course in miniature, for the tests of the build: one chapter, two modules, every kind of block."""

from pathlib import Path

CHAPTER = """\
# Small numbers

What this is about.

## First part

```{code-cell}
:tags: shared
import math
```

:::{given} Base
:module: parts
:::

:::{exercise} double
:id: 1.1
:module: parts
:goal: Twice the number.
:difficulty: 1
:importance: 2
:minutes: 5
:points: 1

Give back `2 * x`.

:symptom: It is off.
  Look again.
:nudge: Add it to itself.
:pseudocode: x plus x
:::

```{code-cell}
:timeout: 120
double(2)
```

:::{quiz} sign
Is it positive?

:right: Yes
  Twice a positive number is.
:choice: No
  It keeps its sign.
:::

+++

Between the two.

:::{exercise} Counter
:id: 1.2
:module: parts
:goal: Count.
:difficulty: 2
:importance: 5
:minutes: 10
:points: 3
:needs: double
:timeout: 90

Count up.

:symptom: It stays at zero.
  Where is the count kept?
:nudge: On the object.
:pseudocode: add, then return
:::

+++ optional

## Further

:::{exercise} triple
:id: 1.3
:module: parts
:goal: Three times the number.
:difficulty: 3
:importance: 1
:minutes: 5
:points: 2

Three times.

:symptom: It is off.
  Look again.
:nudge: Add twice.
:pseudocode: x plus x plus x
:::
"""

PARTS = '''\
"""The reference."""

from dataclasses import dataclass


# what everything starts from
@dataclass(frozen=True)
class Base:
    value: int = 1  # kept as written


def double(x):
    """Twice."""
    # solution
    return x + x
    # end solution


class Counter(Base):
    """Counts up."""

    @property
    def start(self):
        return self.value

    def count(self, to):  # scaffolding stays
        total = _zero()
        # solution
        for _ in range(to):
            total += 1
        # end solution
        return total

    def last(self):
        # solution
        text = "# solution"
        return text
        # end solution


def _zero():
    return 0


def triple(x):
    # solution
    return _add(x, x) + x
    # end solution


def _add(a, b):
    return a + b
'''


def small_course(folder: Path, chapter: str = CHAPTER, parts: str = PARTS, settings: str = "") -> Path:
    """Write the miniature course into a folder; returns its chapter.md."""
    for place in ("chapters", "solutions"):
        (folder / place / "ch1_small").mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(f"[tool.course]\n{settings}\n", encoding="utf-8")
    (folder / "solutions/ch1_small/__init__.py").write_text("", encoding="utf-8")
    (folder / "solutions/ch1_small/parts.py").write_text(parts, encoding="utf-8")
    file = folder / "chapters/ch1_small/chapter.md"
    file.write_text(chapter, encoding="utf-8")
    return file
