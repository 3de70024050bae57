"""Sound files: what is in them, and that a half-written one is never left."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from auralisd.errors import FormatError, SoundFileError
from auralisd.transport.sound_file import FILE_FORMATS, MAX_WAV_FRAMES, SoundFileWriter
from auralisd.units import BLOCK_FRAMES

type Pcm = npt.NDArray[np.int16]
FRAMES = 3 * 44_100 + 777  # not a whole number of any codec's frames


def write(path: Path, sound: Pcm) -> None:
    with SoundFileWriter(path, title="Évening") as file:
        for at in range(0, len(sound), BLOCK_FRAMES):
            file.write(sound[at : at + BLOCK_FRAMES].tobytes())


@pytest.mark.parametrize("suffix", FILE_FORMATS)
def test_a_file_holds_the_sound_at_its_length_and_level(
    suffix: str, tmp_path: Path, two_tones: Callable[[int], Pcm], decode_with_ffmpeg: Callable[..., Pcm]
) -> None:
    sound = two_tones(FRAMES)
    path = tmp_path / f"out.{suffix}"
    write(path, sound)
    heard = decode_with_ffmpeg(path.read_bytes())
    assert len(heard) == pytest.approx(FRAMES, abs=1024)
    # In place to the frame: a codec's own delay is taken off by its container. LAME turns everything down by 3 %.
    middle = slice(44_100, 2 * 44_100)
    difference = heard[middle].astype(float) - sound[middle]
    assert np.sqrt(np.mean(difference**2)) < 0.035 * np.sqrt(np.mean(sound[middle].astype(float) ** 2))


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_a_lossless_file_is_the_programme_bit_for_bit(
    suffix: str, tmp_path: Path, two_tones: Callable[[int], Pcm]
) -> None:
    sound = two_tones(FRAMES)
    write(tmp_path / f"out.{suffix}", sound)
    read, rate_hz = soundfile.read(tmp_path / f"out.{suffix}", dtype="int16")
    assert rate_hz == 44_100
    np.testing.assert_array_equal(read, sound)


def test_a_wav_file_is_its_header_and_the_programme(tmp_path: Path, two_tones: Callable[[int], Pcm]) -> None:
    sound = two_tones(FRAMES)
    write(tmp_path / "out.wav", sound)
    written = (tmp_path / "out.wav").read_bytes()
    assert int.from_bytes(written[4:8], "little") == len(written) - 8
    assert int.from_bytes(written[40:44], "little") == len(written) - 44 == 4 * FRAMES


@pytest.mark.parametrize("suffix", ["flac", "opus", "mp3", "m4a"])
def test_a_file_knows_its_title_and_its_length(suffix: str, tmp_path: Path, two_tones: Callable[[int], Pcm]) -> None:
    path = tmp_path / f"out.{suffix}"
    write(path, two_tones(FRAMES))
    with av.open(path) as container:
        tags = {name.lower(): value for name, value in (container.metadata | container.streams[0].metadata).items()}
        assert tags["title"] == "Évening"
        assert container.duration is not None
        assert container.duration / av.time_base == pytest.approx(FRAMES / 44_100, abs=0.06)


def test_an_m4a_can_be_played_before_it_is_downloaded_whole(tmp_path: Path, two_tones: Callable[[int], Pcm]) -> None:
    write(tmp_path / "out.m4a", two_tones(FRAMES))
    written = (tmp_path / "out.m4a").read_bytes()
    assert 0 < written.find(b"moov") < written.find(b"mdat")


@pytest.mark.parametrize("suffix", FILE_FORMATS)
def test_a_file_has_no_name_until_it_is_whole(suffix: str, tmp_path: Path, two_tones: Callable[[int], Pcm]) -> None:
    path = tmp_path / f"out.{suffix}"
    file = SoundFileWriter(path, title="")
    file.write(two_tones(FRAMES).tobytes())
    assert [entry.name for entry in tmp_path.iterdir()] == [f"out.{suffix}.part"]
    file.close()
    file.close()
    assert [entry.name for entry in tmp_path.iterdir()] == [f"out.{suffix}"]
    with pytest.raises(SoundFileError, match="is closed"):
        file.write(bytes(4))


@pytest.mark.parametrize("suffix", FILE_FORMATS)
def test_left_by_an_exception_it_leaves_what_was_there_before(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"out.{suffix}"
    path.write_bytes(b"yesterday's")

    def be_interrupted() -> None:
        with SoundFileWriter(path, title="") as file:
            file.write(bytes(4 * 44_100))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        be_interrupted()
    assert [entry.name for entry in tmp_path.iterdir()] == [f"out.{suffix}"]
    assert path.read_bytes() == b"yesterday's"


def test_interrupted_while_it_is_completed_it_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def be_interrupted(_data_bytes: int) -> bytes:
        monkeypatch.undo()
        raise KeyboardInterrupt

    file = SoundFileWriter(tmp_path / "out.wav", title="")
    file.write(bytes(4 * 44_100))
    monkeypatch.setattr("auralisd.transport.sound_file.wav_header", be_interrupted)
    with pytest.raises(KeyboardInterrupt):
        file.close()
    assert list(tmp_path.iterdir()) == []


# A limit on the size of files stands for the disk that fills up; it holds for a whole process, so for one of its own.
FULL_DISK = """
import random, resource, sys
from pathlib import Path
from auralisd.errors import SoundFileError
from auralisd.transport.sound_file import SoundFileWriter
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
piece_bytes, pieces = map(int, sys.argv[2:])
noise = random.Random(1).randbytes(piece_bytes)
try:
    with SoundFileWriter(Path(sys.argv[1]), title="") as file:
        for _ in range(pieces):
            file.write(noise)
except SoundFileError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a process's files")
@pytest.mark.parametrize(
    ("suffix", "piece_bytes", "pieces"),
    [*((suffix, 17_640, 300) for suffix in FILE_FORMATS), ("wav", 1176, 85)],  # the last one fills it up when closed
)
def test_a_full_disk_is_said_and_leaves_nothing(suffix: str, piece_bytes: int, pieces: int, tmp_path: Path) -> None:
    path = tmp_path / f"out.{suffix}"
    command = [sys.executable, "-c", FULL_DISK, str(path), str(piece_bytes), str(pieces)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f"{path}: cannot be written: File too large\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["wav", "mp3"])
def test_a_missing_folder_is_said_at_once(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / "missing" / f"out.{suffix}"
    with pytest.raises(SoundFileError, match="No such file or directory") as caught:
        SoundFileWriter(path, title="")
    assert caught.value.path == str(path)


@pytest.mark.parametrize("name", ["out.ogg", "out"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(name: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="wav, flac, opus, mp3, m4a"):
        SoundFileWriter(tmp_path / name, title="")
    assert list(tmp_path.iterdir()) == []


def test_a_wav_that_cannot_hold_the_piece_is_refused_before_it_is_rendered(tmp_path: Path) -> None:
    with pytest.raises(SoundFileError, match=r"at most 4 GiB.*write flac instead"):
        SoundFileWriter(tmp_path / "long.wav", title="", expected_frames=MAX_WAV_FRAMES + 1)
    assert list(tmp_path.iterdir()) == []
    SoundFileWriter(tmp_path / "long.wav", title="", expected_frames=MAX_WAV_FRAMES).discard()


def test_a_wav_that_grows_past_its_limit_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auralisd.transport.sound_file.MAX_WAV_FRAMES", 100)
    file = SoundFileWriter(tmp_path / "long.wav", title="")
    file.write(bytes(400))
    with pytest.raises(SoundFileError, match=r"long\.wav: a wav file holds at most 4 GiB"):
        file.write(bytes(4))
    assert list(tmp_path.iterdir()) == []


def test_a_colon_in_a_name_is_only_a_colon(tmp_path: Path, two_tones: Callable[[int], Pcm]) -> None:
    write(tmp_path / "tcp:evening.mp3", two_tones(44_100))
    assert (tmp_path / "tcp:evening.mp3").stat().st_size > 20_000
