"""Lets plain pytest run the hidden tests against the reference: a fixture per exercise, and `draw`."""

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
    def draw(request):
        return Draw(0, request.function.__name__, request.param)

    def pytest_generate_tests(metafunc):
        if "draw" in metafunc.fixturenames:
            count = getattr(metafunc.function, "draws", DRAWS)
            metafunc.parametrize("draw", range(count), indirect=True)

    fixtures = {exercise.name: make(exercise.name) for exercise in load_chapter(chapter).exercises}
    return {**fixtures, "draw": draw, "pytest_generate_tests": pytest_generate_tests}
