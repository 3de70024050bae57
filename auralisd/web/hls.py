"""HLS for the small case: the same files that a web server or a content delivery network would hand out."""

from __future__ import annotations

from typing import Final

from quart import Quart, Response

from auralisd.errors import RequestRefusedError, UnknownNameError
from auralisd.web.dependencies import WebDependencies

PLAYLIST_TYPE: Final = "application/vnd.apple.mpegurl"
SEGMENT_TYPE: Final = "audio/mp4"
PLAYLIST_CACHE: Final = "max-age=1"  # half a segment: whoever asks again sees the next one in time
SEGMENT_CACHE: Final = "public, max-age=3600, immutable"  # a name stands for one content for ever


def register_hls(app: Quart, deps: WebDependencies) -> None:
    """The one route of all HLS files."""

    async def hls_file(station: str, name: str) -> Response:
        try:
            content = await deps.hls_file(station, name)
        except UnknownNameError as error:
            raise RequestRefusedError("not_found", str(error)) from None
        playlist = name.endswith(".m3u8")
        response = Response(content, content_type=PLAYLIST_TYPE if playlist else SEGMENT_TYPE)
        response.headers["Cache-Control"] = PLAYLIST_CACHE if playlist else SEGMENT_CACHE
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
