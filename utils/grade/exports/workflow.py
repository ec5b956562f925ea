"""A GitHub Actions workflow for a class repository: each push grades the notebook with the README's own command."""

from pathlib import Path

from utils.chapter import load_chapter
from utils.files import write_whole, writing

# Feedback only: it runs in the learner's own repository, where the learner can change anything, this file too.
TEXT = """\
# Feedback on every push: one line per exercise. A learner can change this file, so marks are given elsewhere
# (python -m utils.grade, on the instructor's machine).
name: Exercises of {key}

on:
  push:
  workflow_dispatch:

permissions:
  contents: read

jobs:
  check:
    runs-on: ubuntu-latest
    timeout-minutes: 60
    steps:
      - uses: actions/checkout@v6
      - uses: actions/setup-python@v6
        with:
          python-version: "3.11"
          cache: pip
          cache-dependency-path: constraints.txt
      - name: Make the course's environment
        run: python -m utils.env run --version
{steps}
      - name: Keep the reports
        if: always()
        uses: actions/upload-artifact@v7
        with:
          name: grades
          path: grades-*.xml
          if-no-files-found: ignore
"""
STEP = """\
      - name: Check {stem}.ipynb
        if: always()
        shell: bash
        run: |
          source .venv/bin/activate
          set -o pipefail
          pytest --nbmake {path} --junitxml=grades-{stem}.xml | tee grades-{stem}.txt
      - name: Show {stem}.ipynb in the summary
        if: always()
        shell: bash
        run: |
          if [ -f grades-{stem}.txt ]; then
            {{
              echo '<pre>'
              sed 's/&/\\&amp;/g; s/</\\&lt;/g' grades-{stem}.txt
              echo '</pre>'
            }} >> "$GITHUB_STEP_SUMMARY"
          fi
"""


def text(chapter: str) -> str:
    """The workflow's YAML for one chapter."""
    source = load_chapter(chapter)
    stems = ["exercises"] + ["optional"] * any(exercise.optional for exercise in source.exercises)
    steps = "".join(STEP.format(stem=stem, path=f"chapters/{source.name}/{stem}.ipynb") for stem in stems)
    return TEXT.format(key=source.key, steps=steps.rstrip("\n"))


def make(chapter: str, out: Path) -> Path:
    """Write the workflow to `out`, a file, or a repository's folder (then .github/workflows/<chapter>.yml in it)."""
    out = Path(out)
    if out.is_dir():
        out = out / ".github" / "workflows" / f"{load_chapter(chapter).key}.yml"
    with writing(out):
        write_whole(out, text(chapter))
    return out
