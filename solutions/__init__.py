import utils  # noqa: F401 (says in one sentence where the course's packages are missing)
