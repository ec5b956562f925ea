"""`python -m utils.build`: make the notebooks, check them, reset an exercise, or take over a newer chapter."""

import argparse
import sys
from itertools import count
from pathlib import Path, PurePosixPath

from utils import course
from utils.build.learner import based_on, has_work, reset_exercise, reset_notebook, upgrade
from utils.build.new import new
from utils.build.notebook import build_chapter
from utils.build.source import Chapter, parse
from utils.chapter import load_chapter
from utils.files import write_whole

USAGE = """\
python -m utils.build [CHAPTER...]              build the notebooks (all chapters unless some are named)
python -m utils.build --check [CHAPTER...]      say which built files differ from their sources; status 1 if any does
python -m utils.build --out DIR [CHAPTER...]    build into another folder
python -m utils.build reset EXERCISE            put one exercise back to its stub
python -m utils.build reset NOTEBOOK            put a whole notebook (exercises, optional, or a path) back
python -m utils.build upgrade [NOTEBOOK]        take over a newer chapter and keep your answers
python -m utils.build new CHAPTER.NAME          the skeleton of an exercise (ch3.reverse) or a chapter (ch6_grokking)"""


def build(names: list[str] | None = None, output: Path | None = None, root: Path | None = None) -> dict[Path, str]:
    """Build chapters (all by default) from the course at `root` into `output`; what each file came to, by path.

    "written", "unchanged", "kept" (it holds a learner's work and started from this build), or "beside NAME" (it holds
    a learner's work: the new build was written beside it). Everything is made before anything is written.
    """
    output = output or root or course.ROOT
    outcome: dict[Path, str] = {}
    for path, text in make(names, root).items():
        file = output / path
        target, outcome[file] = file, "written"
        if file.is_file() and file.read_bytes() == text.encode():
            target, outcome[file] = None, "unchanged"
        elif file.suffix == ".ipynb" and has_work(file):
            target = None if based_on(file, text) else _beside(file)
            outcome[file] = f"beside {target.name}" if target else "kept"
        if target:
            write_whole(target, text)
    return outcome


def make(names: list[str] | None = None, root: Path | None = None) -> dict[PurePosixPath, str]:
    """Text of every built file of the named chapters, by path from the root. Raises SourceError, CourseError."""
    made: dict[PurePosixPath, str] = {}
    for chapter in _chapters(names, root or course.ROOT):
        made.update(build_chapter(chapter))
    return made


def differing(names: list[str] | None = None, root: Path | None = None) -> list[PurePosixPath]:
    """Built files that are missing or not byte for byte what their sources give."""
    root = root or course.ROOT
    return [
        path
        for path, text in make(names, root).items()
        if not (root / path).is_file() or (root / path).read_bytes() != text.encode()
    ]


def _chapters(names: list[str] | None, root: Path) -> list[Chapter]:
    sources = {file.parent.name: file for file in sorted((root / "chapters").glob("*/chapter.md"))}
    by_key = {name.split("_")[0]: name for name in sources}
    wanted = []
    for name in names or sources:
        if by_key.get(name, name) not in sources:
            raise course.CourseError(f"There is no chapter {name!r}: the chapters are {', '.join(sources) or 'none'}.")
        wanted.append(by_key.get(name, name))
    for name in wanted:
        if not (root / "solutions" / name / "__init__.py").is_file():
            raise course.CourseError(f"{name} cannot be built: this hand-out leaves its reference solutions out.")
    return [parse(sources[name]) for name in wanted]


def _beside(file: Path) -> Path:
    """Where a new build goes that must not replace `file`; never a file that holds work itself."""
    names = (file.with_name(f"{file.stem}.new{f'-{n}' if n > 1 else ''}.ipynb") for n in count(1))
    return next(beside for beside in names if not has_work(beside))


def _shown(file: Path) -> str:
    try:
        return str(file.resolve().relative_to(course.ROOT))
    except ValueError:
        return str(file)


def _notebooks(wanted: str | None, chapter: str | None) -> list[Path]:
    """Notebooks meant by a path, by "exercises" or "optional", or by nothing (all of the learner's)."""
    if wanted and wanted.endswith(".ipynb"):
        return [Path(wanted)]
    names = [course.chapter_name(chapter)] if chapter else list(course.chapters().values())
    stems = [wanted] if wanted else ["exercises", "optional"]
    files = [course.ROOT / "chapters" / name / f"{stem}.ipynb" for name in names for stem in stems]
    return [file for file in files if file.is_file()]


def _reset(arguments) -> int:
    what = arguments.what
    if what in ("exercises", "optional") or what.endswith(".ipynb"):
        file = _one(_notebooks(what, arguments.chapter), f"a notebook {what!r}")
        print(f"{_shown(file)} is as it came; your version is kept as {reset_notebook(file).name}.")
        return 0
    keys = [arguments.chapter] if arguments.chapter else list(course.chapters())
    found = [(key, e) for key in keys for e in load_chapter(key).exercises if what in (e.name, e.id)]
    key, exercise = _one(found, f"an exercise {what!r}")
    stem = "optional" if exercise.optional else "exercises"
    file = course.ROOT / "chapters" / course.chapter_name(key) / f"{stem}.ipynb"
    backup = reset_exercise(file, exercise.name)
    print(f"{exercise.name} in {_shown(file)} is a stub again; your version is kept as {backup.name}.")
    return 0


def _one(found: list, what: str):
    """The only one of those found. Raises CourseError for none, and for several."""
    if len(found) != 1:
        says = f"Several chapters have {what}: say which one with --chapter." if found else f"No chapter has {what}."
        raise course.CourseError(says)
    return found[0]


def _upgrade(arguments) -> int:
    files = _notebooks(arguments.what, arguments.chapter)
    if arguments.what and not files:
        raise course.CourseError(f"There is no notebook {arguments.what!r} to upgrade.")
    for file in files:
        if not has_work(file) and not arguments.what:
            continue
        taken = upgrade(file)
        beside = file.with_name(f"{file.stem}.new.ipynb")
        if not has_work(beside):  # what it held is in the notebook now
            beside.unlink(missing_ok=True)
        answers = ", ".join(taken.answers) or "none"
        print(f"{_shown(file)} is up to date; answers kept: {answers}; own or edited cells kept: {taken.cells}; "
              f"your version before is {taken.backup.name}.")  # fmt: skip
    build([arguments.chapter] if arguments.chapter else None)
    return 0


def _new(arguments) -> int:
    for file in new(arguments.what, arguments.module):
        print(f"wrote {_shown(file)}")
    print("Search them for TODO; CONTRIBUTING.md takes you from there.")
    return 0


def _build(arguments) -> int:
    names = arguments.chapters
    if arguments.check:
        different = differing(names)
        for path in different:
            print(f"{path} differs from what its sources give: run `make build`.")
        return 1 if different else 0
    outcome = build(names, Path(arguments.out) if arguments.out else None)
    for file, state in outcome.items():
        if state == "written":
            print(f"wrote {_shown(file)}")
        elif state == "kept":
            print(f"{_shown(file)} holds your work and is up to date: left as it is.")
        elif state.startswith("beside"):
            print(f"{_shown(file)} holds your work, so the new version is {state.removeprefix('beside ')} beside it "
                  "(`python -m utils.build upgrade` takes your answers over).")  # fmt: skip
    unchanged = sum(state == "unchanged" for state in outcome.values())
    print(f"{len(outcome)} files built, {unchanged} of them unchanged.")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit status (2 with one sentence for a mistake in the sources)."""
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="python -m utils.build", usage=USAGE, add_help=True)
    if argv[:1] in (["reset"], ["upgrade"]):
        parser.add_argument("command")
        parser.add_argument("what", nargs="?" if argv[0] == "upgrade" else None)
        parser.add_argument("--chapter", help="the chapter, where several have what you name")
        run = _reset if argv[0] == "reset" else _upgrade
    elif argv[:1] == ["new"]:
        parser.add_argument("command")
        parser.add_argument("what")
        parser.add_argument("--module", help="the module of the reference, where it is not named after the exercise")
        run = _new
    else:
        parser.add_argument("chapters", nargs="*", metavar="CHAPTER")
        parser.add_argument("--check", action="store_true")
        parser.add_argument("--out", metavar="DIR")
        run = _build
    try:
        return run(parser.parse_args(argv))
    except course.CourseError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:  # a folder that may only be read, a full disk
        print(f"{error.filename} can't be written: {error.strerror or error}.", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
