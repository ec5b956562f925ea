"""Results as pages to read: one for the class, one for each student. Plain HTML, no script, no network."""

from pathlib import Path

from utils import course
from utils.grade.classroom.record import read_results, record_file, write_whole
from utils.grade.report import overview, student


def write(folder: Path, chapter: str, out: Path | None = None) -> Path:
    """Write `<chapter>.html` and `<student>/<chapter>.html` into `out` (default: `folder`); returns the class page.

    Raises CourseError where there are no results of the chapter, a record is damaged, or a page cannot be written.
    """
    folder, out = Path(folder), Path(out or folder)
    results = read_results(folder, chapter)
    key = results[0].chapter
    try:
        for result in results:
            write_whole(record_file(out, result.student, key).with_suffix(".html"), student.page(result))
        page = out / f"{key}.html"
        write_whole(page, overview.page(results))
    except OSError as error:
        raise course.CourseError(f"The report cannot be written to {out}: {error.strerror or error}.") from None
    return page
