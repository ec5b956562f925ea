"""Mistakes in a chapter.md are told with file and line."""

import pytest
from small import CHAPTER, small_course

from utils.build.lint import lint_prose
from utils.build.notebook import build_chapter
from utils.build.source import SourceError, parse

MISTAKES = [
    (":goal: Twice the number.\n", "", "exercise double lacks the field :goal:"),
    (":difficulty: 1\n", ":difficulty: 6\n", "difficulty and importance go from 1 to 5"),
    (":points: 1\n", ":points: none\n", ":points: must be a number, not 'none'"),
    (":minutes: 5\n", ":minutes: 5\n:minutes: 6\n", "gives :minutes: twice"),
    (":id: 1.2", ":id: 1.1", "1.1 is taken"),
    ("{exercise} Counter", "{exercise} double", "double is taken"),
    (":needs: double", ":needs: nothing", "exercise Counter needs nothing, which isn't an exercise"),
    (":needs: double", ":needs: Counter", "needs go round in a circle: Counter needs Counter"),
    (":module: parts\n:goal", ":module: elsewhere\n:goal", "should be in solutions/ch1_small/elsewhere.py"),
    (":nudge: Add it to itself.\n", "", "lacks :nudge:"),
    (":right: Yes", ":choice: Yes", "exactly one of them :right:"),
    ("+++\n\nBetween", "+++ other\n\nBetween", "opens nothing known"),
    ("double(2)\n```", "double(2)\n", "never closed"),
    (":timeout: 120", ":time: 120", "unknown option :time:"),
    ("Between the two.", "![](figure.png)", "an image needs alternative text"),
    ("Between the two.", '<img src="figure.png">', "an image needs alternative text"),
    ("Between the two.", "```{note}\ntext\n```", "MyST directive"),
    (":module: parts\n:::", ":module: parts\n:goal: no\n:::", "needs the field :module: and nothing else"),
]


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES)
def test_mistake_is_told_with_file_and_line(tmp_path, old, new, message):
    assert old in CHAPTER
    file = small_course(tmp_path, CHAPTER.replace(old, new, 1))
    with pytest.raises(SourceError) as caught:
        build_chapter(parse(file))
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{file}:")
    assert int(str(caught.value).removeprefix(f"{file}:").split(":")[0]) > 0


def test_the_line_is_the_right_one(tmp_path):
    file = small_course(tmp_path, CHAPTER.replace(":points: 1", ":points: none", 1))
    with pytest.raises(SourceError, match=r"chapter\.md:16: "):  # where the block opens
        parse(file)


def test_needs_that_go_round_are_an_error(tmp_path):
    chapter = CHAPTER.replace(":needs: double", ":needs: triple").replace(":id: 1.3", ":id: 1.3\n:needs: Counter")
    with pytest.raises(SourceError, match="Counter needs triple needs Counter"):
        parse(small_course(tmp_path, chapter))


def test_image_with_alternative_text_is_fine(tmp_path):
    chapter = CHAPTER.replace("Between the two.", '![a curve](figure.png) <img alt="a curve" src="figure.png">')
    lint_prose(parse(small_course(tmp_path, chapter)))
    assert len(parse(tmp_path / "chapters/ch1_small/chapter.md").exercises) == 3


def test_parts_of_an_exercise(tmp_path):
    chapter = parse(small_course(tmp_path))
    assert chapter.key == "ch1" and chapter.title == "Small numbers"
    counter = next(exercise for exercise in chapter.exercises if exercise.id == "1.2")
    assert counter.name == "Counter" and counter.needs == ("double",) and counter.timeout == 90
    assert counter.section == "First part" and not counter.optional and chapter.exercises[-1].optional
    assert [kind for kind, _, _ in counter.help] == ["symptom", "nudge", "pseudocode"]
    assert chapter.quizzes[0].choices[0] == ("Yes", True, "Twice a positive number is.")
