"""HLS for the small case: the same files that a web server or a content delivery network would hand out."""

from __future__ import annotations

import re
from typing import Final

from quart import Quart, Response, request

from auralisd.errors import RequestRefusedError, UnknownNameError
from auralisd.listening_links import HLS, PARAMETER, with_token
from auralisd.web.dependencies import WebDependencies
from auralisd.web.guard import client_of, facts_of

PLAYLIST_TYPE: Final = "application/vnd.apple.mpegurl"
SEGMENT_TYPE: Final = "audio/mp4"
PLAYLIST_CACHE: Final = "max-age=1"  # half a segment: whoever asks again sees the next one in time
SEGMENT_CACHE: Final = "public, max-age=3600, immutable"  # a name stands for one content for ever
_URI: Final = re.compile(r'^(#EXT-X-MAP:URI=")([^"]+)(".*)$|^([^#\s].*)$', re.MULTILINE)


def register_hls(app: Quart, deps: WebDependencies) -> None:
    """The one route of all HLS files."""

    async def hls_file(station: str, name: str) -> Response:
        link = request.args.get(PARAMETER)
        deps.admission.check(facts_of(request), client=client_of(request), station=station, form=HLS, link=link)
        try:
            content = await deps.hls_file(station, name)
        except UnknownNameError as error:
            raise RequestRefusedError("not_found", str(error)) from None
        playlist = name.endswith(".m3u8")
        if playlist:
            carried = deps.admission.carried(link, station=station, form=HLS)
            content = carrying_on(content.decode(), carried).encode()
        response = Response(content, content_type=PLAYLIST_TYPE if playlist else SEGMENT_TYPE)
        cache = PLAYLIST_CACHE if playlist else SEGMENT_CACHE
        # A cache that many share would go on handing out what a link had opened.
        response.headers["Cache-Control"] = cache if deps.admission.is_open else f"private, {_for_one(cache)}"
        response.headers["Access-Control-Allow-Origin"] = "*"  # players on other pages fetch it by script
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    app.add_url_rule(
        "/hls/<station>/<name>",
        endpoint="hls_file",
        view_func=hls_file,
        methods=["GET"],
        provide_automatic_options=False,
    )


def carrying_on(playlist: str, token: str | None) -> str:
    """``playlist`` with ``token`` in each address in it: players resolve them without the query they came by."""
    if token is None:
        return playlist
    return _URI.sub(lambda found: _with(found, token), playlist)


def _with(found: re.Match[str], token: str) -> str:
    if found[4] is not None:
        return with_token(found[4], token)
    return f"{found[1]}{with_token(found[2], token)}{found[3]}"


def _for_one(cache: str) -> str:
    return cache.removeprefix("public, ")
