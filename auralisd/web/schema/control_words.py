"""What each control does, in the words of the documentation."""

from __future__ import annotations

from typing import Final

CONTROL_WORDS: Final = {
    "key": "Tonic of the home region, in sharps or flats.",
    "mode": "Colour of the scale.",
    "tempo_bpm": "Beats per minute; slews.",
    "intensity": "How much happens.",
    "brightness": "How high the spectrum reaches.",
    "space": "Length and share of the reverb.",
    "warmth": "Saturation and body.",
    "melody_complexity": "How far and how fast the melody moves.",
    "chord_variety": "How far the harmony wanders.",
    "harmonic_density": "How many notes a chord has.",
    "level_db": "Programme level in dB.",
    "night": "Grows darker and sparser over an hour; off, the day is back within a minute.",
}
