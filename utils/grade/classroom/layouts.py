"""How learning platforms lay out what a class handed in: where the student id, the time and the late mark are."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """One platform's download. `patterns`: where a student's files are, with groups student, number, late, time.

    `stamp`: a file beside the notebooks that holds the time; `index`: one at the top that says who handed in what.
    """

    patterns: tuple[str, ...]
    stamp: str = ""
    index: str = ""

    def read(self, place: str) -> dict | None:
        """The groups, and `rest`, the path below the student's place; None for a file that is elsewhere."""
        for pattern in self.patterns:
            if found := re.search(f"(?:^|/){pattern}(?:/|$)", place):
                return {**found.groupdict(), "rest": place[found.end() :]}
        return None


LAYOUTS = {
    # doejane_LATE_12345_678901_exercises.ipynb: name, user, attachment, file
    "canvas": Layout((r"(?P<student>[^/]+?)_(?:(?P<late>LATE)_)?(?P<number>\d+)_\d+_[^/]+",)),
    # Jane Doe_1234567_assignsubmission_file_/exercises.ipynb: name, participant
    "moodle": Layout((r"(?P<student>[^/]+?)_(?P<number>\d+)_assignsubmission_[^/]+",)),
    # submitted/jane/ps1/exercises.ipynb, or an exchange's inbound/jane+ps1+TIME+random/exercises.ipynb
    "nbgrader": Layout(
        (
            r"(?P<student>[^/+]+)\+[^/+]+\+(?P<time>[^/+]+)(?:\+[^/]*)?",
            r"submitted/(?P<student>[^/]+)/[^/]+",
            r"^[^/]+/(?!(?:source|release|autograded|feedback)/)(?P<student>[^/]+)/[^/]+(?=/[^/]+$)",
        ),
        stamp="timestamp.txt",
    ),
    # ch1-submissions/ch1-jane/chapters/...: what `gh classroom clone student-repos` makes
    "classroom": Layout((r"(?P<task>[^/]+)-submissions/(?P=task)-(?P<student>[^/]+)",)),
    # submission_456/exercises.ipynb beside submission_metadata.yml
    "gradescope": Layout((r"(?P<student>submission_\d+)",), index="submission_metadata.yml"),
}


def submitters(text: bytes) -> dict[str, list[dict]]:
    """{submission: [{"id", "name", "time"}]} from Gradescope's submission_metadata.yml; a group has several."""
    import yaml

    try:
        found = yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))  # all text: an id may be 0017
    except yaml.YAMLError:
        found = None
    people: dict[str, list[dict]] = {}
    for submission, about in found.items() if isinstance(found, dict) else ():
        about = about if isinstance(about, dict) else {}
        listed = about.get(":submitters") or ()
        for one in [one for one in listed if isinstance(one, dict)]:
            name, address, number = (one.get(key) or "" for key in (":name", ":email", ":sid"))
            time = re.sub(r"\.\d+", "", about.get(":created_at") or "")
            person = {"id": number or address or name, "name": name, "time": time}
            people.setdefault(submission, []).append(person)
    return people


def looks_like(places: list[str]) -> str:
    """The layout that most of these places fit, if any."""
    counts = {name: sum(layout.read(place) is not None for place in places) for name, layout in LAYOUTS.items()}
    best = max(counts, key=counts.get)
    return best if 2 * counts[best] > len(places) else ""
