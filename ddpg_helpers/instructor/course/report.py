"""report: one page on how the class did, for an instructor who asks what to explain again."""

import html
import io
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib
import nbformat
import numpy as np
from matplotlib.figure import Figure

from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.checks.aspects import UNITS as EXERCISES
from ddpg_helpers.instructor.course.grades import (
    NOT_SUBMITTED,
    Grade,
    Grades,
    graded_notebook,
    read_grades,
)
from ddpg_helpers.instructor.course.layout import ROOT
from ddpg_helpers.instructor.grading.rebuild import KEY
from ddpg_helpers.instructor.mutants import mutants_of

SLOWEST = 8  # cells that are listed
_RIGHT, _WRONG, _NOT_ATTEMPTED = "right", "wrong", "not attempted"
_COLOURS = {_RIGHT: "#0072B2", _WRONG: "#D55E00", _NOT_ATTEMPTED: "#BDBDBD"}


@dataclass
class Unit:
    """What the graded notebooks of a unit say.

    Attributes:
        name: "04_critic_loss".
        of: its points.
        grades: of the submissions.
        outcomes: students by exercise, aspect and outcome.
        mistakes: students by exercise and mistake, or by exercise and the aspect in which they
            made one that is not known.
        problems: sentences on what went wrong while grading, by student.
        seconds: that a cell took, for each student, by the cell's name.
        without: students whose graded notebook holds no verdicts.
    """

    name: str
    of: float
    grades: list[Grade] = field(default_factory=list)
    outcomes: dict[tuple[str, str, str], list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )
    mistakes: dict[tuple[str, str | None, str | None], list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )
    problems: dict[str, list[str]] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    without: list[str] = field(default_factory=list)

    @property
    def judged(self) -> int:
        """How many submissions have verdicts."""
        return sum(g.points is not None for g in self.grades) - len(self.without)


def write_report(path: Path, units: Sequence[str] = (), *, root: Path = ROOT) -> None:
    """Write the page: points, aspects, mistakes, problems and slow cells. It names students.

    Args:
        path: is written over.
        units: those to report on; all of which something was submitted when empty.
        root: the course's folder.

    Raises:
        GradesError: there is no gradebook, or not of such a unit.
    """
    grades = read_grades(units, root=root)
    path.write_text(page([_unit(name, grades, root) for name in grades.units]), encoding="utf-8")


def _unit(name: str, grades: Grades, root: Path) -> Unit:
    unit = Unit(name, grades.units[name])
    for student in grades.students:
        grade = grades.table[student, name]
        if grade.note == NOT_SUBMITTED:
            continue
        unit.grades.append(grade)
        if grade.points is not None:
            _read(unit, student, graded_notebook(root, student, name))
    return unit


def _read(unit: Unit, student: str, path: Path) -> None:
    """Add what a graded notebook says."""
    notebook = nbformat.read(path, as_version=4)
    about = notebook.metadata.get(KEY, {})
    if "verdicts" not in about and unit.name in EXERCISES:
        unit.without.append(student)
    for verdict in about.get("verdicts", []):
        exercise, aspect, outcome = verdict["exercise"], verdict["aspect"], verdict["outcome"]
        unit.outcomes[exercise, aspect, outcome].append(student)
        if outcome == _WRONG:
            mistake = verdict["mistake"]
            key = (exercise, mistake, None if mistake else aspect)
            if student not in unit.mistakes[key]:
                unit.mistakes[key].append(student)
    if about.get("problems"):
        unit.problems[student] = list(about["problems"])
    names = {c["id"]: c.metadata.get("nbgrader", {}).get("grade_id") for c in notebook.cells}
    for cell, seconds in about.get("seconds", {}).items():
        unit.seconds[names.get(cell) or cell].append(seconds)


def page(units: Sequence[Unit]) -> str:
    """The page as HTML, which needs no other file."""
    students = {grade.student for unit in units for grade in unit.grades}
    submissions = sum(len(unit.grades) for unit in units)
    parts = [
        "<h1>How the class did</h1>",
        f"<p>{_count(len(students), 'student')}, {_count(submissions, 'submission')}. "
        "This page names students and answers: it is for instructors.</p>",
        "<h2>What to explain again</h2>",
        *_mistakes(units),
        "<h2>Points</h2>",
        _points_picture(units),
        _points_table(units),
        "<h2>Aspects</h2>",
        *_aspects(units),
        *_problems(units),
        *_slow_cells(units),
    ]
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>How the class did</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _mistakes(units: Sequence[Unit]) -> Iterable[str]:
    """The mistakes that were made, the most frequent ones of all units first."""
    rows = [
        (len(students) / unit.judged, unit, *key, students)
        for unit in units for key, students in unit.mistakes.items()
    ]  # fmt: skip
    if not rows:
        yield "<p>No wrong answer among those that were attempted; see below for the others.</p>"
        return
    rows.sort(key=lambda row: (-row[0], row[1].name, row[2], row[3] or "", row[4] or ""))
    yield (
        "<p>Wrong answers, the most frequent first: how many of the unit's judged submissions "
        "have the mistake.</p><table><tr><th>unit</th><th class='number'>made by</th>"
        "<th>exercise</th><th>mistake</th><th>students</th></tr>"
    )
    for _, unit, exercise, mistake, aspect, students in rows:
        yield (
            f"<tr><td>{_text(unit.name[:2])}</td>"
            f"<td class='number'>{len(students)} of {unit.judged}</td>"
            f"<td><code>{_text(exercise)}</code></td>"
            f"<td>{_what(exercise, mistake, aspect)}</td><td>{_names(students)}</td></tr>"
        )
    yield "</table>"


def _what(exercise: str, mistake: str | None, aspect: str | None) -> str:
    """A mistake in words: its name and the sentences that its students were told."""
    if mistake is None:
        about = ASPECTS.get(exercise, {}).get(aspect or "")
        title, wrong = (about.title, about.wrong) if about else (aspect, "")
        return f"<b>no known mistake: {_text(title)}</b><br>{_text(wrong)}"
    says = next((m.says for m in mutants_of(exercise) if m.name == mistake), "")
    return f"<b>{_text(mistake.replace('_', ' '))}</b><br>{_text(says)}"


def _points_picture(units: Sequence[Unit]) -> str:
    """Every submission as a dot at its share of the unit's points, with the medians."""
    shown = [unit for unit in units if _points(unit)]
    if not shown:
        return "<p>No submission has points yet.</p>"
    rng = np.random.default_rng(0)
    with matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": "report"}):
        figure = Figure(figsize=(8, 0.6 + 0.5 * len(shown)), layout="constrained")
        axes = figure.subplots()
        for row, unit in enumerate(shown):
            shares = 100 * np.array(_points(unit)) / unit.of
            scatter = row + rng.uniform(-0.22, 0.22, len(shares))
            axes.plot(shares, scatter, "o", color=_COLOURS[_RIGHT], alpha=0.45, mew=0, ms=7)
            axes.plot([np.median(shares)] * 2, [row - 0.36, row + 0.36], color="black", lw=2)
        axes.set_yticks(range(len(shown)), [unit.name for unit in shown])
        axes.set(xlim=(-3, 103), ylim=(len(shown) - 0.5, -0.5), xlabel="points, in % of the unit's")
        axes.grid(axis="x", color="#E5E5E5")
        axes.set_axisbelow(True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    svg = file.getvalue()
    return (
        "<figure>"
        f"{svg[svg.index('<svg') :]}"
        "<figcaption>A dot is a submission, a line the median. Submissions with answers that "
        "wait for a person are left out, here and below.</figcaption></figure>"
    )


def _points(unit: Unit) -> list[float]:
    """Of the submissions that are graded to the end."""
    return [g.points for g in unit.grades if g.points is not None and not g.waiting]


def _points_table(units: Sequence[Unit]) -> str:
    rows = [
        "<table><tr><th>unit</th>"
        + "".join(
            f"<th class='number'>{name}</th>"
            for name in (
                "submissions",
                "lowest",
                "median",
                "highest",
                "of",
                "wait for a person",
                "not graded",
            )
        )
        + "</tr>"
    ]
    for unit in units:
        points = _points(unit)
        numbers = [min(points), statistics.median(points), max(points)] if points else []
        waiting = sum(bool(grade.waiting) for grade in unit.grades)
        failed = sum(grade.points is None for grade in unit.grades)
        cells = [len(unit.grades), *(numbers or ["", "", ""]), unit.of, waiting, failed]
        listed = "".join(
            f"<td class='number'>{c if isinstance(c, str) else f'{c:g}'}</td>" for c in cells
        )
        rows.append(f"<tr><td>{_text(unit.name)}</td>{listed}</tr>")
    return "\n".join([*rows, "</table>"])


def _aspects(units: Sequence[Unit]) -> Iterable[str]:
    """A bar for each aspect: how many were right, wrong, or had not begun."""
    keys = " ".join(
        f"<span class='key' style='background:{c}'></span>{o}" for o, c in _COLOURS.items()
    )
    yield f"<p>{keys}</p>"
    for unit in units:
        if not unit.judged or not unit.outcomes:
            continue
        yield f"<h3>{_text(unit.name)} ({_count(unit.judged, 'submission')})</h3>"
        yield "<table class='bars'>"
        for exercise, aspect in _in_order(unit):
            counts = {o: len(unit.outcomes.get((exercise, aspect, o), [])) for o in _COLOURS}
            bar = "".join(
                f"<span style='width:{100 * count / sum(counts.values()):.4g}%;"
                f"background:{_COLOURS[outcome]}' title='{outcome}: {count}'></span>"
                for outcome, count in counts.items() if count
            )  # fmt: skip
            about = ASPECTS.get(exercise, {}).get(aspect)
            yield (
                f"<tr><td><code>{_text(exercise)}</code></td>"
                f"<td>{_text(about.title if about else aspect)}</td>"
                f"<td class='number'>{counts[_RIGHT]} of {sum(counts.values())}</td>"
                f"<td class='bar'><div>{bar}</div></td></tr>"
            )
        yield "</table>"


def _in_order(unit: Unit) -> list[tuple[str, str]]:
    known = [(e, a) for e in EXERCISES.get(unit.name, ()) for a in ASPECTS[e]]
    judged = {(exercise, aspect) for exercise, aspect, _ in unit.outcomes}
    return [pair for pair in known if pair in judged] + sorted(judged - set(known))


def _problems(units: Sequence[Unit]) -> Iterable[str]:
    """What could not be graded, and what went wrong in what was."""
    lines = [
        (unit.name, grade.student, grade.note)
        for unit in units for grade in unit.grades if grade.points is None
    ]  # fmt: skip
    lines += [
        (unit.name, student, problem)
        for unit in units for student, problems in unit.problems.items() for problem in problems
    ]  # fmt: skip
    lines += [
        (unit.name, student, "graded without a record of the verdicts; run `ddpg-course grade "
         f"{unit.name} --force` to have it counted here")
        for unit in units for student in unit.without
    ]  # fmt: skip
    if lines:
        yield "<h2>Look at by hand</h2><table><tr><th>unit</th><th>student</th><th>what</th></tr>"
        for name, student, sentence in lines:
            yield (
                f"<tr><td>{_text(name[:2])}</td><td>{_text(student)}</td>"
                f"<td>{_text(_short(sentence))}</td></tr>"
            )
        yield "</table>"


def _slow_cells(units: Sequence[Unit]) -> Iterable[str]:
    rows = sorted(
        ((statistics.median(times), max(times), unit.name, cell)
         for unit in units for cell, times in unit.seconds.items()),
        reverse=True,
    )[:SLOWEST]  # fmt: skip
    if rows:
        yield (
            "<h2>Slowest cells while grading</h2><table><tr><th>unit</th><th>cell</th>"
            "<th class='number'>median, s</th><th class='number'>longest, s</th></tr>"
        )
        for median, longest, name, cell in rows:
            yield (
                f"<tr><td>{_text(name[:2])}</td><td><code>{_text(cell)}</code></td>"
                f"<td class='number'>{median:.1f}</td><td class='number'>{longest:.1f}</td></tr>"
            )
        yield "</table>"


def _names(students: Sequence[str]) -> str:
    listed = _text(", ".join(students))
    if len(students) <= 3:
        return listed
    return f"<details><summary>{len(students)} students</summary>{listed}</details>"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:300]} ..."


def _text(value: Any) -> str:
    """As text of the page, whoever wrote it."""
    return html.escape(str(value))


_STYLE = """
body { font: 16px/1.45 system-ui, sans-serif; color: #222; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
h2 { margin: 2.2rem 0 .4rem; } h3 { margin: 1.2rem 0 .2rem; font-size: 1rem; }
table { border-collapse: collapse; margin: .6rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem .3rem 0;
  border-bottom: 1px solid #e5e5e5; }
th { font-weight: 600; white-space: nowrap; } td:last-child { overflow-wrap: anywhere; }
th.number, td.number { text-align: right; white-space: nowrap; }
td.bar { width: 16rem; } .bar div { display: flex; height: 1rem; margin-top: .25rem; }
.bar span { display: block; }
table.bars { width: 100%; } table.bars td:first-child { width: 14rem; }
.key { display: inline-block; width: .9rem; height: .9rem; margin: 0 .35rem 0 .9rem; }
figure { margin: 0; } figure svg { width: 100%; height: auto; }
figcaption { color: #555; font-size: .9rem; }
code { font-size: .9em; } code, summary { white-space: nowrap; }
"""
