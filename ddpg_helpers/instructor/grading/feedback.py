"""nbgrader plug-ins for feedback pages."""

from typing import ClassVar

import jinja2
from jinja2.bccache import Bucket
from nbconvert.exporters import HTMLExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.preprocessors import NbGraderPreprocessor

from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.instructor.grading.rebuild import KEY


class ListAspects(NbGraderPreprocessor):
    """A list of aspects with their points at the top; nbgrader's own says "Test cell" for each.

    Comes after nbgrader's ``GetGrades``.
    """

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Put the list before the first cell."""
        about = {
            cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader
            for cell in nb.cells
            if cell.metadata.get("nbgrader", {}).get("grade")
        }
        lines = []
        for verdict in nb.metadata.get(KEY, {}).get("verdicts", []):
            exercise, aspect, name = verdict["exercise"], verdict["aspect"], verdict["cell"]
            if name not in about:
                continue
            score, points = float(about[name].score), float(about[name].points)
            sign = "\N{CHECK MARK}" if score == points else "\N{BALLOT X}"
            title = f"{exercise}, {ASPECTS[exercise][aspect].title}"
            lines.append(f"- {sign} [{title}](#{name}): {score:g} of {points:g}")
        if lines:
            nb.cells.insert(0, new_markdown_cell("\n".join(["**What was tested**", "", *lines])))
        return nb, resources


class FeedbackPage(HTMLExporter):
    """nbconvert's page, but its templates are compiled once for a class, not for each page."""

    def _create_environment(self) -> jinja2.Environment:
        environment = super()._create_environment()
        environment.bytecode_cache = _InMemory()
        return environment


class _InMemory(jinja2.BytecodeCache):
    _compiled: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()
