"""Every patch by itself: a contact sheet of spectrograms."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

from matplotlib import pyplot as plt

from auralisd.cli.spectrogram import HIGHEST_HZ, LOWEST_HZ, write_spectrogram
from auralisd.synthesis.audition import AUDITION_SECONDS, as_floats, audition
from auralisd.synthesis.patches import CATALOGUE
from tests.pictures import look

COLUMNS = 6


def draw() -> Path:
    """Draw it; returns where."""
    patches = [(kind, patch) for kind, row in CATALOGUE.items() for patch in row]
    rows = math.ceil(len(patches) / COLUMNS)
    height = 1.5 * rows + 1.0
    figure, (sheet,) = look.sheet(
        "Every patch by itself",
        f"A few notes on each, in the room and mastered, {AUDITION_SECONDS:.0f} s. Upwards pitch from 30 Hz to 16 kHz.",
        height=height,
        rows=[1.0],
    )
    sheet.axis("off")
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "patch.png"
        for index, (kind, patch) in enumerate(patches):
            write_spectrogram(as_floats(b"".join(audition(patch))), file)
            row, column = divmod(index, COLUMNS)
            place = (column / COLUMNS, 1.0 - (row + 1) / rows, 0.94 / COLUMNS, 0.8 / rows)
            axes = sheet.inset_axes(place)
            axes.imshow(plt.imread(file), aspect="auto", extent=(0.0, AUDITION_SECONDS, LOWEST_HZ, HIGHEST_HZ))
            axes.set_title(f"{patch.name} ({kind})", fontsize=8, color=look.INK, loc="left", pad=3)
            axes.axis("off")
    return look.keep(figure, "patches", colours=40)
