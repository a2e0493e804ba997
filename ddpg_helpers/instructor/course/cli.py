"""The ``ddpg-course`` command."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status. Heavy imports wait until a command needs them."""
    parser = argparse.ArgumentParser(
        prog="ddpg-course", description="Build, grade and maintain the DDPG course."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    build = commands.add_parser(
        "build", help="make release/, notebooks/ and the stored checks from source/"
    )
    build.add_argument(
        "units", nargs="*", metavar="UNIT",
        help="units whose reading edition to make, while you work on them; all if none",
    )  # fmt: skip
    build.add_argument(
        "--check", action="store_true", help="change nothing; fail if something is out of date"
    )

    grade = commands.add_parser("grade", help="autograde submitted/, write feedback and grades.csv")
    grade.add_argument(
        "units", nargs="*", metavar="UNIT", help="units to grade; all with submissions if none"
    )
    grade.add_argument("--force", action="store_true", help="grade again what was graded before")
    grade.add_argument(
        "--sample", action="store_true", help="first copy tests/sample_class into submitted/"
    )
    grade.add_argument(
        "--jobs", type=int, metavar="N", help="worker processes; by default one on each core"
    )
    grade.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster that runs the submissions"
    )
    grade.add_argument(
        "--require-sandbox", action="store_true", help="refuse to grade where there is no sandbox"
    )

    verify = commands.add_parser(
        "verify", help="hold the grader against known wrong and right answers, print the table"
    )
    verify.add_argument(
        "exercises", nargs="*", metavar="EXERCISE", help='such as "td_target"; all if none'
    )
    verify.add_argument(
        "--seeds", type=int, default=0, metavar="N",
        help="also draw each hidden probe with N fresh seeds: no verdict may change",
    )  # fmt: skip

    appeal = commands.add_parser(
        "appeal", help="judge one aspect of a graded submission again, and say what differed"
    )
    appeal.add_argument("student", metavar="STUDENT")
    appeal.add_argument("unit", metavar="UNIT")
    appeal.add_argument("aspect", metavar="ASPECT", help='such as "mask" or "td_target.mask"')

    _add_bundle(commands)
    _add_gradescope(commands)
    _add_grades(commands)
    _add_report(commands)
    options = parser.parse_args(arguments)
    # nbgrader calls alembic by name; find it also where the environment is not activated.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    if options.command == "build":
        return _build(options.units, check=options.check)
    if options.command == "verify":
        return _verify(options.exercises, options.seeds)
    if options.command == "appeal":
        return _appeal(options.student, options.unit, options.aspect)
    if options.command == "bundle":
        return _bundle(options)
    if options.command == "gradescope":
        return _gradescope(options)
    if options.command == "grades":
        return _grades(options)
    if options.command == "report":
        return _report(options)
    return _grade(options)


def _add_bundle(commands: Any) -> None:
    bundle = commands.add_parser("bundle", help="write one zip with all that students need")
    bundle.add_argument(
        "units", nargs="*", metavar="UNIT",
        help="units to hand out; if none, all that can be handed out together",
    )  # fmt: skip
    bundle.add_argument(
        "--student-url", metavar="URL",
        help="where what is in the zip's folder will be on the web, such as a public GitHub "
        "repository: notebooks get badges and fetch the package from there where it is missing",
    )  # fmt: skip
    bundle.add_argument(
        "--with-answers", action="store_true",
        help="allow a unit whose modules answer another one in the zip: the deadlines have passed",
    )  # fmt: skip
    bundle.add_argument("--output", type=Path, metavar="FILE", help="the zip; in dist/ if none")


def _bundle(options: argparse.Namespace) -> int:
    from ddpg_helpers.instructor.course import bundle
    from ddpg_helpers.instructor.course.layout import UNITS

    try:
        path = bundle.bundle(
            options.units,
            student_url=options.student_url,
            with_answers=options.with_answers,
            output=options.output,
        )
    except bundle.BundleError as error:
        return _stop(error)
    print(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")
    if options.student_url:
        print(f"Put what is in its folder {bundle.FOLDER}/ there: {options.student_url}")
    if not options.units and not options.with_answers:
        left = [unit for unit in UNITS if unit not in bundle.units_together()]
        print(
            f"Left out: {', '.join(left)}, which come with answers to units before them. Bundle "
            "each by name, after the deadlines of those."
        )
    return 0


def _add_grades(commands: Any) -> None:
    grades = commands.add_parser("grades", help="write the grades for people, Canvas or Moodle")
    grades.add_argument("units", nargs="*", metavar="UNIT", help="units to write; all if none")
    grades.add_argument(
        "--for", dest="form", choices=("class", "canvas", "moodle"), default="class",
        help='"class" (a line for each student and unit), or what Canvas or Moodle imports',
    )  # fmt: skip
    grades.add_argument(
        "--roster", type=Path, metavar="FILE",
        help="who is in the class; roster.csv if none, which Canvas and Moodle need",
    )  # fmt: skip
    grades.add_argument(
        "--partial", action="store_true",
        help="write the points so far where answers wait to be graded by hand",
    )  # fmt: skip
    grades.add_argument(
        "--output", type=Path, metavar="FILE", help="grades_FORMAT.csv if none"
    )  # fmt: skip


def _add_gradescope(commands: Any) -> None:
    gradescope = commands.add_parser(
        "gradescope", help="write the zip that Gradescope takes as a unit's autograder"
    )
    gradescope.add_argument("unit", metavar="UNIT")
    gradescope.add_argument(
        "--visibility", default="after_published", metavar="WHEN",
        help="when students see how each hidden test went: visible, after_due_date, "
        "after_published (the default) or hidden",
    )  # fmt: skip
    gradescope.add_argument(
        "--torch-index", default="", metavar="URL",
        help="package index with builds of PyTorch for the CPU, which are much smaller",
    )  # fmt: skip
    gradescope.add_argument("--output", type=Path, metavar="FILE", help="the zip; in dist/ if none")


def _gradescope(options: argparse.Namespace) -> int:
    from ddpg_helpers.instructor.course.gradescope import make
    from ddpg_helpers.instructor.course.layout import ROOT

    output = options.output or ROOT / "dist" / f"gradescope_{options.unit}.zip"
    try:
        path = make.write_autograder(
            options.unit, output,
            visibility=options.visibility, torch_index=options.torch_index,
        )  # fmt: skip
    except make.GradescopeError as error:
        return _stop(error)
    print(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")
    print("It holds hidden tests and answers: give it to Gradescope and to nobody else.")
    print(f"Set the assignment's autograder points to {make.autograded_points(options.unit):g}.")
    return 0


def _grades(options: argparse.Namespace) -> int:
    from ddpg_helpers.instructor.course import grades
    from ddpg_helpers.instructor.course.layout import ROOT
    from ddpg_helpers.instructor.course.roster import RosterError

    roster = options.roster or ROOT / "roster.csv"
    if options.roster is None and options.form == "class" and not roster.exists():
        roster = None
    path = options.output or ROOT / f"grades_{options.form}.csv"
    try:
        read = grades.read_grades(options.units, roster=roster)
        left_out = grades.export_grades(read, options.form, path, partial=options.partial)
    except (grades.GradesError, RosterError) as error:
        return _stop(error)
    print("\n".join([*left_out, f"wrote {path}"]))
    if options.form == "moodle":
        points = ", ".join(f"{unit} {of:g}" for unit, of in read.units.items())
        print(f"Moodle gives a new grade item 100 points: set its maximum grade ({points}).")
    return 0


def _add_report(commands: Any) -> None:
    report = commands.add_parser("report", help="write a page on how the class did")
    report.add_argument("units", nargs="*", metavar="UNIT", help="units to report on; all if none")
    report.add_argument("--output", type=Path, metavar="FILE", help="report.html if none")


def _report(options: argparse.Namespace) -> int:
    from ddpg_helpers.instructor.course.grades import GradesError
    from ddpg_helpers.instructor.course.layout import ROOT
    from ddpg_helpers.instructor.course.report import write_report

    path = options.output or ROOT / "report.html"
    try:
        write_report(path, options.units)
    except GradesError as error:
        return _stop(error)
    print(f"wrote {path}")
    return 0


def _build(units: list[str], *, check: bool) -> int:
    from ddpg_helpers.instructor.course.build import build, outdated
    from ddpg_helpers.instructor.course.layout import ROOT, UNITS
    from ddpg_helpers.instructor.grading.judge import NoProbeError

    for unit in units:
        if unit not in UNITS:
            return _stop(f"there is no unit {unit!r}; there are {', '.join(UNITS)}")
    try:
        found = outdated() if check else build(tuple(units) or UNITS)
    except NoProbeError as error:
        return _stop(error)
    paths = [path.relative_to(ROOT) for path in found]
    for path in paths:
        print(f"{path} is out of date; run `ddpg-course build`" if check else f"wrote {path}")
    if not paths:
        print("All editions are up to date.")
    return 1 if check and paths else 0


def _verify(exercises: list[str], seeds: int) -> int:
    from ddpg_helpers.instructor.course.verify import verify

    try:
        return 0 if verify(seeds, exercises) else 1
    except ValueError as error:
        return _stop(error)


def _stop(reason: object) -> int:
    print(f"ddpg-course: {reason}", file=sys.stderr)
    return 1


def _appeal(student: str, unit: str, aspect: str) -> int:
    from ddpg_helpers.instructor.course.appeal import AppealError, appeal

    try:
        print(appeal(student, unit, aspect))
    except AppealError as error:
        return _stop(error)
    return 0


def _grade(options: argparse.Namespace) -> int:
    from ddpg_helpers.instructor.course.grade import GradingError, grade_class

    try:
        summary = grade_class(
            options.units, force=options.force, sample=options.sample, jobs=options.jobs,
            scheduler=options.scheduler, require_sandbox=options.require_sandbox,
        )  # fmt: skip
    except GradingError as error:
        return _stop(error)
    return 130 if summary.interrupted else 0


if __name__ == "__main__":
    sys.exit(main())
