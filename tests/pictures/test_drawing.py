"""The pictures come out the same each time."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.pictures import look, motif_returns


def test_a_picture_is_the_same_bytes_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    for folder in (tmp_path / "once", tmp_path / "again"):
        monkeypatch.setattr(look, "FOLDER", folder)
        drawn.append(motif_returns.draw().read_bytes())
    assert drawn[0] == drawn[1]
    assert 10_000 < len(drawn[0]) < 200_000


def test_a_picture_is_kept_with_few_colours_and_no_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "FOLDER", tmp_path)
    figure, _ = look.sheet("Nothing", "An empty sheet.", height=3, rows=[1.0])
    with Image.open(look.keep(figure, "empty")) as picture:
        assert picture.mode == "P"
        assert picture.size == (14 * look.DOTS_PER_INCH, 3 * look.DOTS_PER_INCH)
        assert not {"Software", "Creation Time", "date"} & set(picture.info)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("C#m7", "C♯m7"),
        ("Bbadd9", "B♭ add9"),
        ("Fmaj7#11", "F maj7♯11"),
        ("A quartal", "A quartal"),
        ("Emadd9", "Em add9"),
    ],
)
def test_chords_are_spelled_as_musicians_write_them(name: str, shown: str) -> None:
    assert look.spelled(name) == shown
