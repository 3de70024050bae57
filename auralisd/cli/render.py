"""``auralisd render``: a sound file of a piece, as long as you like."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from auralisd.cli.length import FRAMES
from auralisd.cli.options import any_given, config_option, given, piece_options, state_dir_option, wanted
from auralisd.cli.performance import Performance, composed, kept_kernel, played, pre_roll_frames
from auralisd.cli.progress import clock_time, progress_bar
from auralisd.cli.score_files import check_score_files, write_score
from auralisd.units import BLOCK_FRAMES, frames_to_seconds, seconds_to_frames

if TYPE_CHECKING:
    from auralisd.audio import AudioBlock

DEFAULT_SECONDS: Final = 60.0
_BYTES_PER_FRAME: Final = 4  # int16 stereo


@click.command(short_help="Write a piece as a sound file: wav, flac, opus, mp3 or m4a.")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False), metavar="OUT.{wav,flac,opus,mp3,m4a}")
@click.option("--seconds", type=FRAMES, metavar="TIME", help="How long, in seconds or as h:mm:ss (60).")
@click.option("--start", type=FRAMES, metavar="TIME", help="Where in the piece to begin, in seconds or as h:mm:ss (0).")
@piece_options
@click.option("--station", "station_id", metavar="ID", help="Play what this station played, with all that was turned.")
@click.option("--from", "from_frames", type=FRAMES, metavar="TIME", help="With --station: from here in its piece (0).")
@click.option("--to", "to_frames", type=FRAMES, metavar="TIME", help="With --station: up to here in its piece.")
@click.option(
    "--midi", type=click.Path(path_type=Path, dir_okay=False), metavar="OUT.mid", help="Also write the notes."
)
@click.option(
    "--events",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OUT.jsonl",
    help="Also write the event stream, a JSON object a line.",
)
@click.option("--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:N or mps (auto).")
@click.option(
    "--compiled-kernel/--torch-alone",
    default=True,
    envvar="AURALISD_COMPILED_KERNEL",
    help="With the kernel the daemon has compiled here, if it has; or without: slower, other in the last bit at most.",
)
@click.option("--title", metavar="TEXT", help="What the file's tags call it.")
@config_option
@state_dir_option
def render(
    out: Path,
    seconds: int | None,
    start: int | None,
    station_id: str | None,
    from_frames: int | None,
    to_frames: int | None,
    midi: Path | None,
    events: Path | None,
    device: str,
    compiled_kernel: bool,
    title: str | None,
    config_file: Path | None,
    state_dir: Path | None,
    **piece: Any,
) -> None:
    """Write OUT, as the daemon would play it but as fast as this machine can.

    The same seed and options give the same music again. OUT appears when it is complete; Ctrl-C
    leaves nothing behind.

    \b
    auralisd render evening.flac --preset Meditation --seconds 1:00:00
    auralisd render a.wav --seed 7 --key D --mode dorian --layer percussion=off --midi a.mid
    auralisd render again.opus --station main --from 10:00 --to 15:00
    """  # noqa: D301
    if station_id is None:
        if from_frames is not None or to_frames is not None:
            raise click.UsageError("--from and --to go with --station; a new piece takes --start and --seconds")
        performance = _new_piece(seconds, start, piece)
    else:
        if seconds is not None or start is not None or any_given(piece):
            raise click.UsageError("--station plays what was played; only --from and --to go with it")
        performance = _as_played(station_id, from_frames, to_frames, config_file, state_dir)
    check_score_files(sound=out, midi=midi, events=events)
    with _terminated_like_interrupted():
        _write_sound(performance, out, device=device, compiled_kernel=compiled_kernel, title=title or out.stem)
        write_score(lambda: composed(performance), midi=midi, events=events)


def _new_piece(seconds: int | None, start: int | None, piece: dict[str, Any]) -> Performance:
    asked = wanted(piece)
    begin = start or 0
    length = seconds_to_frames(DEFAULT_SECONDS) if seconds is None else seconds
    if length <= 0:
        raise click.BadParameter("there has to be something to play", param_hint="--seconds")
    return Performance(seed=asked.seed, controls=asked.controls, begin_frames=begin, end_frames=begin + length)


def _as_played(
    station_id: str, from_frames: int | None, to_frames: int | None, config_file: Path | None, state_dir: Path | None
) -> Performance:
    from auralisd.errors import StorageError, UnknownNameError
    from auralisd.settings import load_settings
    from auralisd.storage.opening import STATE_FILE_NAME
    from auralisd.storage.state_file import StateFile

    if to_frames is None or to_frames <= (from_frames or 0):
        raise click.UsageError("--station needs --to, later than --from; both count from the beginning of its piece")
    settings = load_settings(given(state_dir=state_dir, lan=True), environ=os.environ, config_file=config_file)
    if not (settings.state_dir / STATE_FILE_NAME).exists():
        raise StorageError(
            str(settings.state_dir), "no daemon has kept its stations here", "Name its --state-dir, or its --config."
        )
    with StateFile(settings.state_dir) as state:
        stations = {station.id: station for station in state.stations()}
        if station_id not in stations:
            raise UnknownNameError("station", station_id, tuple(stations))
        return Performance(
            seed=stations[station_id].seed,
            controls=stations[station_id].start_controls,
            log=state.changes(station_id),
            begin_frames=from_frames or 0,
            end_frames=to_frames,
        )


def _write_sound(performance: Performance, out: Path, *, device: str, compiled_kernel: bool, title: str) -> None:
    from auralisd.transport.sound_file import SoundFileWriter

    with SoundFileWriter(out, title=title, expected_frames=performance.frames) as file:
        click.echo("loading torch ...", err=True)
        from auralisd.synthesis.device import choose_device

        chosen = choose_device(device)
        shelf = kept_kernel() if compiled_kernel else None
        click.echo(f"device {chosen.why}", err=True)
        started = time.perf_counter()
        total_seconds = frames_to_seconds(pre_roll_frames(performance) + performance.frames)
        with progress_bar(out.name, total_seconds) as show:
            for number, block in enumerate(played(performance, device=chosen.name, shelf=shelf), start=1):
                show(frames_to_seconds(number * BLOCK_FRAMES))
                if block is not None:
                    file.write(_within(block, performance))
        took_seconds = time.perf_counter() - started
    ratio = total_seconds / took_seconds
    length = clock_time(frames_to_seconds(performance.frames))
    click.echo(f"{out}: {length} of seed {performance.seed} in {took_seconds:.1f} s, {ratio:.1f} x real time", err=True)


def _within(block: AudioBlock, performance: Performance) -> bytes:
    """The part of ``block`` that was asked for, interleaved int16."""
    first = max(0, performance.begin_frames - block.position)
    last = min(block.frames, performance.end_frames - block.position)
    return block.pcm16[first * _BYTES_PER_FRAME : last * _BYTES_PER_FRAME]


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM ends a render as Ctrl-C does, so that it too leaves nothing half-written."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
