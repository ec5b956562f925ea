"""Join chapter.md and the reference module into notebooks: the cells, their ids and metadata, and the bytes."""

import base64
import hashlib
import html
import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from utils import chapter as built
from utils import course
from utils.build import lint, setup_cells
from utils.build.cut import Module, read_module
from utils.build.source import Cell, Chapter, SourceError

IMAGE = re.compile(r"!\[([^\]]+)\]\((images/[\w./-]+\.svg)\)", re.DOTALL)
LARGEST = 40_000  # bytes; a diagram by hand stays far below


def embed(source: str, file: Path, line: int) -> str:
    """Markdown with each `![words](images/name.svg)` of the chapter in `file` replaced by the picture itself.

    Raises SourceError, with the cell's `line`, for a picture that is missing, too large or not an SVG.
    """

    def tag(found: re.Match) -> str:
        alt, path = " ".join(found[1].split()), file.parent / found[2]
        if not path.is_file():
            raise SourceError(file, line, f"there is no picture {found[2]}")
        data = path.read_bytes().replace(b"\r\n", b"\n")
        if len(data) > LARGEST or b"<svg" not in data[:300]:
            raise SourceError(file, line, f"{found[2]} is not an SVG of at most {LARGEST // 1000} kB")
        packed = base64.b64encode(data).decode("ascii")
        return f'<img alt="{html.escape(alt)}" src="data:image/svg+xml;base64,{packed}">'

    return IMAGE.sub(tag, source)


SETUP_TIMEOUT = 180.0  # importing torch on a busy machine takes a while
NAMES = {  # notebook -> (its folder, is it the optional part, does it hold the answers, what its title says)
    "exercises": ("chapters", False, False, ""),
    "optional": ("chapters", True, False, ": optional part"),
    "solutions": ("solutions", False, True, ": worked solutions"),
    "optional_solutions": ("solutions", True, True, ": worked solutions of the optional part"),
}


def build_chapter(chapter: Chapter) -> dict[PurePosixPath, str]:
    """Text of every file the build makes for a chapter, by its path from the course root.

    The reference is looked for beside the chapter's own tree. Raises SourceError for a mistake in either.
    """
    return _Builder(chapter).files()


def digest(text: str) -> str:
    """Short fingerprint by which a later build, a reset or an upgrade sees what a learner has changed."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class _Builder:
    def __init__(self, chapter: Chapter):
        self.chapter = chapter
        self.root = chapter.file.resolve().parents[2]
        self.modules: dict[str, Module] = {}
        self.settings = course.settings(self.root)

    def files(self) -> dict[PurePosixPath, str]:
        lint.lint_prose(self.chapter)
        made = {}
        start = self.chapter.name == course.START  # one notebook, beside the chapters' folders
        for notebook, (top, optional, _, _) in ({course.START: NAMES["exercises"]} if start else NAMES).items():
            cells = [c for c in self.chapter.cells if c.optional == optional or (optional and "shared" in c.tags)]
            if not optional or any(c.optional for c in cells):
                path = PurePosixPath(top, "" if start else self.chapter.name, f"{notebook}.ipynb")
                made[path] = self.notebook(notebook, cells, path)
        made[PurePosixPath("chapters", self.chapter.name, built.BUILT)] = built.to_json(self.built())
        return made

    def built(self) -> built.Chapter:
        """What checks and grading need to know of the chapter."""
        source = self.chapter
        code = [cell for cell in source.cells if cell.kind == "code"]
        stubs, given = {}, []
        for cell in source.cells:
            if exercise := cell.exercise:
                stubs[exercise.name] = self.module(exercise.module, cell.line, exercise.name).stub(exercise.name)
            elif one := cell.given:
                given.append(replace(one, source=self.module(one.module, cell.line, one.name).whole(one.name)))
        return built.Chapter(
            key=source.key,
            name=source.name,
            title=source.title,
            exercises=source.exercises,
            quizzes=source.quizzes,
            stubs=stubs,
            imports=tuple(cell.source for cell in code if "imports" in cell.tags),
            shared=tuple(cell.source for cell in code if "shared" in cell.tags and "imports" not in cell.tags),
            given=tuple(given),
            takes=tuple(dict.fromkeys(name for cell in code for name in self._takes(cell.source))),
        )

    def _takes(self, source: str) -> list[str]:
        """Answers of other chapters that a cell takes over: the exercises that a cell with mine("ch1....") names."""
        keys = set(re.findall(r"""\bmine\(f?["'](ch\d+)\.""", source)) - {self.chapter.key}
        words = set(re.findall(r"\w+", source))
        return [f"{key}.{e.name}" for key in sorted(keys) for e in built.load_chapter(key).exercises if e.name in words]

    def module(self, name: str, line: int, wanted: str) -> Module:
        """The reference module `name`; `line` of chapter.md asks for its object `wanted`."""
        where = f"solutions/{self.chapter.name}/{name}.py"
        if name not in self.modules:
            if not (self.root / where).is_file():
                raise SourceError(self.chapter.file, line, f"{wanted} should be in {where}, which does not exist")
            self.modules[name] = read_module(self.root / where)
        if wanted not in self.modules[name].objects:
            raise SourceError(self.chapter.file, line, f"{where} defines no object called {wanted}")
        return self.modules[name]

    def notebook(self, name: str, cells: list[Cell], path: PurePosixPath) -> str:
        """Text of one notebook."""
        _, optional, answers, suffix = NAMES.get(name, NAMES["exercises"])
        title = f"# {self.chapter.title}{suffix}"
        line = setup_cells.badges(self.settings, path)
        head, rest = "", cells
        first = next((cell for cell in cells if cell.optional == optional), None)  # words come before the set-up
        if first and first.kind == "prose" and (first.source.startswith("# ") or optional and first.source[0] != "#"):
            words = first.source if optional else first.source.partition("\n")[2].strip()
            head, rest = embed(words, self.chapter.file, first.line), [cell for cell in cells if cell is not first]
        made = [
            (f"{self.chapter.key}-title", new_markdown_cell("\n\n".join(part for part in (title, line, head) if part)))
        ]
        fetch, ready = setup_cells.colab_cell(self.settings, path), setup_cells.SETUP.format(chapter=self.chapter.key)
        for role, source in (("colab", fetch), ("setup", ready)):
            made.append((f"{self.chapter.key}-{role}", _code(source, timeout=SETUP_TIMEOUT)))
        made[1][1].metadata["jupyter"] = {"source_hidden": True}  # only Colab has a use for it
        for cell in rest:
            made.extend(self.cells(cell, answers, cells))
        made = made[:3] + _joined(made[3:])
        for role, made_cell in made[2:]:  # the cell for Colab is folded away
            if made_cell.cell_type == "code":
                lint.lint_code(self.chapter.file, f"{role} of {path.name}", made_cell.source)
        if len(made) > lint.MAX_CELLS:
            raise SourceError(self.chapter.file, 1, f"{path.name} has {len(made)} cells, more than {lint.MAX_CELLS}")
        return _render(self.chapter.key, name, made)

    def cells(self, cell: Cell, answers: bool, cells: list[Cell]) -> list:
        """(id, notebook cell) pairs of one cell of the source."""
        key = self.chapter.key
        if cell.kind == "prose":
            return [(f"{key}-{_slug(cell)}", new_markdown_cell(embed(cell.source, self.chapter.file, cell.line)))]
        if cell.kind == "code":
            tags = [tag for tag in cell.tags if tag != "shared"]
            return [(f"{key}-{_slug(cell)}", _code(cell.source, timeout=cell.timeout, tags=tags))]
        if cell.kind == "quiz":
            return [(f"{key}-quiz-{cell.quiz.name}", _code(f'quiz("{cell.quiz.name}")'))]
        if cell.kind == "given":
            module = self.module(cell.given.module, cell.line, cell.given.name)
            lint.lint_names(self.chapter, cell, module, cells)
            return [(f"{key}-given-{cell.given.name}", _code(module.whole(cell.given.name)))]
        exercise = cell.exercise
        module = self.module(exercise.module, cell.line, exercise.name)
        lint.lint_names(self.chapter, cell, module, cells)
        lint.lint_finished(module, exercise.name)
        answer = module.solution(exercise.name) if answers else module.stub(exercise.name)
        made = []
        for role, body in (
            ("text", new_markdown_cell(embed(exercise_text(exercise, cell.source), self.chapter.file, cell.line))),
            ("answer", _code(answer, timeout=exercise.timeout)),
            ("check", _code(f"check({exercise.name})", timeout=exercise.timeout)),
        ):
            body.metadata["exercise"] = {"id": exercise.id, "name": exercise.name, "role": role}
            made.append((f"{key}-{exercise.name}-{role}", body))
        return made


def exercise_text(exercise: built.Exercise, task: str) -> str:
    """The exercise's block as a learner reads it, in plain Markdown."""

    def dots(count: int) -> str:
        return "●" * count + "○" * (5 - count) + f" ({count} of 5)"

    points = "1 point" if exercise.points == 1 else f"{exercise.points} points"
    kind = "optional" if exercise.optional else "must-do"
    parts = [
        f"### Exercise {exercise.id}: `{exercise.name}`",
        f"**Goal:** {exercise.goal}",
        f"Difficulty {dots(exercise.difficulty)} · importance {dots(exercise.importance)} · "
        f"about {exercise.minutes} minutes · {points} · {kind}",
    ]
    if exercise.needs:
        parts.append("Builds on " + ", ".join(f"`{need}`" for need in exercise.needs) + ".")
    if task:
        parts.append(task)
    parts.append(
        f'Stuck? `hint("{exercise.name}")` opens one step of help at a time; `skip("{exercise.name}")` swaps in our '
        "solution for this exercise (no points), so that later cells still run."
    )
    return "\n\n".join(parts)


def _joined(made: list) -> list:
    """Fewer cells to scroll: prose joins the prose or exercise below it, given objects each other."""
    kept: list = []
    for name, cell in made:
        above, before = kept[-1] if kept else ("", None)
        if before and before.cell_type == cell.cell_type == "markdown" and "exercise" not in before.metadata:
            cell.source = f"{before.source}\n\n{cell.source}"
            kept[-1] = (name if "exercise" in cell.metadata else above, cell)
        elif "-given-" in above and "-given-" in name:
            before.source += f"\n\n\n{cell.source}"
        else:
            kept.append((name, cell))
    return kept


def _code(source: str, timeout: float | None = None, tags: list[str] | None = None):
    cell = new_code_cell(source)
    if timeout:
        cell.metadata["course"] = {"timeout": timeout}
    if tags:
        cell.metadata["tags"] = tags
    return cell


def _slug(cell: Cell) -> str:
    """Id of a cell without a name: its heading's words, or its section's with a fingerprint of its text.

    Neither counts cells, so a new cell leaves the ids of all others as they were.
    """
    heading = re.match(r"#+ (.*)", cell.source) if cell.kind == "prose" else None
    words = re.sub(r"[^a-z0-9]+", "-", (heading[1] if heading else cell.section or "start").lower()).strip("-")
    return words[:40].strip("-") if heading else f"{words[:32].strip('-')}-{digest(cell.source)[:8]}"


def _render(key: str, name: str, made: list) -> str:
    """The notebook's text: nbformat 4.5, no outputs, no dates, every id our own, validated."""
    seen: dict[str, int] = {}
    for wanted, cell in made:
        seen[wanted] = seen.get(wanted, 0) + 1
        cell.id = (wanted if seen[wanted] == 1 else f"{wanted}-{seen[wanted]}")[:64]
        cell.metadata["course"] = {**cell.metadata.get("course", {}), "digest": digest(cell.source)}
    cells = [cell for _, cell in made]
    notebook = new_notebook(cells=cells)
    notebook.nbformat_minor = 5
    notebook.metadata = nbformat.from_dict(
        {
            "course": {"chapter": key, "notebook": name, "digest": notebook_digest(cells)},
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def notebook_digest(cells) -> str:
    """Fingerprint of a notebook's cells in their order: ids, kinds and sources, nothing that running changes."""
    return digest("\n".join(f"{cell.get('id')} {cell.cell_type} {digest(cell.source)}" for cell in cells))
