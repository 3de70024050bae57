"""What every test has: no ERROR in the log that it did not ask for, and the same drawn cases in every run."""

import fcntl
import os
import subprocess
import sys

import hypothesis
import pytest
import structlog
from structlog.testing import LogCapture

# A daemon under test does not compile beside what is being measured, unless it is asked to.
os.environ.setdefault("AURALISD_COMPILED_KERNEL", "false")

# Neither chance nor a busy machine decides whether a property holds.
hypothesis.settings.register_profile("every run alike", derandomize=True, deadline=None)
hypothesis.settings.load_profile("every run alike")


def pytest_xdist_auto_num_workers(config):
    """Two processes share the files of tests; what is judged by the clock or drives a browser runs alone, in one."""
    asked = config.getoption("markexpr")
    alone = any(suite in asked and f"not {suite}" not in asked for suite in ("browser", "realtime"))
    return 0 if alone else 2


@pytest.fixture(autouse=True)
def log_lines(request):
    """The structured log of the test; an ERROR in it fails the test unless it is marked ``logs_errors``."""
    before = structlog.get_config()
    capture = LogCapture()
    structlog.configure(processors=[capture])
    yield capture.entries
    structlog.configure(**before)
    if request.node.get_closest_marker("logs_errors") is None:
        errors = [line for line in capture.entries if line["log_level"] in ("error", "critical", "exception")]
        assert not errors, f"unexpected errors in the log: {errors}"


@pytest.fixture(scope="session")
def kernel_directory(tmp_path_factory):
    """A cache with the kernel in it, compiled as the daemon does it: in a process of its own, once for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    directory = shared / "kernel"
    with (shared / "kernel.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not any(directory.glob("*.o")):
            subprocess.run([sys.executable, "-m", "auralisd.kernel", str(directory)], check=True, capture_output=True)
    return directory
