"""The kernel in which a student's code runs while grading: the student edition, nothing else."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from ddpg_helpers.instructor.course.student_edition import student_python

# Variables that a student's kernel keeps from the grader's environment.
KEPT_VARIABLES = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "WINDIR",
    "USERPROFILE", "NBGRADER_EXECUTION", "NBGRADER_VALIDATING",
)  # fmt: skip


class StudentKernelManager(AsyncKernelManager):
    """Starts kernels of the student edition, on sockets in a private folder instead of TCP ports.

    Whatever kernel the submission asks for, it gets this one.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._folder = Path(tempfile.mkdtemp(prefix="ddpg-"))
        if os.name != "nt":
            self.transport = "ipc"
        self.connection_file = str(self._folder / "kernel.json")

    @property
    def kernel_spec(self) -> KernelSpec:
        """The one kernel that there is."""
        return KernelSpec(
            argv=[str(student_python()), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="DDPG course, student edition",
            language="python",
        )

    async def _async_pre_start_kernel(self, **kwargs: Any) -> tuple[list[str], dict[str, Any]]:
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        kwargs["env"] = {
            **kept,
            "IPYTHONDIR": str(self._folder / "ipython"),
            "MPLCONFIGDIR": str(self._folder / "matplotlib"),
            "OMP_NUM_THREADS": "1",  # the networks are small: more threads only wait
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return await super()._async_pre_start_kernel(**kwargs)

    pre_start_kernel = _async_pre_start_kernel

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        await super()._async_cleanup_resources(restart=restart)
        if not restart:
            shutil.rmtree(self._folder, ignore_errors=True)

    cleanup_resources = _async_cleanup_resources
