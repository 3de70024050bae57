"""Judging a score from the command line."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest


def judged(command, *argv):
    done = command("audit", "--json", *argv)
    assert done.status in (0, 1), done.err
    found = json.loads(done.out)
    assert done.status == (0 if found["passed"] else 1)
    return found


@pytest.fixture
def stream(command, home):
    """An event stream of five minutes."""
    file = home / "piece.jsonl"
    assert command("compose", "--seconds", "5:00", "--seed", 7, "--preset", "Meditation", "--events", file).status == 0
    return file


def test_a_piece_is_composed_and_every_rule_shown(command):
    done = command("audit", "--seconds", "10:00", "--seed", 7)
    assert done.status == 0, done.out
    assert "every note belongs to its mode" in done.out
    assert "holds" in done.out
    assert "needs 90 min" in done.out
    assert "BROKEN" not in done.out
    last = done.out.splitlines()[-1]
    assert last.startswith("0:10:00 of seed 7: ")
    assert " 0 broken, " in last


def test_as_json_each_rule_has_its_bound_its_figure_and_its_verdict(command):
    found = judged(command, "--seconds", 300, "--seed", 7)
    assert (found["seed"], found["seconds"], found["passed"]) == (7, 300.0, True)
    by_name = {rule["rule"]: rule for rule in found["rules"]}
    cold = by_name["a cold start joins the same piece"]
    assert cold["passed"] is True
    assert cold["values"] == [0.0]
    assert by_name["degrees stay as varied"]["passed"] is None
    assert by_name["degrees stay as varied"]["needs"] == "8 h"
    assert by_name["voices move little"]["bound"] == "mean at most 1.5 semitones a voice"
    assert 0 < by_name["voices move little"]["values"][0] <= 1.5


def test_a_file_is_judged_like_the_piece_it_was_written_from(command, stream):
    of_file = judged(command, stream, "--preset", "Meditation")
    of_seed = judged(command, "--seconds", "5:00", "--seed", 7, "--preset", "Meditation")
    assert of_file["seed"] is None
    for here, there in zip(of_file["rules"], of_seed["rules"], strict=True):
        if there["rule"] not in ("a cold start joins the same piece", "silence is material"):
            assert here == there
    told_zero = {rule["rule"]: rule for rule in judged(command, stream, "--intensity", 0)["rules"]}
    assert told_zero["chords last their time"]["needs"] == ""
    told_nothing = {rule["rule"]: rule for rule in judged(command, stream)["rules"]}
    assert told_nothing["chords last their time"]["needs"] == "to be told the intensity"


def test_a_broken_rule_is_exit_status_1_and_says_where(command, stream):
    lines = stream.read_text().splitlines(keepends=True)
    place, chord = next((n, json.loads(line)) for n, line in enumerate(lines) if '"voicing":' in line)
    lines[place] = json.dumps(chord | {"voicing": [45, 46, 57, 64]}) + "\n"
    stream.write_text("".join(lines))
    done = command("audit", stream)
    assert done.status == 1
    row = next(line for line in done.out.splitlines() if "voices keep range and distance" in line)
    assert "BROKEN" in row
    assert row.rstrip().endswith("0:00:00")


def test_standard_input_is_a_file_too(command, stream, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(stream.read_text()))
    assert judged(command, "-")["passed"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "line 1: expected an event stream with at least one chord"),
        ('{"kind":"bar","index":0,"onset_frames":0,"tempo_bpm":60.0}\nla la\n', "line 2: expected a JSON object"),
        ("\xff\xfe\x00", "line 1: expected a JSON object"),
    ],
)
def test_a_file_that_is_no_event_stream_is_wrong_usage_and_says_which_line(command, home, content, said):
    file = home / "odd.jsonl"
    file.write_text(content, encoding="latin-1")
    done = command("audit", file)
    assert done.status == 64
    assert done.err.startswith(f"auralisd: {file}, ")
    assert said in done.err


def test_a_file_that_is_not_there_is_wrong_usage(command, home):
    done = command("audit", home / "gone.jsonl")
    assert done.status == 64
    assert "cannot be read" in done.err


@pytest.mark.parametrize(
    "argv",
    [
        ("--hours", 1, "--seconds", 60),
        ("--seconds", 0),
        ("--hours", 73),
        ("--hours", -1),
        ("x.jsonl", "--hours", 1),
        ("x.jsonl", "--seed", 1),
        ("--mode", "locrian"),
        ("--preset", "Nap"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(command, argv):
    done = command("audit", *argv)
    assert done.status == 64
    assert done.err


def test_judging_loads_neither_torch_nor_numpy():
    script = (
        "import sys; from auralisd.cli.program import exit_status;"
        "exit_status(['audit', '--seconds', '60', '--seed', '1']);"
        "print([m for m in ('torch', 'numpy', 'trio', 'av') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.splitlines()[-1] == "[]"
