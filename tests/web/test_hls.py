"""HLS files as players and caches want them."""

from __future__ import annotations

import pytest

from auralisd.errors import UnknownNameError


@pytest.fixture
def hls(open_house):
    files = {("main", "index.m3u8"): b"#EXTM3U\n", ("main", "aac-1.m4s"): b"sound", ("main", "aac-head-1.mp4"): b"head"}

    async def read(station, name):
        if (station, name) not in files:
            raise UnknownNameError("HLS file", name, ("index.m3u8",))
        return files[station, name]

    return open_house(hls_file=read)


@pytest.mark.parametrize(
    ("name", "content_type", "cache"),
    [
        ("index.m3u8", "application/vnd.apple.mpegurl", "max-age=1"),
        ("aac-1.m4s", "audio/mp4", "public, max-age=3600, immutable"),
        ("aac-head-1.mp4", "audio/mp4", "public, max-age=3600, immutable"),
    ],
)
async def test_each_kind_of_file_has_its_type_and_its_time_in_caches(hls, name, content_type, cache):
    reply = await hls.ask("GET", f"/hls/main/{name}")
    assert reply.status == 200
    assert reply.headers["Content-Type"] == content_type
    assert reply.headers["Cache-Control"] == cache
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert reply.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert (await hls.ask("HEAD", f"/hls/main/{name}")).status == 200


@pytest.mark.parametrize("path", ["main/aac-2.m4s", "night/index.m3u8", "main/%2e%2e%2fauralis.db"])
async def test_what_is_not_there_is_not_found_and_not_kept(hls, path):
    reply = await hls.ask("GET", f"/hls/{path}")
    assert reply.status == 404
    assert reply.error["code"] == "not_found"
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_without_hls_there_is_none(house):
    assert (await house.ask("GET", "/hls/main/index.m3u8")).status == 404
