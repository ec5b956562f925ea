"""The reference's objects, loaded when asked for and only then (a class hand-out does not have them)."""

import importlib

from utils import course


def reference(chapter: str, name: str):
    """The reference's object of one exercise. Raises CourseError where the answers are not part of the hand-out."""
    from utils.chapter import load_chapter

    if not course.have_answers(chapter):
        raise course.CourseError(f"The reference solution of {name} is not part of this hand-out.")
    module = load_chapter(chapter).exercise(name).module
    return getattr(importlib.import_module(f"solutions.{course.chapter_name(chapter)}.{module}"), name)
