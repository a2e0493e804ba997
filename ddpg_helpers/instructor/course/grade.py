"""grade: autograde all submissions, write feedback and grades.csv, and print the table.

Worker processes run and judge submissions; this process alone writes the gradebook. What a worker
has done is kept at once, so that a grading that was interrupted goes on where it was.
"""

import contextlib
import json
import logging
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import find_all_files
from sqlalchemy.exc import SAWarning
from tqdm import tqdm
from traitlets.config import Config, PyFileConfigLoader

from ddpg_helpers.instructor.course.layout import CACHE, ROOT, UNITS
from ddpg_helpers.instructor.grading import kernel, records, worker
from ddpg_helpers.instructor.grading.admission import read_submission
from ddpg_helpers.instructor.grading.execute import NO_SANDBOX, ExecuteSubmission
from ddpg_helpers.instructor.grading.export import HonestCsvExport, state_of
from ddpg_helpers.instructor.grading.rebuild import (
    KEY,
    NotGradableError,
    known_cells,
    rebuilt_notebook,
)
from ddpg_helpers.instructor.grading.sandbox import Limits, bubblewrap
from ddpg_helpers.instructor.grading.submission import HiddenTestError, Record, Submission
from ddpg_helpers.instructor.grading.worker import Place

SAMPLE = ROOT / "tests" / "sample_class"
ATTEMPTS = 3  # with new workers, where workers were lost


class GradingError(RuntimeError):
    """Grading can't begin or go on; says what to do."""


@dataclass
class Summary:
    """What came of a grading.

    Attributes:
        graded: submissions graded now.
        kept: those that had been graded before and have not changed.
        failed: why the others could not be graded.
        problems: parts that failed in graded submissions, a sentence each.
        slowest: seconds of each cell, with its submission and id.
        seconds: of the whole grading.
        interrupted: whether Ctrl-C ended it.
    """

    graded: list[Place] = field(default_factory=list)
    kept: list[Place] = field(default_factory=list)
    failed: dict[Place, str] = field(default_factory=dict)
    problems: dict[Place, list[str]] = field(default_factory=dict)
    slowest: list[tuple[float, Place, str]] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False


def grade_class(
    units: list[str],
    *,
    force: bool = False,
    sample: bool = False,
    root: Path = ROOT,
    jobs: int | None = None,
    scheduler: str | None = None,
    require_sandbox: bool = False,
) -> Summary:
    """Grade what lies in ``submitted/``, as the nbgrader commands do in this folder.

    Args:
        units: the units to grade; all that have submissions when empty.
        force: whether to grade again what was graded before.
        sample: whether to copy the sample class into ``submitted/`` first.
        root: the course's folder, with ``nbgrader_config.py``, ``source/`` and ``submitted/``.
        jobs: worker processes; None for one on each core.
        scheduler: address of a Dask scheduler whose workers do the work, in place of ``jobs``.
        require_sandbox: whether to refuse where students' code can't be run in a sandbox.

    Raises:
        GradingError: a unit does not exist, there is nothing to grade, the sample class would be
            mixed in with another one, there is no sandbox although one is required, the gradebook
            is locked, or the disk is full.
    """
    unknown = set(units) - set(UNITS)
    if unknown:
        raise GradingError(f"there is no unit {sorted(unknown)[0]!r}; there are {', '.join(UNITS)}")
    if sample:
        _refuse_to_mix(root)
        print("The sample class: made up, some with mistakes, one that never ends.", flush=True)
        shutil.copytree(SAMPLE, root / "submitted", dirs_exist_ok=True, ignore=_not_submissions)
    found = [
        (unit, folder.parent.name)
        for unit in units or UNITS
        for folder in sorted((root / "submitted").glob(f"*/{unit}"))
    ]
    if not found:
        raise GradingError(
            "there is nothing to grade: put submissions into submitted/STUDENT/UNIT/UNIT.ipynb, "
            "or give --sample for the sample class"
        )
    if bubblewrap() is None:
        if require_sandbox:
            raise GradingError(
                "there is no sandbox here: install bubblewrap (Debian: apt install bubblewrap), or "
                "leave out --require-sandbox"
            )
    warnings.simplefilter("ignore", SAWarning)  # nbgrader's own, harmless
    grading = _Grading(root, force=force)
    if bubblewrap() is None and grading.execute.student_uid is None:
        print(f"Warning: {NO_SANDBOX}", flush=True)
    try:
        grading.run(found, jobs, scheduler)
    except (OSError, HiddenTestError) as error:
        raise GradingError(_what_to_do(error)) from error
    return grading.summary


def _refuse_to_mix(root: Path) -> None:
    """Keep the sample class out of a real one's gradebook."""
    samples = {folder.name for folder in SAMPLE.iterdir()}
    others = sorted({f.name for f in (root / "submitted").glob("*") if f.is_dir()} - samples)
    if others:
        raise GradingError(
            f"submitted/ holds a class of your own ({', '.join(others[:3])}): the sample class "
            "would be mixed in with it. Grade without --sample, or try the sample class in another "
            "clone"
        )


class _Grading:
    """One grading of a class; this process's part of it."""

    def __init__(self, root: Path, *, force: bool) -> None:
        self.root = root
        self.force = force
        self.summary = Summary()
        self._writing = self._stopped = False
        self.config = course_config(root)
        self._api = _api(self.config)
        self.execute = ExecuteSubmission(config=self.config)
        self._known: dict[str, Any] = {}

    def run(self, found: list[Place], jobs: int | None, scheduler: str | None) -> None:
        started = time.monotonic()
        jobs = min(joblib.cpu_count() if jobs is None else jobs, len(found))
        self._bar = _Bar(len(found), self.summary)
        before = self._listen()
        with tempfile.TemporaryDirectory(prefix="ddpg-stage-") as stage, self._bar:
            try:
                early = scheduler is None and self._has_work(found)
                limits = self.execute.sandbox_limits()
                with _getting_ready(jobs, limits, stage) if early else contextlib.nullcontext():
                    todo = self._todo(found, Path(stage))
                self._grade(todo, jobs, scheduler, stage)
            except KeyboardInterrupt:
                self.summary.interrupted = True
            finally:
                if before is not None:
                    signal.signal(signal.SIGINT, before)
                kernel.end_warm_process()  # of this process, where it did the work itself
        self.summary.seconds = time.monotonic() - started
        self._report()

    # --- what is to be done ------------------------------------------------------------------

    def _has_work(self, found: list[Place]) -> bool:
        """Whether there is something to grade, as far as it is seen at once."""
        return self.force or not all(_state_file(self.root, place).exists() for place in found)

    def _todo(
        self, found: list[Place], stage: Path
    ) -> list[tuple[Place, Submission, str]]:
        register(sorted({unit for unit, _ in found}), self.root)
        with Gradebook(self._api.coursedir.db_url, "ddpg") as gradebook:
            for unit in {unit for unit, _ in found}:
                self._known[unit] = known_cells(gradebook, unit, unit)
        return list(self._staged(found, stage))

    def _staged(self, found: list[Place], stage: Path) -> Iterator[tuple[Place, Submission, str]]:
        """The submissions that are to be graded; what can't be, and what need not, is noted."""
        for unit, student in found:
            place = unit, student
            try:
                submission = self._submission(unit, student, stage)
            except NotGradableError as error:
                self._fail(place, str(error))
                continue
            except OSError:
                raise
            except Exception as error:  # whatever it is, it is this submission's alone
                self._fail(place, worker.in_short(error))
                continue
            key = records.key(submission)
            if not self.force and self._is_done(place, key):
                self.summary.kept.append(place)
                self._bar.step()
                continue
            if self.force:
                records.forget(self.root, key)
            yield place, submission, key

    def _submission(self, unit: str, student: str, stage: Path) -> Submission:
        folder = self.root / "submitted" / student / unit
        notebook = rebuilt_notebook(read_submission(folder, unit), self._known[unit])[0]
        files = stage / unit / student
        files.mkdir(parents=True)
        ignored = [*self._api.coursedir.ignore, "*.ipynb"]
        # As nbgrader does: what the student handed in, and over it what comes with the unit.
        for source in (folder, self.root / "source" / unit):
            for name in find_all_files(str(source), ignored):
                target = files / Path(name).relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(name, target)
        return self.execute.submission(notebook, student, unit, str(files))

    def _is_done(self, place: Place, key: str) -> bool:
        state = _read_state(self.root, place)
        return state.get("key") == key and state_of(self.root, place[1], place[0]) == "graded"

    # --- doing it ----------------------------------------------------------------------------

    def _grade(
        self,
        todo: list[tuple[Place, Submission, str]],
        jobs: int,
        scheduler: str | None,
        stage: str,
    ) -> None:
        waiting = {place: (submission, key) for place, submission, key in todo}
        for place, (_, key) in list(waiting.items()):
            record = records.load(self.root, key)
            if record is not None:  # run before, but not entered into the gradebook
                self._enter_alone(place, key, record)
                del waiting[place]
        for attempt in range(1, ATTEMPTS + 1):
            if not waiting:
                return
            try:
                for place, record, error in _worked(waiting, jobs, scheduler, stage):
                    _, key = waiting.pop(place)
                    if record is None:
                        self._fail(place, error)
                        continue
                    records.save(self.root, key, record)
                    self._enter_alone(place, key, record)
            except TerminatedWorkerError:
                if attempt == ATTEMPTS:
                    raise GradingError(
                        f"worker processes ended by themselves {ATTEMPTS} times, most often for "
                        "want of memory; try a smaller --jobs. What was graded is kept."
                    ) from None
                self._bar.say("a worker process was lost; its submissions are graded again")

    def _listen(self) -> Any:
        """Let Ctrl-C wait while the gradebook is written; return the handler that was there."""
        if threading.current_thread() is not threading.main_thread():
            return None

        def stop(*_: object) -> None:
            self._stopped = True
            if not self._writing:
                raise KeyboardInterrupt

        return signal.signal(signal.SIGINT, stop)

    def _enter_alone(self, place: Place, key: str, record: Record) -> None:
        """Enter a record; what goes wrong stops no other submission."""
        try:
            self._enter(place, key, record)
        except (GradingError, OSError):
            raise
        except Exception as error:  # whatever it is, it is this submission's alone
            self._fail(place, worker.in_short(error))

    def _enter(self, place: Place, key: str, record: Record) -> None:
        """Enter a record into the gradebook, whole even where Ctrl-C is pressed meanwhile."""
        self._writing = True
        try:
            self._write(place, key, record)
        finally:
            self._writing = False
        if self._stopped:
            raise KeyboardInterrupt

    def _write(self, place: Place, key: str, record: Record) -> None:
        """Enter a record into the gradebook, through nbgrader, and write the feedback page."""
        unit, student = place
        was_there = _read_state(self.root, place) or self._in_gradebook(place)
        done = self._api.autograde(unit, student, force=True, create=True)
        if not done["success"]:
            log = str(done.get("error") or done.get("log"))
            _raise_if_not_of_the_submission(log)
            if not was_there:  # no row of zeros for what was not graded
                with Gradebook(self._api.coursedir.db_url, "ddpg") as gradebook:
                    gradebook.remove_submission(unit, student)
            self._fail(place, _last_line(log))
            return
        feedback = self._api.generate_feedback(unit, student, force=True)
        if not feedback["success"]:
            log = str(feedback.get("error") or feedback.get("log"))
            _raise_if_not_of_the_submission(log)
            self._bar.say(f"{unit} of {student}: no feedback page ({_last_line(log)})")
        _leave_the_page(self.root / "feedback" / student / unit, unit)
        repairs = json.loads(record.notebook)["metadata"].get(KEY, {}).get("repairs", [])
        problems = [*repairs, *record.problems]
        if problems:
            self.summary.problems[place] = problems
            for problem in problems:
                self._bar.say(f"{unit} of {student}: {problem}")
        self.summary.slowest += [(s, place, cell) for cell, s in record.seconds.items()]
        self.summary.graded.append(place)
        _write_state(self.root, place, {"key": key})
        self._bar.step()

    def _in_gradebook(self, place: Place) -> bool:
        with Gradebook(self._api.coursedir.db_url, "ddpg") as gradebook:
            try:
                gradebook.find_submission(*place)
            except MissingEntry:
                return False
        return True

    def _fail(self, place: Place, reason: str) -> None:
        unit, student = place
        for folder in ("autograded", "feedback"):  # what an earlier submission may have left
            shutil.rmtree(self.root / folder / student / unit, ignore_errors=True)
        self.summary.failed[place] = reason
        self._bar.say(f"{place[0]} of {place[1]}: could not be graded: {reason}")
        self._bar.step()

    # --- telling -----------------------------------------------------------------------------

    def _report(self) -> None:
        summary = self.summary
        with Gradebook(self._api.coursedir.db_url, "ddpg") as gradebook:
            to = str(self.root / "grades.csv")
            HonestCsvExport(config=self.config, to=to).export(gradebook)
            print("\n" + _table(gradebook, self.root))
        rate = 60 * len(summary.graded) / summary.seconds
        print(
            f"\n{len(summary.graded)} graded, {len(summary.kept)} unchanged, "
            f"{len(summary.failed)} could not be graded; {summary.seconds:.0f} seconds, "
            f"{rate:.0f} submissions a minute"
        )
        for seconds, (unit, student), cell in sorted(summary.slowest, reverse=True)[:3]:
            if seconds >= 1:
                print(f"slow: {seconds:.1f} s in {cell} of {unit}, {student}")
        for (unit, student), reason in summary.failed.items():
            print(f"could not be graded: {unit} of {student}: {reason}")
        if summary.interrupted:
            print("Interrupted. What is done is kept; the same command goes on from here.")
        print(f"Grades: {self.root / 'grades.csv'}")
        print(f"Feedback pages: {self.root / 'feedback'}/STUDENT/UNIT/UNIT.html")


class _Bar:
    """Progress: a bar on a terminal, plain lines elsewhere."""

    def __init__(self, total: int, summary: Summary) -> None:
        self._summary = summary
        self._bar = tqdm(
            total=total, unit="submission", disable=not sys.stdout.isatty(), smoothing=0,
            file=sys.stdout,
        )  # fmt: skip
        self._total, self._done, self._started = total, 0, time.monotonic()

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def step(self) -> None:
        """Count one more."""
        self._done += 1
        minutes = (time.monotonic() - self._started) / 60
        rate = self._done / minutes if minutes else 0.0
        failed = len(self._summary.failed)
        self._bar.set_postfix_str(f"{rate:.0f} a minute, {failed} failed", refresh=False)
        self._bar.update()
        left = (self._total - self._done) / rate if rate else 0.0
        if self._bar.disable and (self._done % 10 == 0 or self._done == self._total):
            print(
                f"{self._done} of {self._total}, {rate:.0f} a minute, {left:.1f} minutes left, "
                f"{failed} failed", flush=True,
            )  # fmt: skip

    def say(self, sentence: str) -> None:
        """Print a line beside the bar."""
        if self._bar.disable:
            print(sentence, flush=True)
        else:
            self._bar.write(sentence, file=sys.stdout)


# --- workers --------------------------------------------------------------------------------------


def _workers(jobs: int) -> dict[str, Any]:
    return {"backend": "loky", "n_jobs": jobs, "inner_max_num_threads": 1}


@contextlib.contextmanager
def _getting_ready(jobs: int, limits: Limits | None, stage: str) -> Iterator[None]:
    """Have workers import what they need while this process goes on; they are ready afterwards."""
    if jobs == 1:
        if limits is not None:
            kernel.EXCHANGE = stage
            kernel.warm_process(limits)
        yield
        return
    with joblib.parallel_config(**_workers(jobs)):
        parallel = joblib.Parallel(return_as="generator_unordered", batch_size=1)
        results = parallel(joblib.delayed(worker.get_ready)(limits, stage) for _ in range(jobs))
    try:
        yield
        with contextlib.suppress(TerminatedWorkerError):  # it is told where work is lost
            deque(results, maxlen=0)
    finally:
        _close(results)


def _close(results: Any) -> None:
    """Close joblib's generator, whether or not it came to its end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        results.close()


def _worked(
    waiting: dict[Place, tuple[Submission, str]],
    jobs: int,
    scheduler: str | None,
    stage: str,
) -> Iterator[tuple[Place, Record | None, str]]:
    """Have the submissions graded by worker processes; yield each as it is done."""
    calls = [joblib.delayed(worker.work)(p, s, stage) for p, (s, _) in waiting.items()]
    if scheduler is None and jobs == 1:
        for place, (submission, _) in list(waiting.items()):
            yield worker.work(place, submission, stage)
        return
    if scheduler is not None:
        from ddpg_helpers.experiments import connect

        cluster = connect(scheduler)
        calls = [
            joblib.delayed(worker.work_elsewhere)(p, s, worker.packed(Path(s.folder)))
            for p, (s, _) in waiting.items()
        ]
        options = {"backend": "dask", "n_jobs": -1}
    else:
        cluster = None
        options = _workers(jobs)
    try:
        with joblib.parallel_config(**options):
            parallel = joblib.Parallel(return_as="generator_unordered", batch_size=1)
            results = parallel(calls)
        try:
            yield from results
        finally:
            _close(results)
    finally:
        if cluster is not None:
            cluster.close()


# --- the course's folder --------------------------------------------------------------------------


def course_config(root: Path) -> Config:
    """What ``nbgrader_config.py`` in the course's folder says."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    config.CourseDirectory.root = str(root)
    return config


def _api(config: Config) -> NbGraderAPI:
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    return NbGraderAPI(CourseDirectory(config=config), config=config)


def register(units: list[str], root: Path) -> None:
    """Write the units' cells, points and hidden tests into the gradebook.

    Raises:
        GradingError: the gradebook is locked, or a unit can't be read.
    """
    config = course_config(root)
    # release/ is for `ddpg-course build` to write
    config.CourseDirectory.release_directory = str(root / CACHE.name / "release")
    api = _api(config)
    for unit in units:
        done = api.generate_assignment(unit, force=True, create=True)
        if not done["success"]:
            log = str(done.get("error") or done)
            _raise_if_not_of_the_submission(log)
            raise GradingError(f"nbgrader could not read {unit}: {_last_line(log)}")


def _state_file(root: Path, place: Place) -> Path:
    return root / records.FOLDER / "state" / place[0] / f"{place[1]}.json"


def _read_state(root: Path, place: Place) -> dict[str, Any]:
    try:
        return json.loads(_state_file(root, place).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _write_state(root: Path, place: Place, state: dict[str, Any]) -> None:
    path = _state_file(root, place)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(state), encoding="utf-8")
    partial.replace(path)


def _raise_if_not_of_the_submission(log: str) -> None:
    """Stop for what is no fault of the submission and would befall all others too."""
    if "database is locked" in log:
        raise GradingError(
            "the gradebook is locked by another program: close it, then run the same command "
            "again. What is done is kept."
        )
    if "No space left on device" in log or "database or disk is full" in log:
        raise GradingError(_DISK_FULL)
    unreachable = re.search(r"^(?:sqlalchemy|psycopg)\S*OperationalError\S* (.*)$", log, re.M)
    if unreachable:
        raise GradingError(
            f"the gradebook cannot be reached ({unreachable[1]}): start its database, or mend "
            "db_url in nbgrader_config.py, then run the same command again. What is done is kept."
        )


_DISK_FULL = (
    "the disk is full: make room, then run the same command again. What is done is kept."
)


def _what_to_do(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == 28:
        return _DISK_FULL
    return str(error)


def _leave_the_page(folder: Path, unit: str) -> None:
    """Take away what nbgrader copies beside a feedback page: the student's own files, but for the
    two by which `nbgrader release_feedback` knows whose page it is."""
    left = {f"{unit}.html", "timestamp.txt", "submission_secret.txt"}
    for path in folder.iterdir() if folder.exists() else ():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in left:
            path.unlink()


def _table(gradebook: Gradebook, root: Path) -> str:
    """Students by units with their points; "-" where nothing was submitted, "failed" where it could
    not be graded, "!" after a penalty, a star where cells wait for a person."""
    assignments = sorted(gradebook.assignments, key=lambda a: a.name)
    students = {student.id for student in gradebook.students}
    students |= {folder.parent.name for a in assignments
                 for folder in (root / "submitted").glob(f"*/{a.name}")}  # fmt: skip
    header = ["student", *(a.name for a in assignments), "total"]
    rows = [header, ["(points)", *(f"{a.max_score:g}" for a in assignments),
                     f"{sum(a.max_score for a in assignments):g}"]]  # fmt: skip
    for student in sorted(students):
        cells, total = [], None
        for assignment in assignments:
            state = state_of(root, student, assignment.name)
            if state != "graded":
                cells.append("-" if state == "not submitted" else "failed")
                continue
            submission = gradebook.find_submission(assignment.name, student)
            score = max(0.0, submission.score - (submission.late_submission_penalty or 0.0))
            late = "!" if score != submission.score else ""
            cells.append(f"{score:g}{late}{'*' if submission.needs_manual_grade else ''}")
            total = score + (total or 0.0)
        rows.append([student, *cells, "-" if total is None else f"{total:g}"])
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    lines = [
        "  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(pairs))
        for pairs in ([*zip(row, widths, strict=True)] for row in rows)
    ]
    if any("!" in cell for row in rows for cell in row[1:]):
        lines.append("! after the penalty for a late submission")
    if any(cell.endswith("*") for row in rows for cell in row[1:]):
        lines.append(
            "* some answers wait to be graded by hand: in Jupyter, menu Nbgrader, Formgrader"
        )
    return "\n".join(lines)


def _not_submissions(folder: str, names: list[str]) -> list[str]:
    """Leave out what lies beside the students' folders."""
    return [n for n in names if folder == str(SAMPLE) and not Path(folder, n).is_dir()]


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
