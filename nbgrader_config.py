"""nbgrader's settings for this course: read by every nbgrader command in this folder."""

import os
import sys
from pathlib import Path

from nbgrader.preprocessors import (
    ClearHiddenTests,
    ClearMarkScheme,
    GetGrades,
    IgnorePattern,
    LimitOutput,
    SaveAutoGrades,
)

from ddpg_helpers.instructor.grading.execute import ExecuteSubmission
from ddpg_helpers.instructor.grading.export import HonestCsvExport
from ddpg_helpers.instructor.grading.feedback import FeedbackPage, ListAspects
from ddpg_helpers.instructor.grading.penalties import KeepLatePenalties
from ddpg_helpers.instructor.grading.rebuild import RebuildCells

c = get_config()  # noqa: F821

# nbgrader calls alembic by name when it makes a gradebook; find it also where the virtual
# environment is not activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

c.CourseDirectory.course_id = "ddpg"
# Another database, such as PostgreSQL: c.CourseDirectory.db_url =
# "postgresql+psycopg://user@host/ddpg" (extra `postgresql`)

# `nbgrader zip_collect UNIT` takes downloaded/UNIT/archive/STUDENT.zip, also with what Canvas
# (STUDENT_11_22_name.zip) or Moodle (STUDENT_11_assignsubmission_file) write behind the name. The
# first group is atomic: a folder "extracted" inside a zip is not taken for another student's. In a
# zip counts what lies in a folder named after the unit, at any depth, or all where there is none.
c.FileNameCollectorPlugin.named_regexp = (
    r"(?>.*?[\\/](?P<unit>[^\\/]+)[\\/]extracted[\\/])(?!.*(__MACOSX|\.ipynb_checkpoints))"
    r"(?P<student_id>[^\\/]+?)(_(LATE_)?\d+_(\d+_|assignsubmission_file)[^\\/]*)?[\\/]"
    r"(([^\\/]+[\\/])*(?P=unit)[\\/]|(?!(.*[\\/])?\d\d_[^\\/]+[\\/])([^\\/]+[\\/])?)(?P<file_id>.+)"
)
# Beside the notebook: modules, and what training keeps.
c.FileNameCollectorPlugin.valid_ext = [".ipynb", ".py", ".npz", ".csv"]

# Questions that are graded by hand have their mark scheme in a locked cell above the answer.
c.ClearMarkScheme.enforce_metadata = False

# A submission's cells are built anew from the gradebook, before anything runs.
c.Autograde.sanitize_preprocessors = [RebuildCells]
c.Autograde.autograde_preprocessors = [
    ExecuteSubmission,
    IgnorePattern,
    LimitOutput,
    SaveAutoGrades,
    KeepLatePenalties,
]

# grades.csv in which nothing that was not graded looks like a zero.
c.ExportApp.plugin_class = HonestCsvExport

c.GenerateFeedback.exporter_class = FeedbackPage
# Feedback goes to students: it shows no hidden test and no mark scheme.
c.GenerateFeedback.preprocessors = [
    ClearHiddenTests,
    ClearMarkScheme,
    GetGrades,
    ListAspects,
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
