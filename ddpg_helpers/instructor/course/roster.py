"""roster: who is in the class, and by which names other systems know them."""

import csv
import io
from dataclasses import dataclass, fields
from pathlib import Path

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet runs where a cell begins with it


class RosterError(ValueError):
    """The roster can't be used; says where it is wrong."""


@dataclass(frozen=True)
class Student:
    """One line of the roster; whatever is not known is empty.

    Attributes:
        student: the id in this course, which is the folder's name in ``submitted/``.
        name: as the learning platform shows it.
        section: of the class.
        email: for Moodle.
        id_number: "ID number" in Moodle's profile.
        canvas_id: column "ID" of Canvas's gradebook export.
        sis_user_id: column "SIS User ID" there.
        sis_login_id: column "SIS Login ID" there.
    """

    student: str
    name: str = ""
    section: str = ""
    email: str = ""
    id_number: str = ""
    canvas_id: str = ""
    sis_user_id: str = ""
    sis_login_id: str = ""


COLUMNS = tuple(field.name for field in fields(Student))
_UNIQUE = tuple(name for name in COLUMNS if name not in ("name", "section"))


def read_roster(path: Path) -> dict[str, Student]:
    """Read a roster: a CSV file with a header and some of the columns of ``Student``.

    Returns:
        The students by their id in this course, in the file's order.

    Raises:
        RosterError: the file is not there or no UTF-8; a column is unknown, doubled, or the column
            ``student`` is missing; a line has too many cells or no student; an id comes twice, or
            one of another system begins like a formula.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise RosterError(
            f"there is no roster {path}: write one line a student under the header "
            f"{','.join(COLUMNS)}, of which only student is needed"
        ) from None
    except UnicodeDecodeError:
        raise RosterError(f"{path.name} is not in UTF-8: save it as CSV UTF-8") from None
    first, _, _ = text.partition("\n")
    delimiter = ";" if first.count(";") > first.count(",") else ","  # as some spreadsheets write
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header = [name.strip() for name in next(lines, [])]
    unknown = [name for name in header if name not in COLUMNS or header.count(name) > 1]
    if unknown or "student" not in header:
        problem = f"the column {unknown[0]!r}" if unknown else "no column 'student'"
        raise RosterError(f"{path.name} has {problem}: it may have {', '.join(COLUMNS)}, each once")
    students: dict[str, Student] = {}
    seen: dict[tuple[str, str], int] = {}
    for cells in lines:
        number = lines.line_num
        cells = [cell.strip() for cell in cells]
        if not any(cells):
            continue
        if len(cells) > len(header):
            raise RosterError(f"{path.name}, line {number} has more cells than the header")
        student = Student(**{"student": "", **dict(zip(header, cells, strict=False))})
        if not student.student:
            raise RosterError(f"{path.name}, line {number} names no student")
        for column in _UNIQUE:
            value = getattr(student, column)
            if column != "student" and value.startswith(FORMULA):
                raise RosterError(
                    f"{path.name}, line {number}: {column} {value!r} begins with {value[0]!r}, "
                    "which a spreadsheet would take for a formula"
                )
            if value and (column, value) in seen:
                raise RosterError(
                    f"{path.name}, lines {seen[column, value]} and {number} have the same {column} "
                    f"{value!r}: each student comes once"
                )
            seen[column, value] = number
        students[student.student] = student
    return students
