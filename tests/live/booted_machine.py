"""A machine of its own that boots systemd: on the files of this one, what it writes in memory, only loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAMS = ("systemd-nspawn", "nsenter", "unshare", "curl", "ffmpeg")
AURALISD = "/opt/auralisd/bin/auralisd"
BOOT_PATIENCE_SECONDS = 60.0
REFUSED = 77

needs_a_machine = pytest.mark.skipif(
    os.geteuid() != 0 or any(shutil.which(program) is None for program in PROGRAMS),
    reason=f"wants root, and {', '.join(PROGRAMS)}; on Debian: apt install systemd-container curl ffmpeg",
)

PREPARE = f"""
set -e
machine=$1 python=$2 libraries=$3 wheel=$4
mount -t tmpfs -o size=2G tmpfs "$machine" || exit {REFUSED}
mkdir "$machine/up" "$machine/work" "$machine/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$machine/up,workdir=$machine/work" "$machine/root" || exit {REFUSED}
cp "$wheel" "$machine"
cd "$machine/root"
rm -rf etc/systemd/system/auralisd* etc/auralisd var/lib/auralisd var/lib/private/auralisd opt/auralisd*
rm -rf var/cache/auralisd var/cache/private/auralisd
mkdir -p opt/auralisd-python opt/auralisd-libraries
mount --bind "$python" opt/auralisd-python
mount --bind "$libraries" opt/auralisd-libraries
cp "$machine"/*.whl opt
echo /opt/auralisd-python/lib > etc/ld.so.conf.d/auralisd.conf
chroot . ldconfig
chroot . /opt/auralisd-python/bin/python3 -m venv /opt/auralisd
chroot . sh -c "/opt/auralisd/bin/pip install -q --no-deps --no-index /opt/*.whl"
echo /opt/auralisd-libraries > opt/auralisd/lib/python3.{sys.version_info.minor}/site-packages/libraries.pth
cd /
keep=$([ -d /run/systemd/system ] || echo --keep-unit)
# With BPF, by which systemd filters.
exec systemd-nspawn -q -D "$machine/root" --boot --register=no --private-network $keep \\
  --system-call-filter=bpf --capability=CAP_BPF systemd.unit=basic.target
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootedMachine:
    """A systemd that is up, with the program in /opt as a wheel brings it there."""

    init: int

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Run a program there."""
        enter = ["nsenter", "-t", str(self.init), "-m", "-u", "-i", "-p", "-n", "-C", "--", *words]
        return subprocess.Popen(enter, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, *words: str, timeout_seconds: float = 90.0) -> tuple[int, bytes]:
        """Run a program there to its end: its status, and all that it said."""
        started = self.start(*words)
        try:
            said, _ = started.communicate(timeout=timeout_seconds)
        except BaseException:
            started.kill()
            started.communicate()
            raise
        return started.returncode, said

    def said(self, *words: str) -> str:
        """What a program there said, which has to go well."""
        status, said = self.run(*words)
        text = said.decode(errors="replace").strip()
        assert status == 0, f"{words}: {status}: {text}"
        return text

    def main_process(self) -> int:
        """The number of the service's main process, 0 for none."""
        return int(self.said("systemctl", "show", "--property=MainPID", "--value", "auralisd.service"))

    def journal(self) -> str:
        """All that the service has said."""
        return self.said("journalctl", "--no-pager", "--output=cat", "--unit=auralisd.service")


@contextmanager
def booted_machine(folder: Path, wheel: Path) -> Iterator[BootedMachine]:
    """Boot one in ``folder``, and pull its plug afterwards; a machine that may not do so skips the test."""
    log_path = folder / "console"
    machine = folder / "machine"
    machine.mkdir()
    prepare = ["sh", "-c", PREPARE, "sh", machine, sys.base_prefix, sysconfig.get_path("purelib"), wheel]
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", *prepare],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    init = None
    try:
        init = _init_of(process, log_path)
        yield BootedMachine(init=init)
    finally:
        if init is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(init, signal.SIGKILL)  # and with it everything in there
        if process.poll() is None:
            process.kill()
        process.wait(timeout=20)


def _init_of(process: subprocess.Popen[bytes], log_path: Path) -> int:
    """The number of the first process of the machine, once it is up."""
    deadline = time.monotonic() + BOOT_PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            words = log_path.read_text(errors="replace").strip().splitlines()
            if process.returncode == REFUSED or "nspawn" in "".join(words[-1:]) or "cgroup" in "".join(words[-1:]):
                pytest.skip(f"no machine may be booted here: {' '.join(words[-1:])}")
            pytest.fail(f"the machine ended with {process.returncode}: {words[-20:]}")
        for child in _children_of(process.pid):
            if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                state = BootedMachine(init=child).run("systemctl", "is-system-running")[1].strip()
                if state in {b"running", b"degraded"}:
                    return child
        time.sleep(0.2)
    pytest.fail(f"the machine is not up: {log_path.read_text(errors='replace')[-2000:]}")


def _children_of(number: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{number}/task/{number}/children").read_text().split()]
    except OSError:
        return []
