"""How the pictures look: paper, ink, one colour a layer; the same bytes whenever they are drawn."""

from __future__ import annotations

import io
import re
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
DOTS_PER_INCH = 110
PAPER = "#f6f4ef"
INK = "#1d2730"
SOFT_INK = "#5d666d"
LINE = "#dcd8cf"
ACCENT = "#1f6f63"
LAYER_COLOURS = {
    "drone": "#a8977b",
    "pad": "#8fbcae",
    "loops": "#5f86b0",
    "melody": "#17594f",
    "bells": "#cf8a3e",
    "texture": "#b9b5ab",
    "percussion": "#8c4f63",
}
MODE_COLOURS = {
    "aeolian": "#b7c5d9",
    "dorian": "#b5d1c8",
    "lydian": "#f0dca6",
    "phrygian": "#cbb8cf",
    "mixolydian": "#e8c3a9",
    "ionian": "#d8dfae",
}

mpl.rcParams.update(
    {
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "text.color": INK,
        "axes.edgecolor": LINE,
        "axes.facecolor": PAPER,
        "axes.labelcolor": SOFT_INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 10,
        "figure.facecolor": PAPER,
        "savefig.facecolor": PAPER,
        "xtick.color": SOFT_INK,
        "ytick.color": SOFT_INK,
        "xtick.major.size": 3,
        "ytick.major.size": 0,
    }
)


def sheet(title: str, words: str, *, height: float, rows: list[float]) -> tuple[Figure, list[Axes]]:
    """A figure 14 inches wide with a heading and axes stacked in the given proportions."""
    figure, axes = plt.subplots(len(rows), 1, figsize=(14, height), gridspec_kw={"height_ratios": rows}, squeeze=False)
    figure.text(0.035, 1 - 0.30 / height, title, fontsize=17, va="top")
    figure.text(0.035, 1 - 0.68 / height, words, fontsize=10.5, color=SOFT_INK, va="top")
    figure.subplots_adjust(left=0.075, right=0.975, top=1 - 1.25 / height, bottom=0.62 / height, hspace=0.3)
    return figure, list(axes[:, 0])


def keep(figure: Figure, name: str, colours: int = 255) -> Path:
    """Write the figure to the pictures' folder, with a palette of so many colours: a third of the bytes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.png"
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=DOTS_PER_INCH, format="png", metadata={"Software": None})
    plt.close(figure)
    with Image.open(drawn) as picture:
        flat = picture.convert("RGB").quantize(colours, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
        flat.save(path, optimize=True)
    return path


def clock(seconds: float) -> str:
    """ "12:30" or "1:12:30"."""
    whole = round(seconds)
    minutes = f"{whole // 60 % 60}:{whole % 60:02}" if whole < 3600 else f"{whole // 60 % 60:02}:{whole % 60:02}"
    return minutes if whole < 3600 else f"{whole // 3600}:{minutes}"


def spelled(name: str) -> str:
    """A key or a chord with its signs: "C♯m7", "B♭ add9"."""
    letter, rest = name[0], name[1:]
    if rest[:1] in ("#", "b"):
        letter, rest = letter + {"#": "♯", "b": "♭"}[rest[0]], rest[1:]
    return letter + re.sub(r"^(m?)(add|sus|maj|quartal)", r"\1 \2", rest).replace("#11", "♯11").replace("  ", " ")
