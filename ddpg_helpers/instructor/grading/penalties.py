"""nbgrader plug-in: late penalties, of which one that a person gave survives a second grading."""

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import AssignLatePenalties


class KeepLatePenalties(AssignLatePenalties):
    """nbgrader's step takes a penalty away where its plug-in gives none; this one leaves it."""

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Assign the penalty of a late submission."""
        about = resources["nbgrader"]
        place = about["notebook"], about["assignment"], about["student"]
        with Gradebook(about["db_url"]) as gradebook:
            before = gradebook.find_submission_notebook(*place).late_submission_penalty
        nb, resources = super().preprocess(nb, resources)
        if before:
            with Gradebook(about["db_url"]) as gradebook:
                submitted = gradebook.find_submission_notebook(*place)
                if not submitted.late_submission_penalty:
                    submitted.late_submission_penalty = before
                    gradebook.db.commit()
        return nb, resources
