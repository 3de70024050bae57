"""The proxies of the documents, each with the file that people copy, in processes of their own on loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.running_daemon import free_port

DOCUMENTS = Path(__file__).parents[2] / "docs" / "proxies"
NAME = "music.example.org"
"""Whom the files speak for; clients here reach it at a port of loopback, and say the name all the same."""
PROXIES = ("caddy", "nginx")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that answers for `NAME`.

    Attributes:
        kind: which.
        port: where it speaks TLS.
        plain_port: where it speaks HTTP.
        authority: the certificate that its own is to be checked against.
        process: the program.
    """

    kind: str
    port: int
    plain_port: int
    authority: Path
    process: subprocess.Popen[bytes]

    def connect(self, *, source: str = "127.0.0.1", receive_buffer_bytes: int | None = None) -> ssl.SSLSocket:
        """A connection over TLS, from the address ``source`` of loopback; its certificate is checked."""
        with contextlib.ExitStack() as unfinished:
            plain = unfinished.enter_context(socket.socket())
            if receive_buffer_bytes is not None:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
            plain.settimeout(10)
            plain.bind((source, 0))
            plain.connect(("127.0.0.1", self.port))
            checking = ssl.create_default_context(cafile=self.authority)
            connection = checking.wrap_socket(plain, server_hostname=NAME)
            unfinished.pop_all()
        return connection

    def curl(self, path: str, *options: str) -> list[str]:
        """The command line with which curl asks for ``path`` under the public name."""
        reached = ["--connect-to", f"{NAME}:443:127.0.0.1:{self.port}", "--cacert", str(self.authority)]
        return ["curl", "--silent", "--show-error", "--no-buffer", *reached, *options, f"https://{NAME}{path}"]

    def browser_arguments(self) -> list[str]:
        """What makes a Chromium find the public name here."""
        return [f"--host-resolver-rules=MAP {NAME}:443 127.0.0.1:{self.port}"]


def need(program: str, package: str) -> None:
    """Skip the test, or fail it where CI is set, if ``program`` is not installed."""
    if shutil.which(program) is None:
        sentence = f"the {program} program is not installed; on Debian: apt install {package}"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)


@contextmanager
def proxy(kind: str, folder: Path, *, daemon_port: int) -> Iterator[Proxy]:
    """Run ``kind`` with its file from the documents, in front of the daemon at ``daemon_port``."""
    start = {"caddy": _caddy, "nginx": _nginx}[kind]
    folder.mkdir(parents=True, exist_ok=True)
    started = start(folder, daemon_port)
    try:
        _wait_until_it_answers(started, folder)
        yield started
    finally:
        started.process.terminate()
        try:
            started.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            started.process.kill()
            started.process.wait()


def self_made_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for `NAME` and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={NAME} -addext subjectAltName=DNS:{NAME}"
    subprocess.run([*make.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def _nginx(folder: Path, daemon_port: int) -> Proxy:
    need("nginx", "nginx-light")
    port, plain_port = free_port(), free_port()
    certificate, key = self_made_certificate(folder)
    live = f"/etc/letsencrypt/live/{NAME}"
    site = _with_replaced(
        "nginx.conf",
        {
            "listen 80;": f"listen 127.0.0.1:{plain_port};",
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            f"{live}/fullchain.pem": str(certificate),
            f"{live}/privkey.pem": str(key),
            "127.0.0.1:8000": f"127.0.0.1:{daemon_port}",
        },
    )
    (folder / "site.conf").write_text(site)
    kept = ["client_body", "proxy", "fastcgi", "scgi", "uwsgi"]
    (folder / "main.conf").write_text(
        f"""daemon off;
{"user root;" if os.geteuid() == 0 else ""}
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 512; }}
http {{
{"".join(f"    {name}_temp_path {folder}/{name};\n" for name in kept)}
    include {folder}/site.conf;
}}
"""
    )
    process = _started(["nginx", "-p", str(folder), "-e", "stderr", "-c", str(folder / "main.conf")], folder)
    return Proxy(kind="nginx", port=port, plain_port=plain_port, authority=certificate, process=process)


def _caddy(folder: Path, daemon_port: int) -> Proxy:
    need("caddy", "caddy")
    port, plain_port = free_port(), free_port()
    (folder / "site").write_text(_with_replaced("Caddyfile", {"127.0.0.1:8000": f"127.0.0.1:{daemon_port}"}))
    (folder / "main").write_text(
        f"""{{
	admin off
	local_certs
	skip_install_trust
	http_port {plain_port}
	https_port {port}
	default_bind 127.0.0.1
}}
import {folder}/site
"""
    )
    process = _started(["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "main")], folder)
    authority = folder / "caddy/pki/authorities/local/root.crt"
    return Proxy(kind="caddy", port=port, plain_port=plain_port, authority=authority, process=process)


def _with_replaced(file: str, values: dict[str, str]) -> str:
    text = (DOCUMENTS / file).read_text()
    for old, new in values.items():
        assert old in text, f"{file} no longer says {old!r}"
        text = text.replace(old, new)
    return text


def _started(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    at_home = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=at_home)


def _wait_until_it_answers(started: Proxy, folder: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            started.connect().close()
        except OSError:  # not there yet, nor its certificate
            if started.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{started.kind} does not answer: {(folder / 'log').read_text()}") from None
            time.sleep(0.05)
        else:
            return
