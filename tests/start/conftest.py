from utils.grade.fixtures import fixtures_for

globals().update(fixtures_for("start"))
