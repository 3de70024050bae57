"""The page, its parts and the API's documentation, from folders that are read once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Final

from quart import Quart, Response, request

from auralisd.errors import RequestRefusedError

MEDIA_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".mjs": "text/javascript; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".json": "application/json",
        ".webmanifest": "application/manifest+json",
        ".wasm": "application/wasm",
        ".svg": "image/svg+xml",
        ".png": "image/png",
        ".jpg": "image/jpeg",
        ".webp": "image/webp",
        ".ico": "image/vnd.microsoft.icon",
        ".woff2": "font/woff2",
        ".txt": "text/plain; charset=utf-8",
    }
)
"""By suffix; a file of any other kind is not shown."""

DOCUMENTATION_DIRECTORY: Final = Path(__file__).parent / "static"
_PACKAGE_DIRECTORY: Final = Path(__file__).parent.parent


def shipped_client_directory() -> Path:
    """The page's files: in the installed package, else beside it in a checkout."""
    installed = _PACKAGE_DIRECTORY / "client"
    return installed if installed.is_dir() else _PACKAGE_DIRECTORY.parent / "client"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFile:
    """A file as it is sent.

    Attributes:
        content: all of it.
        media_type: from its suffix.
        etag: of its content.
        changed_ns: modification time it was read at.
    """

    content: bytes
    media_type: str
    etag: str
    changed_ns: int


class PageFiles:
    """The files below one folder, held in memory and read again when they change.

    No name leads out of the folder, not by dots and not by a link.
    """

    def __init__(self, directory: Path) -> None:
        """Read the folder; one that is missing has no files."""
        self._directory = directory
        self._files: dict[str, PageFile] = {}
        for path in sorted(directory.rglob("*")):
            name = path.relative_to(directory).as_posix()
            if (file := self._read(name)) is not None:
                self._files[name] = file

    def find(self, name: str) -> PageFile | None:
        """The file of that name (with ``/`` between folders), None where there is none."""
        known = self._files.get(name)
        if known is None:
            return self._read(name)  # it came later; not kept, or names could fill the memory
        try:
            if (self._directory / name).stat().st_mtime_ns == known.changed_ns:
                return known
        except OSError:
            return None
        changed = self._read(name)
        if changed is not None:
            self._files[name] = changed
        return changed

    def _read(self, name: str) -> PageFile | None:
        path = self._directory / name
        media_type = MEDIA_TYPES.get(path.suffix.lower())
        if media_type is None or ".." in path.parts or PurePosixPath(name).as_posix() != name:  # one file, one name
            return None
        try:
            if not path.resolve(strict=True).is_relative_to(self._directory.resolve()) or not path.is_file():
                return None
            changed_ns = path.stat().st_mtime_ns
            content = path.read_bytes()
        except (OSError, ValueError):  # gone, unreadable, or a name that no file can have
            return None
        etag = hashlib.sha256(content).hexdigest()[:20]
        return PageFile(content=content, media_type=media_type, etag=etag, changed_ns=changed_ns)


def register_pages(app: Quart, *, client_directory: Path) -> None:
    """The routes of everything that is a file."""
    client = PageFiles(client_directory)
    documentation = PageFiles(DOCUMENTATION_DIRECTORY)

    async def page() -> Response:
        return _file_response(client, "index.html")

    async def client_file(name: str) -> Response:
        return _file_response(client, name)

    async def favicon() -> Response:
        return _file_response(client, "favicon.svg")

    async def documentation_page() -> Response:
        return _file_response(documentation, "docs.html")

    async def documentation_file(name: str) -> Response:
        return _file_response(documentation, name)

    for path, endpoint, view in (
        ("/", "page", page),
        ("/client/<path:name>", "client_file", client_file),
        ("/favicon.svg", "favicon", favicon),
        ("/favicon.ico", "favicon_ico", favicon),
        ("/docs", "documentation", documentation_page),
        ("/docs/<path:name>", "documentation_file", documentation_file),
    ):
        app.add_url_rule(path, endpoint=endpoint, view_func=view, methods=["GET"], provide_automatic_options=False)


def _file_response(files: PageFiles, name: str) -> Response:
    file = files.find(name)
    if file is None:
        raise RequestRefusedError("not_found", "there is no such file")
    fresh = request.if_none_match.contains_weak(file.etag)
    response = Response(b"" if fresh else file.content, status=304 if fresh else 200)
    if fresh:
        del response.headers["Content-Type"]
        del response.headers["Content-Length"]
    else:
        response.headers["Content-Type"] = file.media_type
    response.set_etag(file.etag)
    response.headers["Cache-Control"] = "no-cache"
    return response
