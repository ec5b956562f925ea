"""Lets plain pytest run the hidden tests against the reference: a fixture per exercise, and `draw`.

Where an exercise itself is called draw, the inputs come from `source`.
"""

import pytest

from utils.chapter import load_chapter
from utils.grade.draw import Draw
from utils.grade.reference import reference
from utils.grade.subject import LocalRunner, Subject
from utils.grade.suite import DRAWS


def fixtures_for(chapter: str) -> dict:
    """What tests/<chapter>/conftest.py puts into its globals."""

    def make(name):
        @pytest.fixture(name=name)
        def subject():
            return Subject(name, LocalRunner(reference(chapter, name)))

        return subject

    @pytest.fixture
    def source(request):
        return Draw(0, request.function.__name__, request.param)

    @pytest.fixture
    def draw(request):
        if request.path.name == "test_draw.py":  # the exercise of that name
            return Subject("draw", LocalRunner(reference(chapter, "draw")))
        return request.getfixturevalue("source")

    def pytest_generate_tests(metafunc):
        if {"draw", "source"} & {*metafunc.fixturenames}:
            count = getattr(metafunc.function, "draws", DRAWS)
            if "source" not in metafunc.fixturenames:
                metafunc.fixturenames.append("source")
            metafunc.parametrize("source", range(count), indirect=True)

    fixtures = {exercise.name: make(exercise.name) for exercise in load_chapter(chapter).exercises}
    return {**fixtures, "source": source, "draw": draw, "pytest_generate_tests": pytest_generate_tests}
