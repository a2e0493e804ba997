"""nbgrader plug-in: a grades file in which nothing that was not graded looks like a zero."""

import csv
import io
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import CsvExportPlugin

SCORES = ("raw_score", "late_submission_penalty", "score")


class HonestCsvExport(CsvExportPlugin):
    """nbgrader's CSV file, properly quoted, with one more column.

    "state" is "graded", "not submitted" or "could not be graded"; the scores of the last two are
    empty.
    """

    def export(self, gradebook: Gradebook) -> None:
        """Write the file."""
        target = Path(self.to or "grades.csv")
        root = Path(CourseDirectory(config=self.config).root)
        rows = []
        # In an order of their own, not in that in which they came into the gradebook.
        for assignment in sorted(gradebook.assignments, key=lambda one: one.name):
            if self.assignment and assignment.name not in self.assignment:
                continue
            for student in sorted(gradebook.students, key=lambda one: one.id):
                if self.student and student.id not in [str(one) for one in self.student]:
                    continue
                rows.append(_row(gradebook, assignment, student, root))
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]) if rows else ["assignment"])
        writer.writeheader()
        writer.writerows(rows)
        partial = target.with_name(target.name + ".partial")
        partial.write_text(text.getvalue(), encoding="utf-8", newline="")
        partial.replace(target)
        self.log.info("Exported grades to %s", target)


def state_of(root: Path, student: str, unit: str) -> str:
    """What became of a submission, from nbgrader's folders."""
    if Path(root, "autograded", student, unit, f"{unit}.ipynb").exists():
        return "graded"
    handed_in = Path(root, "submitted", student, unit).exists()
    return "could not be graded" if handed_in else "not submitted"


def _row(gradebook: Gradebook, assignment: object, student: object, root: Path) -> dict[str, str]:
    state = state_of(root, student.id, assignment.name)
    row = {
        "assignment": assignment.name, "duedate": assignment.duedate, "timestamp": None,
        "student_id": student.id, "last_name": student.last_name,
        "first_name": student.first_name, "email": student.email, **dict.fromkeys(SCORES),
        "max_score": assignment.max_score, "state": state,
    }  # fmt: skip
    if state == "graded":
        submission = gradebook.find_submission(assignment.name, student.id)
        penalty = submission.late_submission_penalty or 0.0
        row["timestamp"] = submission.timestamp
        row["raw_score"], row["late_submission_penalty"] = submission.score, penalty
        row["score"] = max(0.0, submission.score - penalty)
    return {name: "" if value is None else str(value) for name, value in row.items()}
