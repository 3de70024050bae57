"""Playlists as RFC 8216 has them, and the window that slides over the segments."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auralisd.transport.hls.playlist import (
    SHOWN_SEGMENTS,
    Segment,
    Window,
    master_playlist,
    media_playlist,
)


def segment(sequence: int, *, discontinuity: bool = False, header: int = 7) -> Segment:
    return Segment(
        sequence=sequence,
        starts_unix_seconds=1_700_000_000 + 2 * sequence,
        discontinuity=discontinuity,
        header=header,
        seconds={"aac": 2.02014, "opus": 2.0},
    )


def test_a_rendition_says_where_it_begins_and_when_each_segment_was_heard():
    window = Window(next_sequence=7).with_segment(segment(7)).with_segment(segment(8))
    window = window.with_segment(segment(9, discontinuity=True, header=9))
    assert media_playlist(window, "aac").splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:2",
        "#EXT-X-MEDIA-SEQUENCE:7",
        "#EXT-X-DISCONTINUITY-SEQUENCE:0",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MAP:URI="aac-head-7.mp4"',
        "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:34.000Z",
        "#EXTINF:2.02014,",
        "aac-7.m4s",
        "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:36.000Z",
        "#EXTINF:2.02014,",
        "aac-8.m4s",
        "#EXT-X-DISCONTINUITY",
        '#EXT-X-MAP:URI="aac-head-9.mp4"',
        "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:38.000Z",
        "#EXTINF:2.02014,",
        "aac-9.m4s",
    ]


def test_the_master_playlist_names_each_codec_and_the_best_known_comes_first():
    assert master_playlist(("aac", "opus", "flac")).splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-STREAM-INF:BANDWIDTH=224000,CODECS="mp4a.40.2"',
        "aac.m3u8",
        '#EXT-X-STREAM-INF:BANDWIDTH=256000,CODECS="Opus"',
        "opus.m3u8",
        '#EXT-X-STREAM-INF:BANDWIDTH=1450000,CODECS="fLaC"',
        "flac.m3u8",
    ]


@given(st.lists(st.booleans(), max_size=60))
def test_the_window_slides_and_no_discontinuity_is_lost_count_of(marks: list[bool]):
    window = Window(next_sequence=100)
    for number, mark in enumerate(marks):
        window = window.with_segment(segment(100 + number, discontinuity=mark))
    assert window.next_sequence == 100 + len(marks)
    assert [one.sequence for one in window.segments] == list(range(100, 100 + len(marks)))[-SHOWN_SEGMENTS:]
    shown = sum(one.discontinuity for one in window.segments)
    assert window.discontinuities_gone + shown == sum(marks)
    assert len(media_playlist(window, "opus").split("#EXTINF")) == len(window.segments) + 1
