"""A real icecast2 in a process of its own, on loopback, with a configuration of its own."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.live.running_daemon import free_port

PASSWORD = "a-password-that-is-shown-nowhere"
RELAY_PASSWORD = "for-relays"
ADMIN_PASSWORD = "for-looking-at-it"

needs_icecast = pytest.mark.skipif(
    shutil.which("icecast2") is None and not os.environ.get("CI"),
    reason="the icecast2 program is not installed; on Debian: apt install icecast2",
)


@dataclass(slots=True)
class IcecastServer:
    """One server; it may be killed, started again and made to hang."""

    folder: Path
    port: int
    config: Path
    certificate: Path | None = None
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["icecast2", "-c", self.config], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + 10
        while True:
            try:
                self.sources()
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"icecast2 does not answer: {self.log()}") from None
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        """End it without a word to anybody."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def hang(self) -> None:
        """Stop it in its tracks."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it run on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        """What it has written."""
        return (self.folder / "log").read_text(errors="replace")

    def sources(self) -> dict[str, dict[str, str]]:
        """What it knows of each mount that has a source, by the mount."""
        request = urllib.request.Request(self.url + "/admin/stats")
        request.add_header("Authorization", "Basic " + b64encode(f"admin:{ADMIN_PASSWORD}".encode()).decode())
        with urllib.request.urlopen(request, timeout=5, context=self._tls()) as answer:
            stats = ElementTree.fromstring(answer.read())
        return {
            source.attrib["mount"]: {value.tag: value.text or "" for value in source} for source in stats.iter("source")
        }

    def title_seen_by_players(self, mount: str, *, beginning: str = "", within_seconds: float = 15) -> str:
        """The first title that is not empty and begins so, as a player gets it between the sound."""
        request = urllib.request.Request(self.url + mount, headers={"Icy-MetaData": "1"})
        deadline = time.monotonic() + within_seconds
        with urllib.request.urlopen(request, timeout=within_seconds, context=self._tls()) as answer:
            interval = int(answer.headers["icy-metaint"])
            while time.monotonic() < deadline:
                answer.read(interval)
                block = answer.read(16 * answer.read(1)[0]).decode()
                title = block.partition("StreamTitle='")[2].partition("';")[0]
                if title and title.startswith(beginning):
                    return title
        raise TimeoutError(f"no title on {mount} within {within_seconds} s")

    def _tls(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self.certificate) if self.certificate else None


@contextmanager
def icecast(
    folder: Path, *, more: str = "", certificate: Path | None = None, clients: int = 50
) -> Iterator[IcecastServer]:
    """Run one for ``clients``; ``more`` goes into its configuration, with ``certificate`` it is encrypted."""
    folder.mkdir(parents=True, exist_ok=True)
    server = IcecastServer(folder=folder, port=free_port(), config=folder / "icecast.xml", certificate=certificate)
    server.config.write_text(_configuration(server.port, more, certificate, clients))
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextmanager
def feeding(server: IcecastServer, mount: str, *, writes: int = 10, write_bytes: int = 1600) -> Iterator[None]:
    """Be the source of ``mount``, with so many writes a second of so many bytes: 128 kbit/s as it stands.

    Of MP3 the server looks at nothing, so any bytes will do, and they cost it least.
    """
    leave = threading.Event()
    head = (
        f"PUT {mount} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: audio/mpeg\r\n"
        f"Authorization: Basic {b64encode(f'source:{PASSWORD}'.encode()).decode()}\r\n\r\n"
    )

    def feed() -> None:
        began, sent = time.monotonic(), 0
        while not leave.wait(max(0.0, began + sent / writes - time.monotonic())):
            connection.sendall(os.urandom(write_bytes))
            sent += 1

    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head.encode())
        thread = threading.Thread(target=feed, daemon=True)
        thread.start()
        try:
            while mount not in server.sources():
                time.sleep(0.05)
            yield
        finally:
            leave.set()
            thread.join()


@contextmanager
def self_made_certificate() -> Iterator[Path]:
    """A certificate for 127.0.0.1 and its key in one file, which the user that icecast2 becomes can read."""
    with tempfile.TemporaryDirectory() as name:
        folder, key = Path(name), Path(name) / "key.pem"
        certificate = folder / "certificate.pem"
        make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=here -addext subjectAltName=IP:127.0.0.1"
        subprocess.run([*make.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
        certificate.write_text(certificate.read_text() + key.read_text())
        folder.chmod(0o755)
        yield certificate


def _group_of(user: str) -> str:
    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name


def _configuration(port: int, more: str, certificate: Path | None, clients: int) -> str:
    root = os.geteuid() == 0  # it refuses to be
    owner = f"<changeowner><user>nobody</user><group>{_group_of('nobody')}</group></changeowner>" if root else ""
    tls = f"<ssl-certificate>{certificate}</ssl-certificate>" if certificate else ""
    return f"""<icecast>
  <location>here</location><admin>nobody@localhost</admin><hostname>127.0.0.1</hostname>
  <limits><clients>{clients}</clients><sources>8</sources><queue-size>524288</queue-size><source-timeout>10</source-timeout>
    <burst-on-connect>1</burst-on-connect><burst-size>65535</burst-size></limits>
  <authentication><source-password>{PASSWORD}</source-password><relay-password>{RELAY_PASSWORD}</relay-password>
    <admin-user>admin</admin-user><admin-password>{ADMIN_PASSWORD}</admin-password></authentication>
  <listen-socket><port>{port}</port><bind-address>127.0.0.1</bind-address>{"<ssl>1</ssl>" if certificate else ""}
  </listen-socket>
  <paths><basedir>/usr/share/icecast2</basedir><logdir>/tmp</logdir><webroot>/usr/share/icecast2/web</webroot>
    <adminroot>/usr/share/icecast2/admin</adminroot>{tls}</paths>
  <logging><accesslog>-</accesslog><errorlog>-</errorlog><loglevel>3</loglevel></logging>
  <security><chroot>0</chroot>{owner}</security>
  {more}
</icecast>
"""
