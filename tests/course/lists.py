"""The course's lists of packages, read for the tests."""

import tomllib

from packaging.requirements import Requirement
from packaging.version import Version

from utils.course import ROOT


def lines(name: str) -> list[str]:
    """Lines of a requirements or constraints file that say something."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def requirements() -> dict[str, Requirement]:
    found = [Requirement(line.partition("#")[0].strip()) for line in lines("requirements.txt")]
    return {requirement.name.lower(): requirement for requirement in found}


def constraints() -> dict[str, Version]:
    return {
        name.lower(): Version(version)
        for name, _, version in (line.partition("==") for line in lines("constraints.txt"))
    }


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
