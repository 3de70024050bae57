"""What every test has: no ERROR in the log that it did not ask for, and the same drawn cases in every run."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
import structlog
from structlog.testing import LogCapture

ROOT = Path(__file__).parents[1]
KEPT = ROOT / ".pytest_cache"

# Where Python may not keep what it has compiled beside the sources, it is kept here, one file for each module: the
# workers and the dozens of processes that tests start would else read torch's sources, 3 s of a processor each.
if sys.dont_write_bytecode:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(KEPT / "bytecode")

# A daemon under test does not compile beside what is being measured, unless it is asked to.
os.environ.setdefault("AURALISD_COMPILED_KERNEL", "false")

# In a container all is root's, and some tests listen on more than loopback.
os.environ.setdefault("AURALISD_ALLOW_ROOT", "true")

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
def kernel_directory():
    """A cache with the kernel in it, compiled as the daemon does it: in a process of its own, once for its sources."""
    from auralisd.kernel.machine_code import object_file  # numpy comes with it, half a second for who needs no kernel

    sources = sorted((ROOT / "auralisd" / "kernel").glob("*.py"))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:24]
    kernels = KEPT / "kernels"
    kernels.mkdir(parents=True, exist_ok=True)
    with (KEPT / "kernels.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for older in kernels.iterdir():
            if older.name != digest:
                shutil.rmtree(older)
        directory = kernels / digest / "kernel"
        # The file in it is named after compiler and processor: for another one it is compiled again.
        if not object_file(directory).exists():
            subprocess.run([sys.executable, "-m", "auralisd.kernel", str(directory)], check=True, capture_output=True)
    return directory
