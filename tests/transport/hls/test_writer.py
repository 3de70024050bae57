"""From packets to a folder that ffmpeg plays: across gaps, restarts and disks that are full."""

from __future__ import annotations

import errno
import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from auralisd.transport.hls.folder import KEPT_BEHIND, STATE, HlsFolder, is_served
from auralisd.transport.hls.playlist import SHOWN_SEGMENTS
from auralisd.transport.hls.writer import HlsWriter
from auralisd.units import PACKET_FRAMES, SAMPLE_RATE_HZ

BOTH = ("aac", "opus")
ALL = ("aac", "opus", "flac")
BEGAN = 1_700_000_000.0


def tone(position: int) -> bytes:
    at = (position + np.arange(PACKET_FRAMES)) / SAMPLE_RATE_HZ
    wave = np.rint(8000 * np.sin(2 * np.pi * 440 * at)).astype("<i2")
    return np.repeat(wave, 2).tobytes()


def write(writer: HlsWriter, *, seconds: float, position: int = 0) -> tuple[int, int]:
    """How many segments were shown, and where it goes on."""
    shown = 0
    for _ in range(round(seconds * 10)):
        shown += writer.take(position, tone(position), starts_unix_seconds=BEGAN + position / SAMPLE_RATE_HZ)
        position += PACKET_FRAMES
    return shown, position


def new_writer(path: Path, renditions: tuple[str, ...] = BOTH, first_sequence: int = 500) -> HlsWriter:
    return HlsWriter(HlsFolder(path, renditions, first_sequence=first_sequence), renditions, title="Test")


def playlist(path: Path, name: str) -> list[str]:
    return (path / f"{name}.m3u8").read_text().splitlines()


def value(lines: list[str], tag: str) -> str:
    return next(line.partition(":")[2] for line in lines if line.startswith(tag))


def decoded(path: Path, name: str) -> np.ndarray:
    """What ffmpeg hears in the segments that a playlist shows, one run of the encoder."""
    files = re.findall(r'(?m)^#EXT-X-MAP:URI="(.*)"$|^([^#].*)$', (path / f"{name}.m3u8").read_text())
    data = b"".join((path / (head or segment)).read_bytes() for head, segment in files)
    command = ["ffmpeg", "-v", "error", "-i", "-", "-f", "s16le", "-ac", "1", "-ar", str(SAMPLE_RATE_HZ), "-"]
    done = subprocess.run(command, input=data, capture_output=True, check=True, timeout=30)
    assert done.stderr == b""
    return np.frombuffer(done.stdout, dtype="<i2").astype(float)


@pytest.mark.parametrize("name", ALL)
def test_what_is_written_is_the_programme_without_a_seam(tmp_path, name):
    shown, _ = write(new_writer(tmp_path, ALL), seconds=11)
    assert shown == 5
    sound = decoded(tmp_path, name)
    assert len(sound) == pytest.approx(10 * SAMPLE_RATE_HZ, abs=3000)
    middle = sound[SAMPLE_RATE_HZ : 9 * SAMPLE_RATE_HZ]
    at = np.arange(len(middle)) / SAMPLE_RATE_HZ
    sine = np.stack([np.sin(2 * np.pi * 440 * at), np.cos(2 * np.pi * 440 * at)], axis=1)
    best, *_ = np.linalg.lstsq(sine, middle, rcond=None)
    residue = (middle - sine @ best).reshape(-1, 441)  # what is not the tone, in pieces of 10 ms
    by_piece = np.sqrt(np.mean(residue**2, axis=1))
    assert np.hypot(*best) == pytest.approx(8000, rel=0.01)
    assert by_piece.max() < 0.005 * 8000  # a seam would stand out as a click, a jump of the phase as a tone


def test_renditions_are_cut_at_the_same_places_and_say_so(tmp_path):
    write(new_writer(tmp_path, ALL), seconds=9)
    for name in ALL:
        lines = playlist(tmp_path, name)
        assert value(lines, "#EXT-X-MEDIA-SEQUENCE") == "500"
        assert [line for line in lines if line.startswith("#EXT-X-PROGRAM")] == [
            f"#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:2{2 * number}.000Z" for number in range(4)
        ]
        seconds = [float(line.partition(":")[2].strip(",")) for line in lines if line.startswith("#EXTINF")]
        assert seconds == pytest.approx([2.0] * 4, abs=0.05)
        assert sum(seconds) == pytest.approx(8.0, abs=0.05)
    assert "#EXT-X-DISCONTINUITY" not in playlist(tmp_path, "aac")


def test_the_master_playlist_has_one_codec_and_another_has_all(tmp_path):
    write(new_writer(tmp_path, ALL), seconds=3)
    named = {name: [line for line in playlist(tmp_path, name) if line[0] != "#"] for name in ("index", "all")}
    assert named == {"index": ["aac.m3u8"], "all": ["aac.m3u8", "opus.m3u8", "flac.m3u8"]}


def test_no_segment_needs_more_than_the_master_playlist_says(tmp_path):
    write_noise = new_writer(tmp_path, ALL)
    noise = np.random.default_rng(1)
    for number in range(45):
        sound = noise.normal(0, 3000, 2 * PACKET_FRAMES).astype("<i2").tobytes()
        write_noise.take(number * PACKET_FRAMES, sound, starts_unix_seconds=BEGAN)
    for line, name in zip(playlist(tmp_path, "all")[3::2], ALL, strict=True):
        bandwidth = int(re.search(r"BANDWIDTH=(\d+)", line)[1])
        for sequence in (500, 501):
            assert (tmp_path / f"{name}-{sequence}.m4s").stat().st_size * 8 / 2 < bandwidth


def test_the_window_slides_and_old_files_go_once_nobody_can_ask_for_them(tmp_path):
    write(new_writer(tmp_path, ("opus",)), seconds=2 * (SHOWN_SEGMENTS + KEPT_BEHIND + 10) + 1)
    lines = playlist(tmp_path, "opus")
    first = int(value(lines, "#EXT-X-MEDIA-SEQUENCE"))
    assert [line for line in lines if not line.startswith("#")] == [
        f"opus-{first + number}.m4s" for number in range(SHOWN_SEGMENTS)
    ]
    kept = sorted(int(path.stem.split("-")[1]) for path in tmp_path.glob("*.m4s"))
    assert kept == list(range(first - KEPT_BEHIND, first + SHOWN_SEGMENTS))


def test_after_a_restart_numbers_go_on_and_the_seam_is_marked(tmp_path):
    before = new_writer(tmp_path)
    _, position = write(before, seconds=5)
    assert before.finish() == 1  # the last second is a segment too
    after = new_writer(tmp_path, first_sequence=999_999)
    write(after, seconds=5, position=position + 44_100)
    for name in BOTH:
        text = (tmp_path / f"{name}.m3u8").read_text()
        assert re.findall(r"(?m)^\w+-(\d+)\.m4s$", text) == ["500", "501", "502", "503", "504"]
        assert text.index(f"{name}-502.m4s") < text.index("#EXT-X-DISCONTINUITY\n") < text.index(f"{name}-503.m4s")
        assert re.findall(r'URI="\w+-head-(\d+)\.mp4"', text) == ["500", "503"]


def test_a_crash_gives_no_number_twice(tmp_path):
    _, position = write(new_writer(tmp_path), seconds=7)  # and it is gone without a word
    write(new_writer(tmp_path, first_sequence=1), seconds=3, position=position)
    text = (tmp_path / "aac.m3u8").read_text()
    assert re.findall(r"(?m)^\w+-(\d+)\.m4s$", text) == ["500", "501", "502", "503"]


def test_a_jump_in_the_programme_is_marked(tmp_path):
    writer = new_writer(tmp_path)
    _, position = write(writer, seconds=5)
    write(writer, seconds=5, position=position + 10 * PACKET_FRAMES)
    assert playlist(tmp_path, "opus").count("#EXT-X-DISCONTINUITY") == 1


def test_discontinuities_are_counted_when_they_leave_the_window(tmp_path):
    for run in range(5):
        write(new_writer(tmp_path, ("opus",)), seconds=11, position=run * 10_000_0 * 441)
    lines = playlist(tmp_path, "opus")
    assert value(lines, "#EXT-X-DISCONTINUITY-SEQUENCE") == "1"
    assert lines.count("#EXT-X-DISCONTINUITY") == 3


@pytest.mark.parametrize("left", [b"", b"[]", b"{}", b'{"next_sequence": 1, "segments": [{}]}', b"\xff\x00"])
def test_a_folder_that_cannot_be_read_is_begun_anew(tmp_path, left):
    (tmp_path / STATE).write_bytes(left)
    write(new_writer(tmp_path), seconds=3)
    assert value(playlist(tmp_path, "aac"), "#EXT-X-MEDIA-SEQUENCE") == "500"


def test_segments_whose_files_are_gone_are_not_shown_again(tmp_path):
    _, position = write(new_writer(tmp_path), seconds=9)
    (tmp_path / "opus-501.m4s").unlink()
    write(new_writer(tmp_path), seconds=3, position=position)
    assert value(playlist(tmp_path, "aac"), "#EXT-X-MEDIA-SEQUENCE") == "502"


def test_a_rendition_that_is_new_begins_with_its_first_segment(tmp_path):
    _, position = write(new_writer(tmp_path), seconds=9)
    write(new_writer(tmp_path, ALL), seconds=3, position=position)
    for name in ALL:
        assert value(playlist(tmp_path, name), "#EXT-X-MEDIA-SEQUENCE") == "504"


def test_what_is_left_unfinished_is_swept_away(tmp_path):
    for name in ("aac-3.m4s", "aac-head-3.mp4", "aac-head-4.mp4", "aac-9.m4s.part", "notes.txt"):
        (tmp_path / name).write_bytes(b"old")
    write(new_writer(tmp_path), seconds=3)
    left = {path.name for path in tmp_path.iterdir()}
    assert "notes.txt" in left
    assert not left & {"aac-3.m4s", "aac-head-3.mp4", "aac-9.m4s.part"}


def test_a_full_disk_costs_the_segments_it_has_no_room_for(tmp_path, monkeypatch):
    writer = new_writer(tmp_path)
    _, position = write(writer, seconds=5)
    real = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if path.name.startswith("opus"):
            real(path, content[:100])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    failures = 0
    for _ in range(40):
        try:
            assert writer.take(position, tone(position), starts_unix_seconds=BEGAN) == 0
        except OSError:
            failures += 1
        position += PACKET_FRAMES
    assert failures == 2
    monkeypatch.setattr(Path, "write_bytes", real)
    write(writer, seconds=4, position=position)
    for name in BOTH:
        text = (tmp_path / f"{name}.m3u8").read_text()
        assert re.findall(r"(?m)^\w+-(\d+)\.m4s$", text) == ["500", "501", "502", "503"]
        assert text.count("#EXT-X-DISCONTINUITY\n") == 1
    assert not list(tmp_path.glob("*.part"))


def test_a_playlist_that_could_not_be_written_comes_with_the_next_segment(tmp_path, monkeypatch):
    writer = new_writer(tmp_path)
    _, position = write(writer, seconds=3)
    (tmp_path / f"{STATE}.part").mkdir()
    with pytest.raises(OSError, match="directory"):
        write(writer, seconds=2, position=position)
    (tmp_path / f"{STATE}.part").rmdir()
    position = int(position + 2 * SAMPLE_RATE_HZ // PACKET_FRAMES * PACKET_FRAMES)
    assert json.loads((tmp_path / STATE).read_text())["next_sequence"] == 501


def test_every_file_can_be_read_by_a_web_server(tmp_path):
    write(new_writer(tmp_path / "deep" / "main"), seconds=3)
    files = list((tmp_path / "deep" / "main").iterdir())
    assert {path.stat().st_mode & 0o777 for path in files} == {0o644}


@pytest.mark.parametrize("name", ["index.m3u8", "all.m3u8", "aac.m3u8", "opus-12.m4s", "flac-head-12.mp4"])
def test_what_players_ask_for_is_served(name):
    assert is_served(name)


@pytest.mark.parametrize("name", [STATE, "mp3.m3u8", "aac-1.m4s.part", "../aac.m3u8", "aac-.m4s", "", "aac-1.m4s\n"])
def test_nothing_else_is_served(name):
    assert not is_served(name)
