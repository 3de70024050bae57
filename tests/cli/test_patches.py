"""``auralisd patches``: a file and a picture for each sound."""

from __future__ import annotations

import json
import shutil
import subprocess
import wave

import pytest
from click.testing import CliRunner
from PIL import Image

from auralisd.cli.program import program


def run(*arguments):
    return CliRunner().invoke(program, ["patches", *arguments])


def test_the_list_has_a_line_for_each():
    answer = run("--list")
    assert answer.exit_code == 0
    assert len(answer.output.splitlines()) >= 24
    assert "Glass bell" in answer.output


def test_programs_get_the_list_as_json():
    rows = json.loads(run("--json", "bells").output)
    assert {row["layer"] for row in rows} == {"bells"}
    assert all(row["character"] for row in rows)


def test_a_patch_becomes_a_file_and_a_picture(tmp_path):
    answer = run("heart", "--out", str(tmp_path / "new"))
    assert answer.exit_code == 0, answer.output
    with wave.open(str(tmp_path / "new" / "percussion-heart.wav")) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 44_100, 15 * 44_100)
    picture = Image.open(tmp_path / "new" / "percussion-heart.png")
    assert picture.size == (901, 480)
    assert picture.convert("L").getextrema()[1] > 200


def test_the_file_plays_elsewhere(tmp_path):
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg")
    run("heart", "--out", str(tmp_path))
    command = ["ffmpeg", "-v", "error", "-i", str(tmp_path / "percussion-heart.wav"), "-f", "null", "-"]
    assert subprocess.run(command, check=True, capture_output=True).stderr == b""


def test_an_unknown_name_is_named_with_the_cure(tmp_path):
    answer = run("kazoo", "--out", str(tmp_path / "new"))
    assert answer.exit_code != 0
    assert "no patch or layer is called kazoo" in answer.output
    assert "--list" in answer.output
    assert not (tmp_path / "new").exists()


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    answer = run("heart", "--out", str(tmp_path / "file" / "below"))
    assert answer.exit_code == 1
    assert "choose another --out" in answer.output
