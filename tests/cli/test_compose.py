"""The score as a file, without a sound and without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import mido
import pytest

from auralisd.cli import compose
from auralisd.cli.length import FRAMES
from auralisd.units import SAMPLE_RATE_HZ


def composed(command, *argv):
    done = command("compose", "--json", *argv)
    assert done.status == 0, done.err
    return json.loads(done.out)


def test_the_same_seed_gives_the_same_hash_and_another_seed_another(command):
    first = composed(command, "--seconds", 300, "--seed", 7)
    assert composed(command, "--seconds", 300, "--seed", 7)["sha256"] == first["sha256"]
    assert composed(command, "--seconds", 300, "--seed", 8)["sha256"] != first["sha256"]
    assert first["notes"] > 0
    assert first["seconds"] == 300


def test_a_drawn_seed_is_told(command):
    drawn = composed(command, "--seconds", 60)
    assert composed(command, "--seconds", 60, "--seed", drawn["seed"])["sha256"] == drawn["sha256"]


def test_every_control_reaches_the_score(command):
    plain = composed(command, "--seconds", 600, "--seed", 7)["sha256"]
    for option, value in (
        ("--key", "D"), ("--mode", "lydian"), ("--tempo-bpm", 90), ("--intensity", 0.9), ("--preset", "Sleep"),
        ("--melody-complexity", 1), ("--chord-variety", 1), ("--harmonic-density", 1),
    ):  # fmt: skip
        assert composed(command, "--seconds", 600, "--seed", 7, option, value)["sha256"] != plain, option


def test_events_are_json_lines_sorted_by_onset(command, home):
    file = home / "out.jsonl"
    assert command("compose", "--seconds", 120, "--seed", 7, "--events", file, "--midi", home / "out.mid").status == 0
    onsets = [json.loads(line).get("onset_frames", 0) for line in file.read_text().splitlines()]
    assert onsets == sorted(onsets)
    assert 110 < mido.MidiFile(home / "out.mid").length < 180


def test_events_go_to_standard_output_and_the_summary_out_of_their_way(command):
    done = command("compose", "--seconds", 60, "--seed", 7, "--events", "-")
    assert {json.loads(line)["kind"] for line in done.out.splitlines()} >= {"note", "chord", "section", "bar"}
    assert "sha256" in done.err


@pytest.mark.parametrize("option", ["--events", "--midi"])
def test_a_file_that_cannot_be_written_is_named_before_anything_is_composed(command, home, monkeypatch, option):
    monkeypatch.setattr(compose, "composed", lambda *_: pytest.fail("composed all the same"))
    done = command("compose", "--seconds", 60, option, home / "nowhere" / "out")
    assert done.status == 64
    assert f"there is no folder {home / 'nowhere'}" in done.err


def test_two_files_of_one_name_are_refused(command, home):
    done = command("compose", "--seconds", 60, "--events", home / "out", "--midi", home / "." / "out")
    assert done.status == 64
    assert "named twice" in done.err
    assert not (home / "out").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here is always full")
@pytest.mark.parametrize("option", ["--events", "--midi"])
def test_a_device_is_written_to_and_not_replaced(command, home, option):
    full = home / "full"
    full.symlink_to("/dev/full")
    done = command("compose", "--seconds", 60, option, full)
    assert done.status == 64
    assert done.err.endswith("cannot be written: No space left on device\n")
    assert full.is_symlink()
    assert not list(home.glob("*.part"))


def test_composing_loads_neither_torch_nor_numpy():
    script = (
        "import sys; from auralisd.cli.program import exit_status;"
        "exit_status(['compose', '--seconds', '10', '--seed', '1']);"
        "print([m for m in ('torch', 'numpy', 'trio', 'av') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1.5", 1.5), ("1:30", 90), ("2:00:00", 7200), ("0:00.5", 0.5)]
)
def test_lengths_are_seconds_or_written_as_people_write_them(text, seconds):
    assert FRAMES.convert(text, None, None) == seconds * SAMPLE_RATE_HZ


@pytest.mark.parametrize("text", ["soon", "1:2:3:4", "-1", "nan", "inf", "", "1:", "1e99"])
def test_what_is_no_length_is_wrong_usage(command, text):
    assert command("compose", "--seconds", text).status == 64


@pytest.mark.parametrize("text", ["nan", "inf", "0", "-1", "soon"])
def test_what_is_no_number_of_hours_is_wrong_usage(command, text):
    assert command("compose", "--hours", text).status == 64
