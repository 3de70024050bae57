"""Sound that comes with the package: the bed that plays until the synthesiser has warmed up."""

from __future__ import annotations

import io
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO

import av

from auralisd.audio import PCM16_BYTES_PER_FRAME
from auralisd.errors import SoundFileError
from auralisd.units import SAMPLE_RATE_HZ


def shipped_bed() -> bytes:
    """The bed of ``auralisd/assets``, whole, as interleaved little-endian int16 stereo at 44.1 kHz.

    Raises:
        SoundFileError: this installation has no bed, or a broken one.
    """
    assets = files("auralisd") / "assets"
    beds = [entry for entry in assets.iterdir() if entry.name.startswith("bed.")] if assets.is_dir() else []
    if not beds:
        raise SoundFileError("auralisd/assets/bed.*", "is missing from this installation; install auralisd again")
    bed = min(beds, key=lambda entry: entry.name)
    return _decoded(io.BytesIO(bed.read_bytes()), bed.name)


def decode_to_pcm16(path: Path) -> bytes:
    """A short sound file, whole, as interleaved little-endian int16 stereo at 44.1 kHz, whatever it was.

    Raises:
        SoundFileError: it is not there, or FFmpeg finds no sound in it.
    """
    try:
        with path.open("rb") as file:
            return _decoded(file, str(path))
    except OSError as error:
        raise SoundFileError(str(path), f"cannot be read: {error.strerror}") from error


def _decoded(file: BinaryIO, name: str) -> bytes:
    resampler = av.AudioResampler(format="s16", layout="stereo", rate=SAMPLE_RATE_HZ, threads=1)
    pieces: list[bytes] = []
    try:
        with av.open(file, "r") as container:
            for frame in container.decode(audio=0):
                pieces.extend(_bytes_of(piece) for piece in resampler.resample(frame))
            pieces.extend(_bytes_of(piece) for piece in resampler.resample(None))
    except (av.FFmpegError, IndexError) as error:  # IndexError: it has no sound in it
        raise SoundFileError(name, f"cannot be decoded: {error}") from error
    if not pieces:
        raise SoundFileError(name, "cannot be decoded: there is no sound in it")
    return b"".join(pieces)


def _bytes_of(frame: av.AudioFrame) -> bytes:
    """The samples of an interleaved frame without the padding after them."""
    return bytes(frame.planes[0])[: frame.samples * PCM16_BYTES_PER_FRAME]
