"""A student's and an instructor's day with the course, in JupyterLab, in a browser.

Both have a JupyterLab server of their own; between them lies nbgrader's exchange.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

from ddpg_helpers.instructor.course import layout
from ddpg_helpers.instructor.course.grade import SAMPLE

sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright, extra browser")
expect = sync_api.expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt install chromium)"),
    pytest.mark.skipif(sys.platform == "win32", reason="nbgrader has no exchange on Windows"),
]

CRITIC, EXPERIMENTS = "04_critic_loss", "07_experiments"
STUDENT = "ada"
NOT_FOR_STUDENTS = re.compile(r"HIDDEN TESTS|MARK SCHEME|ddpg_helpers\.instructor")
SECONDS = 120  # for what a page is to show; a slow machine is no failure
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
# All cells are in the page, also those far down, and no message of Jupyter's lies over them.
SETTINGS = {
    "notebook-extension/tracker": '{"windowingMode": "none"}',
    "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}',
}


def environment(home):
    """That of a person who has nothing but the course's package."""
    for name, text in SETTINGS.items():
        path = home / "config/lab/user-settings/@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    folders = {
        "HOME": ".", "IPYTHONDIR": "ipython", "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime",
    }  # fmt: skip
    return {
        **os.environ,
        **{name: str(home / folder) for name, folder in folders.items()},
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(layout.ROOT),
    }


@contextmanager
def server(folder, home):
    """The address of a JupyterLab server in a folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open(home / "server.log", "w") as log:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser",
                f"--port={port}", "--ServerApp.port_retries=0", "--ServerApp.token=secret",
            ],
            cwd=folder, env=environment(home), stdout=log, stderr=log,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(SECONDS):
            assert process.poll() is None, (home / "server.log").read_text()
            try:
                urllib.request.urlopen(f"{address}/api", timeout=SECONDS)
                break
            except OSError:
                time.sleep(1)
        yield address
    finally:
        process.terminate()  # its kernels end with it
        process.wait(timeout=SECONDS)


class Lab:
    """JupyterLab as a person sees it."""

    def __init__(self, browser, address, folder, home, pictures):
        self.folder, self.home, self._address, self._pictures = folder, home, address, pictures
        self.page = browser.new_page(viewport={"width": 1400, "height": 1000})
        self.page.set_default_timeout(SECONDS * 1000)
        self.page.goto(f"{address}/lab?token=secret")
        expect(self.page.get_by_role("menuitem", name="Nbgrader")).to_be_visible()

    def look(self, name):
        self.page.screenshot(path=self._pictures / f"{name}.png")

    def run(self, *arguments):
        """A command in the person's terminal."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=self.folder, env=environment(self.home),
            capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def nbgrader(self, *arguments):
        return self.run("-m", "nbgrader", *arguments)

    def menu(self, *names):
        for name in names:
            self.page.get_by_role("menuitem", name=name, exact=True).click()

    def open(self, path):
        self.page.goto(f"{self._address}/lab/tree/{path}")
        expect(self.page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()

    def cell(self, text):
        return self.page.locator(".jp-Notebook .jp-Cell", has_text=text)

    def write(self, cell, source):
        """Replace what stands in a cell."""
        cell.locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.insert_text(source)
        self.page.keyboard.press("Shift+Enter")

    def select(self, cell):
        cell.locator(".jp-InputPrompt").click()

    def check(self, exercise, aspect):
        """Run a visible check; return what it shows."""
        cell = self.cell(f'check("{exercise}", aspect="{aspect}")')
        before = cell.locator(".jp-InputPrompt").inner_text()
        self.select(cell)
        self.page.keyboard.press("Shift+Enter")
        expect(cell.locator(".jp-InputPrompt")).not_to_have_text(before)
        expect(cell.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]"))
        return cell.locator(".jp-OutputArea")

    def validate(self):
        """Press nbgrader's button; return its dialog."""
        self.page.get_by_role("button", name="Validate").click()
        dialog = self.page.get_by_role("dialog")
        expect(dialog).to_contain_text("Validation Results")
        body = dialog.locator(".jp-Dialog-body")
        assert body.evaluate("b => b.scrollWidth <= b.clientWidth"), "it must be scrolled sideways"
        return dialog

    def assignment(self, kind, unit):
        """A unit's line in the assignment list; kind: released, fetched or submitted."""
        self.menu("Nbgrader", "Assignment List")
        return self.page.locator(f"#{kind}_assignments_list > .list_item", has_text=unit)

    def fetch(self, unit):
        self.assignment("released", unit).get_by_role("button", name="Fetch").click()
        expect(self.assignment("fetched", unit)).to_be_visible()

    def hand_in(self, unit):
        self.assignment("fetched", unit).get_by_role("button", name="Submit").click()
        expect(self.assignment("submitted", unit)).to_be_visible()

    def feedback(self, unit):
        """The feedback page as the student sees it."""
        submitted = self.assignment("submitted", unit)
        submitted.get_by_role("button", name="Fetch Feedback").click()
        submitted.get_by_text("(view feedback)").click()
        self.page.locator(".jp-DirListing-item", has_text=f"{unit}.html").dblclick()
        viewer = self.page.locator(".jp-HTMLViewer:visible iframe").content_frame
        return viewer.locator("body").first

    def grade(self, unit):
        """The course's own command; here the course is another folder than the package's."""
        code = "from ddpg_helpers.instructor.course.grade import grade_class, Path; "
        self.run("-c", f"{code}grade_class([{unit!r}], root=Path.cwd(), jobs=1)")

    def saved(self, what):
        """Wait until the formgrader has saved a grade or a comment."""
        return self.page.expect_response(
            lambda response: f"/api/{what}/" in response.url and response.request.method == "PUT"
        )


def answers(student, unit):
    """What a student of the sample class wrote, by cell."""
    notebook = nbformat.read(SAMPLE / student / unit / f"{unit}.ipynb", as_version=4)
    return {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Where screenshots go."""
    if given := os.environ.get("DDPG_SCREENSHOTS"):
        Path(given).mkdir(parents=True, exist_ok=True)
        return Path(given)
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        expect.set_options(timeout=SECONDS * 1000)
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def exchange(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exchange")
    folder.chmod(0o777)  # as nbgrader asks
    return folder


@pytest.fixture(scope="module")
def instructor(tmp_path_factory, browser, exchange, pictures):
    """In the course's folder, with the two units released."""
    folder, home = tmp_path_factory.mktemp("course"), tmp_path_factory.mktemp("instructor")
    config = (layout.ROOT / "nbgrader_config.py").read_text(encoding="utf-8")
    config += f"\nc.Exchange.root = {str(exchange)!r}\n"
    (folder / "nbgrader_config.py").write_text(config, encoding="utf-8")
    for unit in (CRITIC, EXPERIMENTS):
        shutil.copytree(layout.SOURCE / unit, folder / "source" / unit)
        shutil.copytree(layout.RELEASE / unit, folder / "release" / unit)
    with server(folder, home) as address:
        lab = Lab(browser, address, folder, home, pictures)
        for unit in (CRITIC, EXPERIMENTS):
            lab.nbgrader("release_assignment", unit)
        yield lab


@pytest.fixture(scope="module")
def student(tmp_path_factory, browser, exchange, pictures, instructor):
    """In a folder of their own, with what a course tells nbgrader on students' machines."""
    folder, home = tmp_path_factory.mktemp(STUDENT), tmp_path_factory.mktemp("student")
    (folder / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.Exchange.root = {str(exchange)!r}\n"
        f"c.CourseDirectory.course_id = 'ddpg'\nc.CourseDirectory.student_id = {STUDENT!r}\n"
    )
    with server(folder, home) as address:
        yield Lab(browser, address, folder, home, pictures)


def test_a_student_is_told_mistakes_until_all_is_right_and_hands_in(student, instructor):
    page = student.page
    student.fetch(CRITIC)
    student.look("student-1-fetched")

    student.open(f"{CRITIC}/{CRITIC}.ipynb")
    for heading in ("Unit 04: the critic's loss", "Exercise 1: td_target", "Summary"):
        expect(page.get_by_role("heading", name=heading)).to_have_count(1)
    bellman = student.cell("The right side can be estimated from one stored transition")
    expect(bellman.locator("mjx-container").first).to_be_visible()
    expect(page.locator("mjx-merror")).to_have_count(0)
    bellman.scroll_into_view_if_needed()
    student.look("student-2-reads")

    student.select(student.cell('check("td_target", aspect="shape")'))
    student.menu("Run", "Run All Above Selected Cell")
    says = student.check("td_target", "shape")
    expect(says).to_contain_text("td_target is not attempted yet. Complete its cell")
    student.look("student-3-not-attempted")

    target = student.cell("def td_target(")
    student.write(target, answers("mask_missing", CRITIC)["td_target"])
    says = student.check("td_target", "mask")
    expect(says).to_contain_text("Your target bootstraps from terminal states too.")
    student.look("student-4-wrong")

    student.write(target, answers("full", CRITIC)["td_target"])
    for aspect in ("shape", "mask", "bootstrap"):
        expect(student.check("td_target", aspect)).to_contain_text(": right.")
    student.look("student-5-right")

    dialog = student.validate()
    expect(dialog).to_contain_text("critic_loss is not attempted yet")
    expect(dialog).not_to_contain_text("td_target")
    student.look("student-6-validate-fails")
    dialog.get_by_role("button", name="Ok").click()

    for exercise in ("critic_loss", "update_critic"):
        student.write(student.cell(f"def {exercise}("), answers("full", CRITIC)[exercise])
    dialog = student.validate()
    expect(dialog).to_contain_text("Success! Your notebook passes all the tests.")
    student.look("student-7-validate-succeeds")
    dialog.get_by_role("button", name="Ok").click()

    student.hand_in(CRITIC)
    student.look("student-8-submitted")
    instructor.nbgrader("collect", CRITIC)
    instructor.grade(CRITIC)
    instructor.nbgrader("release_feedback", CRITIC)
    page = student.feedback(CRITIC)
    expect(page).to_contain_text(f"{CRITIC} (Score: 10.0 / 10.0)")
    aspect = page.locator(".nbgrader_cell", has_text="test_td_target_mask")
    expect(aspect).to_contain_text("Score: 1.0 / 1.0")
    aspect.scroll_into_view_if_needed()
    expect(page).not_to_contain_text(NOT_FOR_STUDENTS)
    student.look("student-9-feedback")


def test_an_instructor_grades_by_hand_and_the_student_reads_why(student, instructor):
    student.fetch(EXPERIMENTS)
    answered = f"{EXPERIMENTS}/{EXPERIMENTS}.ipynb"
    shutil.copy(SAMPLE / "full" / answered, student.folder / answered)
    student.hand_in(EXPERIMENTS)
    instructor.nbgrader("collect", EXPERIMENTS)
    instructor.grade(EXPERIMENTS)

    instructor.menu("Nbgrader", "Formgrader")
    form = instructor.page.frame_locator("iframe")
    form.get_by_role("link", name="Manual Grading").click()
    for page_of in ("Manual Grading", f"Manual Grading {EXPERIMENTS}"):  # the unit, its notebook
        expect(form.locator(".breadcrumb")).to_have_text(page_of)
        form.get_by_role("link", name=EXPERIMENTS).last.click()
    expect(form.locator("td.score")).to_have_text("0 / 10")
    form.get_by_role("link", name="Submission #1").click()
    rates, tau = (form.locator(".nbgrader_cell", has=form.locator(f"#{name}"))
                  for name in ("answer_rates", "answer_tau"))  # fmt: skip
    rubric = form.get_by_text("Question 1, 5 points.")
    rates.scroll_into_view_if_needed()
    expect(rubric).to_be_visible()
    assert rubric.bounding_box()["y"] < rates.bounding_box()["y"]
    instructor.look("instructor-1-rubric")
    with instructor.saved("grade"):
        rates.locator("input.score").fill("4")
        rates.locator("textarea").fill("Which band is that?")
    with instructor.saved("comment"), instructor.saved("grade"):
        tau.get_by_role("button", name="Full credit").click()
    instructor.look("instructor-2-points")
    form.get_by_role("link", name=EXPERIMENTS).last.click()
    expect(form.locator("td.score")).to_have_text("9 / 10")
    expect(form.locator("td.needs-manual-grade")).to_be_empty()
    instructor.look("instructor-3-table")

    instructor.nbgrader("generate_feedback", EXPERIMENTS, "--force")
    instructor.nbgrader("release_feedback", EXPERIMENTS)
    page = student.feedback(EXPERIMENTS)
    expect(page).to_contain_text(f"{EXPERIMENTS} (Score: 9.0 / 10.0)")
    comment = page.get_by_text("Which band is that?")
    comment.scroll_into_view_if_needed()
    expect(comment).to_be_visible()
    expect(page).not_to_contain_text(NOT_FOR_STUDENTS)
    student.look("student-10-comment")
