"""Attacks with files in the submission's folder that take a module's or a setting's place."""

from pathlib import Path

import ddpg_helpers

from .payloads import RECALL
from .registry import ROOT, Submission, attack

FAMILY = "shadowing"

# Run in the grader's own process, this writes outside; run in a sandbox, it cannot.
_TOUCH = """
try:
    open("@CANARIES@/{name}", "w").write("x")
except OSError:
    pass
"""


def _touch(name: str) -> str:
    return _TOUCH.format(name=name)


@attack(FAMILY, "a torch.py and a numpy.py beside the notebook")
def shadow_torch_and_numpy(s: Submission) -> None:
    for name in ("torch.py", "numpy.py"):
        s.file(name, _touch("shadow_torch_and_numpy") + "\nallclose = lambda *a, **k: True\n")


@attack(FAMILY, "a json.py beside the notebook that hands on and forges outcomes")
def shadow_json(s: Submission) -> None:
    s.file("json.py", _touch("shadow_json") + """
import importlib.util as _util
import sysconfig as _config

_folder = _config.get_path("stdlib") + "/json"
_spec = _util.spec_from_file_location(
    "_json", _folder + "/__init__.py", submodule_search_locations=[_folder]
)
_real = _util.module_from_spec(_spec)
_spec.loader.exec_module(_real)
globals().update({k: v for k, v in vars(_real).items() if not k.startswith("__")})
""")


@attack(FAMILY, "a whole ddpg_helpers/ beside the notebook whose observer recalls", bites=True)
def shadow_package(s: Submission) -> None:
    package = Path(ddpg_helpers.__file__).parent
    for path in sorted(package.rglob("*")):
        kept = path.relative_to(package)
        if path.suffix in (".py", ".json") and kept.parts[0] not in ("instructor", "data"):
            place = s.folder / "ddpg_helpers" / kept
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    s.file("ddpg_helpers/checks/remote.py", RECALL + _touch("shadow_package") + """
answer = recalled_text
""")
    s.first("""
import os
import sys

sys.path.insert(0, os.getcwd())
for name in [n for n in sys.modules if n.startswith("ddpg_helpers")]:
    del sys.modules[name]
""")


@attack(FAMILY, "sitecustomize, usercustomize and a .pth file beside the notebook")
def site_customisation(s: Submission) -> None:
    for name in ("sitecustomize.py", "usercustomize.py", "_distutils_hack.py"):
        s.file(name, _touch("site_customisation"))
    s.file("mine.pth", "import sitecustomize\n")


@attack(FAMILY, "start-up files and settings of IPython beside the notebook")
def ipython_startup(s: Submission) -> None:
    start = RECALL + _touch("ipython_startup") + """
import ddpg_helpers.checks.remote as remote

remote.answer = recalled_text
"""
    for folder in (".ipython/profile_default", "profile_default", "home/.ipython/profile_default"):
        s.file(f"{folder}/startup/00-mine.py", start)
    settings = _touch("ipython_startup") + (
        "c = get_config()\nc.InteractiveShellApp.exec_lines = ['check = lambda *a, **k: None']\n"
    )
    for name in ("ipython_config.py", "ipython_kernel_config.py"):
        s.file(name, settings)
        s.file(f".ipython/profile_default/{name}", settings)


@attack(FAMILY, "settings of nbgrader, nbconvert and Jupyter beside the notebook")
def grader_settings(s: Submission) -> None:
    settings = _touch("grader_settings") + (
        "c = get_config()\nc.NbConvertBase.display_data_priority = []\n"
        "c.ExecutePreprocessor.skip_cells_with_tag = ''\n"
    )
    for name in ("nbgrader_config.py", "jupyter_nbconvert_config.py", "jupyter_config.py"):
        s.file(name, settings)
        s.file(f".jupyter/{name}", settings)


@attack(FAMILY, "a kernel of its own that the notebook asks for")
def own_kernelspec(s: Submission) -> None:
    spec = (
        '{"argv": ["sh", "-c", "touch @CANARIES@/own_kernelspec", "{connection_file}"], '
        '"display_name": "Python 3 (ipykernel)", "language": "python"}'
    )
    for top in (".local/share/jupyter/kernels", "kernels", "share/jupyter/kernels"):
        for name in ("python3", "mine"):
            s.file(f"{top}/{name}/kernel.json", spec)
    s.notebook.metadata.kernelspec.name = "mine"


@attack(FAMILY, "a page template and a conftest.py beside the notebook")
def template_and_conftest(s: Submission) -> None:
    s.file("conftest.py", _touch("template_and_conftest"))
    for name in ("feedback.html.j2", "templates/feedback/index.html.j2", "index.html.j2"):
        s.file(name, "<script>alert('template_and_conftest')</script>")


@attack(FAMILY, "a gradebook, a course secret and hidden tests of its own beside the notebook")
def own_course(s: Submission) -> None:
    s.file("course_secret", "0" * 64)
    s.file("gradebook.db", "")
    source = ROOT / "release" / s.unit / f"{s.unit}.ipynb"
    s.file(f"source/{s.unit}/{s.unit}.ipynb", source.read_text("utf-8").replace("@", ""))
    s.file("hidden.py", _touch("own_course"))


@attack(FAMILY, "executable files named as the programs that a grader may start")
def shadow_programs(s: Submission) -> None:
    for name in ("python", "python3", "bwrap", "jupyter", "alembic", "bin/python"):
        s.file(name, "#!/bin/sh\ntouch @CANARIES@/shadow_programs\n")
        (s.folder / name).chmod(0o755)
