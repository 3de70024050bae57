"""What ``auralisd doctor`` looks at beyond this machine: the servers that stations are sent to."""

from __future__ import annotations

import base64
import http.client
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from auralisd.cli.examinations import Finding, kept_in
from auralisd.settings import PushSettings, Settings

PATIENCE_SECONDS: Final = 5.0


def outputs(settings: Settings) -> Iterator[Finding]:
    """Whether each Icecast server is there and takes the password, and HLS can be written; no sound is sent."""
    for target in settings.push:
        yield push_target(target)
    if settings.hls:
        yield hls_directory(settings.hls_folder(settings.hls[0]).parent)


def hls_directory(directory: Path) -> Finding:
    """Whether HLS can be written."""
    return kept_in(directory, name="hls", unwritable="warning", option="hls_dir", when_full="the playlists stand still")


def push_target(target: PushSettings) -> Finding:
    """Whether the server is there and takes the password.

    It is asked to change a title, without saying to what: who may do so is told that something
    is missing, and who may not is told that.
    """
    name, where = f"push {target.label}", f"{target.url}{target.mount}"
    try:
        status = _asked(target)
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason
        cure = "a certificate that this machine trusts, or http:// on a way that is safe by itself"
        return Finding(name=name, state="warning", found=f"{where}: no encrypted connection: {reason}", cure=cure)
    except (OSError, http.client.HTTPException) as error:
        reason = (isinstance(error, OSError) and error.strerror) or repr(error)
        return Finding(
            name=name, state="warning", found=f"{where}: {reason}", cure="start the server, or correct url in [[push]]"
        )
    if status == http.HTTPStatus.UNAUTHORIZED:
        cure = "the source password of that mount goes into password_file (or password) in [[push]]"
        return Finding(name=name, state="warning", found=f"{where}: refuses the user or the password", cure=cure)
    if status not in (http.HTTPStatus.OK, http.HTTPStatus.BAD_REQUEST):
        cure = "look whether url in [[push]] is an Icecast server's"
        return Finding(name=name, state="warning", found=f"{where}: answers {status}", cure=cure)
    return Finding(name=name, state="fine", found=f"{where}, takes the password")


def _asked(target: PushSettings) -> int:
    open_connection = http.client.HTTPSConnection if target.tls else http.client.HTTPConnection
    password = target.password.get_secret_value() if target.password else ""
    credentials = base64.b64encode(f"{target.user}:{password}".encode()).decode()
    connection = open_connection(target.host, target.port, timeout=PATIENCE_SECONDS)
    try:
        query = urlencode({"mount": target.mount})
        connection.request("GET", f"/admin/metadata?{query}", headers={"Authorization": f"Basic {credentials}"})
        return connection.getresponse().status
    finally:
        connection.close()
