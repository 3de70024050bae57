"""The house's characters as presets that stay on the shelf."""

from __future__ import annotations

from auralisd.composition.presets import CHARACTERS
from auralisd.station import Preset


def house_presets() -> tuple[Preset, ...]:
    """The built-in presets, in the order they are shown."""
    return tuple(
        Preset(
            name=name,
            controls=character.controls,
            built_in=True,
            description=character.description,
            loudness_target_lufs=character.loudness_lufs,
        )
        for name, character in CHARACTERS.items()
    )
