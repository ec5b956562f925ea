import json

import pytest

from tests.course.classroom.submissions import ClassOf


@pytest.fixture(scope="session")
def handed_in(built) -> ClassOf:
    """The notebooks of chapter 1 as the build makes them, to hand in with changes."""
    folder = "ch1_transformer_from_scratch"
    texts = {
        name: (built / top / folder / f"{name}.ipynb").read_text(encoding="utf-8")
        for top, name in (("chapters", "exercises"), ("chapters", "optional"), ("solutions", "solutions"))
    }
    return ClassOf({name: json.loads(text) for name, text in texts.items()})
