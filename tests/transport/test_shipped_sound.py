"""Sound that ships with the package, decoded before anything slow is imported."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from auralisd.errors import SoundFileError
from auralisd.transport import shipped_sound
from auralisd.transport.shipped_sound import decode_to_pcm16, shipped_bed
from auralisd.transport.sound_file import SoundFileWriter

type Pcm = npt.NDArray[np.int16]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of the package with an empty folder of assets."""
    (tmp_path / "assets").mkdir()
    monkeypatch.setattr(shipped_sound, "files", lambda _name: tmp_path)
    return tmp_path


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_a_lossless_file_is_decoded_bit_for_bit(suffix: str, tmp_path: Path, two_tones: Callable[[int], Pcm]) -> None:
    pcm16 = two_tones(30_777).tobytes()
    with SoundFileWriter(tmp_path / f"sound.{suffix}", title="") as file:
        file.write(pcm16)
    assert decode_to_pcm16(tmp_path / f"sound.{suffix}") == pcm16


def test_the_bed_is_the_programme_it_was_made_of_at_its_rate(package: Path, two_tones: Callable[[int], Pcm]) -> None:
    sound = two_tones(3 * 44_100)
    with SoundFileWriter(package / "assets" / "bed.opus", title="") as file:
        file.write(sound.tobytes())
    heard = np.frombuffer(shipped_bed(), dtype="<i2").reshape(-1, 2)
    assert len(heard) == pytest.approx(len(sound), abs=2)
    middle = slice(44_100, 2 * 44_100)
    assert np.abs(heard[middle].astype(int) - sound[middle]).max() < 500


def test_an_installation_without_a_bed_says_so(package: Path) -> None:
    with pytest.raises(SoundFileError, match="missing from this installation"):
        shipped_bed()
    (package / "assets").rmdir()
    with pytest.raises(SoundFileError, match="missing from this installation"):
        shipped_bed()


def test_what_is_no_sound_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "bed.flac").write_bytes(b"a letter to a friend" * 20)
    with pytest.raises(SoundFileError, match=r"bed\.flac: cannot be decoded"):
        decode_to_pcm16(tmp_path / "bed.flac")
    with pytest.raises(SoundFileError, match=r"none\.flac: cannot be read: No such file"):
        decode_to_pcm16(tmp_path / "none.flac")


def test_the_bed_is_read_without_torch() -> None:
    program = "import sys, auralisd.transport.shipped_sound; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
