"""``auralisd patches``: every sound by itself, to hear and to see."""

from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auralisd.cli.numbers import NumberType
from auralisd.cli.options import json_option
from auralisd.cli.progress import progress_bar
from auralisd.units import CHANNELS, SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from auralisd.synthesis.patches import Patch


@click.command(short_help="Render each sound to a file of its own, with its spectrogram.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--list", "only_list", is_flag=True, help="List the patches, one a line, and render nothing.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("patches"),
    metavar="DIR",
    help="Directory for the files; made where it is missing (patches).",
)
@click.option("--brightness", type=NumberType(0, 1), default=0.5, metavar="NUMBER", help="0 dark to 1 bright (0.5).")
@json_option
def patches(names: tuple[str, ...], only_list: bool, out: Path, brightness: float, as_json: bool) -> None:
    """Render each patch to a WAV file of 15 s and a PNG of its spectrogram.

    NAME is part of the name of a patch or of its layer, in any case; several may be given, and without one
    all are rendered, which takes a minute. In the picture time runs from left to right over 15 s and pitch
    upwards from 30 Hz to 16 kHz, an octave everywhere the same height; lines mark each second and 100, 1000
    and 10,000 Hz. Black is 90 dB below the loudest.

    \b
    Examples:
      auralisd patches --list
      auralisd patches bells
      auralisd patches "night lead" --brightness 0.9 --out night
    """  # noqa: D301 - the backspace is click's mark for lines to leave as they are
    from auralisd.synthesis.patches import CATALOGUE

    everything = [(kind, patch) for kind, row in CATALOGUE.items() for patch in row]
    chosen = [(kind, patch) for kind, patch in everything if _is_meant(names, kind, patch)]
    if not chosen:
        raise click.UsageError(
            f"no patch or layer is called {' or '.join(names)}; auralisd patches --list has them all"
        )
    if as_json:
        rows = [{"layer": kind, "name": patch.name, "character": patch.character} for kind, patch in chosen]
        click.echo(json.dumps(rows, indent=2))
    elif only_list:
        for kind, patch in chosen:
            click.echo(f"{kind:<11} {patch.name:<14} {patch.character}")
    else:
        _render(chosen, out, brightness)


def _is_meant(names: tuple[str, ...], kind: str, patch: Patch) -> bool:
    return not names or any(name.lower() in f"{kind} {patch.name}".lower() for name in names)


def _render(chosen: list[tuple[str, Patch]], out: Path, brightness: float) -> None:
    from auralisd.synthesis.audition import AUDITION_SECONDS

    try:
        out.mkdir(parents=True, exist_ok=True)
        with progress_bar("patches", AUDITION_SECONDS * len(chosen)) as show:
            for index, (kind, patch) in enumerate(chosen):
                name = out / f"{kind}-{patch.name.lower().replace(' ', '-')}"
                _write_patch(name, patch, brightness)
                show(AUDITION_SECONDS * (index + 1))
                click.echo(f"{name}.wav  {patch.character}")
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise  # it is our own reader who has gone
        raise click.ClickException(
            f"{error.filename or out}: {error.strerror or error}; choose another --out"
        ) from error


def _write_patch(name: Path, patch: Patch, brightness: float) -> None:
    """The patch as ``name.wav``, and its spectrogram beside it as ``name.png``."""
    from auralisd.cli.spectrogram import write_spectrogram
    from auralisd.synthesis.audition import as_floats, audition

    sound = b"".join(audition(patch, brightness=brightness))
    with wave.open(str(name.with_suffix(".wav")), "wb") as file:
        file.setnchannels(CHANNELS)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(sound)
    write_spectrogram(as_floats(sound), name.with_suffix(".png"))
