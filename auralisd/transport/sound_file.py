"""Writes a piece of the programme as a sound file: wav, flac, opus, mp3 or m4a, whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

import av

from auralisd.audio import PCM16_BYTES_PER_FRAME
from auralisd.errors import EncoderError, FormatError, SoundFileError
from auralisd.transport.codecs import (
    STREAM_RECIPES,
    UNKNOWN_SIZE,
    WAV_HEADER_BYTES,
    Recipe,
    add_audio_stream,
    pcm16_frame,
    wav_header,
)

FILE_RECIPES: Final[Mapping[str, Recipe]] = {
    # A file is read from its start and may be sought in: none of the concessions that streams make.
    "flac": replace(STREAM_RECIPES["flac"], codec_options={}, container_options={}),
    "opus": replace(STREAM_RECIPES["opus"], container_options={}),
    "mp3": replace(STREAM_RECIPES["mp3"], codec_options={}, container_options={}),
    "m4a": replace(STREAM_RECIPES["aac"], container="ipod", container_options={"movflags": "+faststart"}),
}
FILE_FORMATS: Final = ("wav", *FILE_RECIPES)
MAX_WAV_FRAMES: Final = (UNKNOWN_SIZE - WAV_HEADER_BYTES) // PCM16_BYTES_PER_FRAME  # 6 h 45 min


class SoundFileWriter:
    """A sound file in the making; its suffix says which format.

    It grows as ``NAME.part`` beside its place and gets its name when it is
    closed. Left by an exception, it leaves nothing behind:

        with SoundFileWriter(Path("evening.flac"), title="Evening") as file:
            file.write(pcm16)
    """

    def __init__(self, path: Path, *, title: str, expected_frames: int | None = None) -> None:
        """Open the file.

        Args:
            path: where it will be; one that is there already is replaced at the end.
            title: goes into its tags (wav has none).
            expected_frames: how long it will be, if known: what cannot fit is refused before hours of rendering.

        Raises:
            FormatError: nobody here writes such a file.
            SoundFileError: there is no such folder, it may not be written, or the piece will not fit.
        """
        self.path = path
        self._part = path.with_name(path.name + ".part")
        suffix = path.suffix.lower().removeprefix(".")
        if suffix not in FILE_FORMATS:
            raise FormatError(suffix or path.name, FILE_FORMATS)
        if suffix == "wav" and expected_frames is not None and expected_frames > MAX_WAV_FRAMES:
            raise _too_long(path)
        self._file: _GrowingFile | None = None
        with self._or_nothing():
            self._file = _WavFile(self._part) if suffix == "wav" else _CodedFile(self._part, suffix, title)

    def write(self, pcm16: bytes) -> None:
        """Add interleaved little-endian int16 stereo at 44.1 kHz, any number of whole frames.

        Raises:
            SoundFileError: the disk is full, or a wav file reaches 4 GiB; nothing is left of the file.
        """
        if self._file is None:
            raise SoundFileError(str(self.path), "is closed")
        with self._or_nothing():
            self._file.write(pcm16)

    def close(self) -> None:
        """Complete the file and give it its name; a second time does nothing.

        Raises:
            SoundFileError: it could not be completed; nothing is left of it.
        """
        if self._file is None:
            return
        with self._or_nothing():
            self._file.close()
            self._part.replace(self.path)
            self._file = None

    def discard(self) -> None:
        """Remove what was written; what was at the path before stays."""
        file, self._file = self._file, None
        if file is not None:
            # It goes away in any case; a ValueError says that it was closed already.
            with contextlib.suppress(OSError, ValueError, av.FFmpegError):
                file.close()
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    @contextlib.contextmanager
    def _or_nothing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, av.FFmpegError, EncoderError, SoundFileError) as error:
            with contextlib.suppress(OSError):
                self.discard()
            if isinstance(error, SoundFileError):
                raise
            raise SoundFileError(str(self.path), f"cannot be written: {_reason(error)}") from error
        except BaseException:  # Ctrl-C, in the midst of the last lines of a long file too
            with contextlib.suppress(OSError):
                self.discard()
            raise


class _GrowingFile(Protocol):
    def write(self, pcm16: bytes) -> None: ...

    def close(self) -> None: ...


class _WavFile:
    """A wav file whose sizes are filled in at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")
        self._file.write(wav_header(0))
        self._data_bytes = 0

    def write(self, pcm16: bytes) -> None:
        if self._data_bytes + len(pcm16) > MAX_WAV_FRAMES * PCM16_BYTES_PER_FRAME:
            raise _too_long(self._path.with_suffix(""))
        self._file.write(pcm16)
        self._data_bytes += len(pcm16)

    def close(self) -> None:
        with self._file:
            self._file.seek(0)
            self._file.write(wav_header(self._data_bytes))


class _CodedFile:
    """A file that FFmpeg codes and writes."""

    def __init__(self, path: Path, suffix: str, title: str) -> None:
        recipe = FILE_RECIPES[suffix]
        options = dict(recipe.container_options)
        # An absolute path, or FFmpeg takes "a:b.mp3" for a protocol.
        self._container = av.open(str(path.absolute()), "w", format=recipe.container, options=options)
        self._stream = add_audio_stream(self._container, recipe, title)
        self._container.start_encoding()  # opens the file: a missing folder shows now, not after rendering
        self._frames = 0

    def write(self, pcm16: bytes) -> None:
        self._container.mux(self._stream.encode(pcm16_frame(pcm16, self._frames)))
        self._frames += len(pcm16) // PCM16_BYTES_PER_FRAME

    def close(self) -> None:
        try:
            self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()


def _reason(error: Exception) -> str:
    """What the system said, without the numbers and the ``.part`` a person never asked for."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _too_long(path: Path) -> SoundFileError:
    return SoundFileError(str(path), "a wav file holds at most 4 GiB, 6 hours and 45 minutes; write flac instead")
