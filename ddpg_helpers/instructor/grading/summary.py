"""nbgrader plug-in: a list of aspects with their points at the top of a feedback page."""

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.preprocessors import NbGraderPreprocessor

from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.instructor.grading.rebuild import KEY


class ListAspects(NbGraderPreprocessor):
    """nbgrader's own list says "Test cell" for each of them. Comes after ``GetGrades``."""

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
