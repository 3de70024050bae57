"""Playlists: one absolute URL in the two notations every player reads."""

from __future__ import annotations

from typing import Final

from auralisd.edge.request_head import RequestHead

CONTENT_TYPES: Final = {"m3u": "audio/x-mpegurl", "pls": "audio/x-scpls"}
DEFAULT_FORM: Final = "mp3"  # what no player lacks


def playlist(kind: str, *, title: str, url: str) -> str:
    """A playlist of ``kind`` ``m3u`` or ``pls`` with one endless entry."""
    one_line = " ".join(title.split())
    if kind == "pls":
        return f"[playlist]\nNumberOfEntries=1\nFile1={url}\nTitle1={one_line}\nLength1=-1\nVersion=2\n"
    return f"#EXTM3U\n#EXTINF:-1,{one_line}\n{url}\n"


def base_url(head: RequestHead, *, public_url: str | None, local_address: str) -> str:
    """Where the client reaches this server: ``public_url``, else the Host it asked for, else our own address."""
    if public_url is not None:
        return public_url.rstrip("/")
    return f"http://{head.headers.get('host') or local_address}"
