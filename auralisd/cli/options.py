"""Options that several commands share: where the settings are, and what is to be played."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from auralisd.cli.numbers import SEED
from auralisd.composition.presets import BUILT_IN
from auralisd.controls import KEYS, LAYERS, MODES, RANGES, Controls, merge_change
from auralisd.errors import ControlsError, UnknownNameError

type Command = Callable[..., Any]

DRAWN_SEEDS: Final = 1_000_000_000  # of nine digits at most, so that a piece one liked can be asked for again

_CONTROL_HELP: Final[Mapping[str, str]] = {
    "tempo_bpm": "Beats per minute",
    "intensity": "How much happens",
    "brightness": "How high the spectrum reaches",
    "space": "Length and share of the reverb",
    "warmth": "Saturation and body",
    "melody_complexity": "How far and fast the melody moves",
    "chord_variety": "How far the harmony wanders",
    "harmonic_density": "How many notes a chord has",
    "level_db": "Programme level in dB",
}


def json_option(command: Command) -> Command:
    """``--json``, for programs that read the output."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def config_option(command: Command) -> Command:
    """``--config FILE``."""
    return click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Configuration file (TOML). Without it: $XDG_CONFIG_HOME/auralisd/config.toml, "
        "then /etc/auralisd/config.toml.",
    )(command)


def state_dir_option(command: Command) -> Command:
    """``--state-dir DIR``."""
    return click.option(
        "--state-dir",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Where stations, presets and the token are kept. Without it: $STATE_DIRECTORY, "
        "then $XDG_STATE_HOME/auralisd.",
    )(command)


def given(**flags: Any) -> dict[str, Any]:
    """The flags that were given: what was not must not outrank the environment or the file."""
    return {name: value for name, value in flags.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What ``render`` and ``compose`` are asked to play.

    Attributes:
        seed: the piece; drawn where none was given, and so has to be told.
        controls: from its first frame on.
    """

    seed: int
    controls: Controls


def piece_options(command: Command) -> Command:
    """``--seed``, ``--preset`` and one option per control."""
    for name in reversed(tuple(_CONTROL_HELP)):
        bounds = RANGES[name]
        default = getattr(Controls(), name)
        command = click.option(
            f"--{name.replace('_', '-')}",
            type=float,
            metavar="NUMBER",
            help=f"{_CONTROL_HELP[name]}, {bounds.low:g} to {bounds.high:g} ({default:g}).",
        )(command)
    command = click.option(
        "--layer",
        "layers",
        multiple=True,
        metavar="NAME=DB",
        help=f"Level of one layer, -60 to 6 dB or off, such as bells=-6 or percussion=off; "
        f"may be repeated. Layers: {', '.join(LAYERS)}.",
    )(command)
    command = click.option(
        "--night", is_flag=True, default=None, help="Grow darker and sparser over the first hour, as night falls."
    )(command)
    command = click.option("--mode", metavar="MODE", help=f"{', '.join(MODES)} ({Controls().mode}).")(command)
    command = click.option("--key", metavar="KEY", help=f"{' '.join(KEYS)} ({Controls().key}).")(command)
    command = click.option(
        "--preset",
        metavar="NAME",
        help=f"Begin with one of {', '.join(BUILT_IN)}; single options go on top.",
    )(command)
    return click.option(
        "--seed",
        type=SEED,
        metavar="N",
        help="Which piece to play, a whole number from 0. Drawn and told without it.",
    )(command)


def any_given(options: Mapping[str, Any]) -> bool:
    """Whether any of ``piece_options`` was given, be it as 0."""
    return any(value not in (None, ()) and value is not False for value in options.values())


def wanted(options: Mapping[str, Any]) -> Wanted:
    """What ``piece_options`` ask for; ``options`` holds them all, None for what was not given.

    Raises:
        ControlsError: one of them is out of range; named as the option is.
        UnknownNameError: there is no such preset.
    """
    change = given(**options)
    seed, preset = change.pop("seed", None), change.pop("preset", None)
    layers = dict(_layer(text) for text in change.pop("layers"))
    controls = Controls() if preset is None else merge_change(Controls(), built_in_preset(preset))[0]
    try:
        controls, _ = merge_change(controls, change | ({"layers": layers} if layers else {}))
    except ControlsError as error:
        layer = error.field.removeprefix("layers.")
        name = f"--layer {layer}" if layer != error.field else f"--{error.field.replace('_', '-')}"
        raise ControlsError(name, error.value, error.constraint) from error
    return Wanted(seed=secrets.randbelow(DRAWN_SEEDS) if seed is None else seed, controls=controls)


def built_in_preset(name: str) -> Mapping[str, Any]:
    """The controls of a preset that comes with the program, whatever the case of its name.

    Raises:
        UnknownNameError: there is none of that name.
    """
    by_folded_name = {known.casefold(): controls for known, controls in BUILT_IN.items()}
    if name.casefold() not in by_folded_name:
        raise UnknownNameError("preset", name, tuple(BUILT_IN))
    return by_folded_name[name.casefold()]


def _layer(text: str) -> tuple[str, float | str]:
    name, separator, level = text.partition("=")
    if not separator:
        raise click.BadParameter(f"{text!r}: NAME=DB is meant, such as bells=-6 or bells=off", param_hint="--layer")
    try:
        return name, level if level == "off" else float(level)
    except ValueError:
        raise click.BadParameter(f"{text!r}: a number of dB or off", param_hint="--layer") from None
