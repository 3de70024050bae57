"""A day with a restless hand at the controls: is each change heard within its tier, and does none break a rule?

``python -m tests.benchmarks.steering [--seed N] [--hours H] [--changes N]``; a day and a thousand changes
by default, which takes some minutes of one core. Each change is compared with the future as it would have
been without it; the rules are read off the events alone. Prints figures and what broke which rule.
"""

from __future__ import annotations

import argparse
import random
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from auralisd.composition import Composer
from auralisd.composition.audit import Reading
from auralisd.composition.audit import judged as judged_by_every_rule
from auralisd.composition.chords import CALM_SECONDS
from auralisd.composition.control_effects import COLLAPSE_FRAMES
from auralisd.composition.pitch import Region, region
from auralisd.composition.voicing import leads_to
from auralisd.controls import COLLAPSING_CONTROLS, KEYS, LAYERS, MODES, RANGES, SCORE_CONTROLS, Controls, merge_change
from auralisd.score import Chord, ControlChange, Note, ScoreSlice, joined
from auralisd.synthesis.ramps import ControlRamps
from auralisd.units import BLOCK_FRAMES, SAMPLE_RATE_HZ

SECOND = SAMPLE_RATE_HZ
HOUR = 3600 * SECOND
BURST = 10
TIER_SECONDS = {
    "key": 5.0,
    "mode": 5.0,
    "intensity": 3.0,
    "melody_complexity": 5.0,
    "chord_variety": 5.0,
    "harmonic_density": 5.0,
}
SOUND_CONTROLS = ("brightness", "space", "warmth", "level_db", "layers")
RELEASED = SECOND // 10
FORESIGHT = 8 * SECOND
GROUPS = {"key": {"key", "mode"}, "mode": {"key", "mode"}}
_LOWEST = ("tonic", "bass")  # a new tonic is heard in the drone and in the lowest voice of the pad


@dataclass
class Judgement:
    """What was found.

    Attributes:
        changes: how many changes there were of each control.
        worst_seconds: longest time until one was heard, by control.
        worst_answer_seconds: longest time that was answered.
        late: changes heard, or announced for, after their tier.
        violations: what broke a rule, by rule.
    """

    changes: Counter[str] = field(default_factory=Counter)
    worst_seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    worst_answer_seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    late: list[str] = field(default_factory=list)
    violations: dict[str, list[str]] = field(default_factory=dict)


def drawn_changes(seed: int, count: int, until: int) -> list[tuple[int, dict[str, Any]]]:
    """``count`` changes at any frame before ``until``; a fifth of them in bursts of ten within a second."""
    chance = random.Random(seed)
    moments = [chance.randrange(SECOND, until) for _ in range(count - count // 5)]
    for _ in range(count // 5 // BURST):
        begin = chance.randrange(SECOND, until - SECOND)
        moments += [begin + chance.randrange(SECOND) for _ in range(BURST)]
    return [(at_frames, drawn_change(chance)) for at_frames in sorted(set(moments))]


def drawn_change(chance: random.Random) -> dict[str, Any]:
    """One control, now and then key and mode together, anywhere in its range."""
    name = chance.choice(["key", "mode", "both", *sorted(RANGES), "layers", "night"])
    if name == "both":
        return {"key": chance.choice(KEYS), "mode": chance.choice(MODES)}
    if name == "key":
        return {"key": chance.choice(KEYS)}
    if name == "mode":
        return {"mode": chance.choice(MODES)}
    if name == "layers":
        return {"layers": {chance.choice(LAYERS): chance.choice(["off", 0.0, round(chance.uniform(-24, 6), 1)])}}
    if name == "night":
        return {"night": chance.random() < 0.5}
    bounds = RANGES[name]
    return {name: round(chance.uniform(bounds.low, bounds.high), 2)}


def played(seed: int, changes: Iterable[tuple[int, dict[str, Any]]], until: int) -> tuple[ScoreSlice, Judgement]:
    """The piece with all changes made while it plays, each judged when it is made."""
    composer, controls = Composer(seed=seed), Controls()
    slices, judged = [], Judgement()
    log: list[ControlChange] = []
    for at_frames, change in changes:
        slices.append(composer.advance(at_frames))
        turned, changed = merge_change(controls, change)
        different = {name: value for name, value in changed.items() if getattr(turned, name) != getattr(controls, name)}
        log.append(ControlChange(at_frames=at_frames, changed=changed, cause="rest"))
        before = composer.plan(at_frames + FORESIGHT)
        answer = composer.change(log[-1])
        after = composer.plan(at_frames + FORESIGHT)
        chord = next((c for c in reversed(before.chords) if c.onset_frames <= at_frames + 1.05 * SECOND), None)
        chord = chord or composer.sounding(at_frames)[0]  # what would sound when a flurry has settled
        for name in different:
            judged.changes[name] += 1
            heard = _heard_seconds(name, at_frames, before, after, chord, controls, turned)
            answered = (answer.get(name, at_frames) - at_frames) / SECOND
            in_a_flurry = any(
                at_frames - COLLAPSE_FRAMES < entry.at_frames and GROUPS.get(name, {name}) & entry.changed.keys()
                for entry in log[-2 * BURST : -1]
            )
            if heard is not None:
                # A flurry of one control is one gesture: what its last change adds may be too little to differ.
                heard = min(heard, answered) if in_a_flurry and name in COLLAPSING_CONTROLS else heard
                _note(judged, name, at_frames, heard, answered, change)
        controls = turned
    slices.append(composer.advance(until))
    piece = joined(slices)
    judged.violations = violations(piece)
    judged.violations["replay from the log differs"] = _replayed_differently(seed, log, piece)
    return piece, judged


def _note(judged: Judgement, name: str, at_frames: int, heard: float, answered: float, change: dict[str, Any]) -> None:
    judged.worst_seconds[name] = max(judged.worst_seconds[name], heard)
    judged.worst_answer_seconds[name] = max(judged.worst_answer_seconds[name], answered)
    if max(heard, answered) > TIER_SECONDS.get(name, 1.0 if name != "tempo_bpm" else 6.5):
        judged.late.append(f"{at_frames / SECOND:.2f} s {change}: heard after {heard:.2f} s, answered {answered:.2f} s")


def _heard_seconds(
    name: str,
    at_frames: int,
    before: ScoreSlice,
    after: ScoreSlice,
    chord: Chord | None,
    controls: Controls,
    turned: Controls,
) -> float | None:
    """How long until a change shows in the events; None where nothing has to be heard soon."""
    if name in SOUND_CONTROLS:
        return _heard_in_the_sound(controls, turned)
    if name == "night":
        return None  # it is meant not to be noticed
    if name == "tempo_bpm":
        lines = [[bar for bar in plan.bars if bar.onset_frames >= at_frames] for plan in (before, after)]
        first = min(lines[0][0].onset_frames, lines[1][0].onset_frames)
        return (first - at_frames) / SECOND if lines[0][0] != lines[1][0] else FORESIGHT / SECOND
    notes, chords = _difference(before.notes, after.notes), _difference(before.chords, after.chords)
    if name in ("key", "mode"):
        arrived = region(turned.tonic_pitch_class, turned.mode)
        assert chord is not None
        left = region(KEYS.index(chord.tonic), chord.mode)
        if left == arrived:
            return None
        new = [pitch_class for pitch_class in arrived.classes if not left.contains(pitch_class)]
        tonic = arrived.tonic if arrived.tonic != left.tonic else -1
        unheard = {(note.layer, note.onset_frames, note.pitch_midi) for note in before.notes}
        times = [
            note.onset_frames
            for note in after.notes
            if not note.unpitched and (note.layer, note.onset_frames, note.pitch_midi) not in unheard
            if not new or note.pitch_midi % 12 in new or (note.role in _LOWEST and note.pitch_midi % 12 == tonic)
        ]
    elif name in ("chord_variety", "harmonic_density"):
        times = chords + _difference(
            *([note for note in plan.notes if note.layer == "pad"] for plan in (before, after))
        )
    else:
        times = notes
    return (min(times, default=at_frames + FORESIGHT) - at_frames) / SECOND


def _difference(before: Iterable[Note | Chord], after: Iterable[Note | Chord]) -> list[int]:
    """Onsets of what is in one future and not in the other."""
    return [event.onset_frames for event in _plain(before) ^ _plain(after)]


def _plain(events: Iterable[Note | Chord]) -> set[Note | Chord]:
    return set(events)


def _heard_in_the_sound(controls: Controls, turned: Controls) -> float:
    """When the ramps have moved: one block, or never."""
    ramps = ControlRamps(controls)
    ramps.turn(turned, 0)
    ends = np.array([0.0, float(BLOCK_FRAMES)])
    values = ramps.at(ends)
    every = (values.brightness, values.space, values.warmth, values.level_gain, *values.layer_gains)
    moved = any(value[0] != value[1] for value in every)
    return BLOCK_FRAMES / SECOND if moved else float("inf")


def _replayed_differently(seed: int, log: list[ControlChange], piece: ScoreSlice) -> list[str]:
    """Ten minutes from three places, composed cold from the log, against what was played."""
    found = []
    for share in (0.31, 0.62, 0.93):
        start = int(piece.end_frames * share)
        until = min(start + 600 * SECOND, piece.end_frames)
        cold = joined([Composer(seed=seed, log=log, start_frames=start).advance(until)])
        live = [note for note in piece.notes if start <= note.onset_frames < until - 200 * SECOND]
        if [note for note in cold.notes if note.onset_frames < until - 200 * SECOND] != live:
            found.append(f"from {start / HOUR:.2f} h")
    return found


# The rules


def violations(piece: ScoreSlice) -> dict[str, list[str]]:
    """What breaks a rule: those of the audit, which knows what a control may cut short, and some stricter ones."""
    onsets = [chord.onset_frames for chord in piece.chords]
    regions = [region(KEYS.index(chord.tonic), chord.mode) for chord in piece.chords]
    pitched = [note for note in piece.notes if not note.unpitched]
    found = {
        "stranger while it sounds": list(_strangers(pitched, onsets, regions)),
        "voice over 7 semitones, or outer parallels": [
            f"{before.voicing} {after.voicing} at {after.onset_frames / SECOND:.2f} s"
            for before, after in pairwise(piece.chords)
            if not leads_to(before.voicing, after.voicing) and before.voicing != after.voicing
        ],
        "pad silent for longer than a chord": list(_pad_gaps(piece)),
    }
    for finding in judged_by_every_rule(Reading(piece, controls=Controls())):
        where = f" at {finding.at_frames / SECOND:.2f} s" if finding.at_frames is not None else ""
        found[finding.rule] = [f"{finding.figure}{where}"] if finding.passed is False else []
    return found


def _strangers(notes: list[Note], onsets: list[int], regions: list[Region]) -> Iterator[str]:
    """Notes that sound under a chord whose region lacks their pitch, for longer than a release."""
    for note in notes:
        if note.role == "neighbour":
            continue
        end = note.onset_frames + note.duration_frames
        first = max(0, bisect_right(onsets, note.onset_frames) - 1)
        for place in range(first, bisect_left(onsets, end - RELEASED)):
            if not regions[place].contains(note.pitch_midi):
                at_seconds = note.onset_frames / SECOND
                yield f"{note.layer} {note.role} {at_seconds:.2f} s, {note.pitch_midi} in {regions[place]}"
                break


def _pad_gaps(piece: ScoreSlice) -> Iterator[str]:
    """The pad may leave for a breath within a chord, never for longer than a calm chord lasts."""
    covered = 0
    for note in piece.notes:
        if note.layer == "pad":
            if note.onset_frames - covered > CALM_SECONDS[1] * SECOND:
                yield f"{covered / SECOND:.1f} to {note.onset_frames / SECOND:.1f} s"
            covered = max(covered, note.onset_frames + note.duration_frames)


def judged_pairs(seed: int) -> tuple[int, float, dict[str, list[str]]]:
    """From each of the 72 regions to each other one, at any moment and tempo: how many, the slowest, what broke."""
    chance = random.Random(seed)
    places = [(key, mode) for key in KEYS for mode in MODES]
    worst, found, count = 0.0, defaultdict(list), 0
    for start in places:
        for goal in places:
            if start == goal:
                continue
            count += 1
            at_frames = chance.randrange(5 * SECOND, 60 * SECOND)
            before = Controls(key=start[0], mode=start[1], tempo_bpm=float(chance.randrange(40, 121)))
            after, changed = merge_change(before, {"key": goal[0], "mode": goal[1]})
            composer = Composer(seed=chance.randrange(1 << 30), controls=before)
            slices = [composer.advance(at_frames)]
            unchanged = composer.plan(at_frames + FORESIGHT)
            change = ControlChange(at_frames=at_frames, changed=changed, cause="rest")
            composer.change(change)
            slices.append(composer.advance(at_frames + 15 * SECOND))
            piece = joined(slices)
            heard = _heard_seconds("key", at_frames, unchanged, piece, slices[0].chords[-1], before, after)
            worst = max(worst, heard or 0.0)
            if (heard or 0.0) > TIER_SECONDS["key"]:
                found["late"].append(f"{start} to {goal}: {heard:.2f} s")
            for rule, lines in violations(piece).items():
                if rule in VOICE_LEADING:
                    found[rule] += [f"{start} to {goal}: {line}" for line in lines]
    return count, worst, dict(found)


VOICE_LEADING = (
    "stranger while it sounds",
    "voice over 7 semitones, or outer parallels",
    "every note belongs to its mode",
    "neighbours resolve by step",
    "chords are never shifted as a block",
    "voices keep range and distance",
    "each layer keeps its register",
    "no major V leads to a minor i",
)
"""The rules that a minute of music can be judged by; shares and lengths want hours."""


def main() -> None:
    """Play the day and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--changes", type=int, default=1000)
    parser.add_argument("--pairs", action="store_true", help="instead: from each region to each other one")
    asked = parser.parse_args()
    if asked.pairs:
        count, worst, found = judged_pairs(asked.seed)
        print(f"{count} pairs of regions, the slowest heard after {worst:.2f} s")
        _print_found(found)
        return
    until = int(asked.hours * HOUR)
    piece, judged = played(asked.seed, drawn_changes(asked.seed, asked.changes, until), until)
    size = f"{len(piece.notes)} notes, {len(piece.chords)} chords"
    print(f"seed {asked.seed}, {asked.hours:g} h, {asked.changes} changes, {size}")
    print(f"{'control':<18} {'changes':>7} {'heard, worst':>13} {'answered, worst':>16} {'tier':>8}")
    for name in (*sorted(SCORE_CONTROLS), *SOUND_CONTROLS):
        tier = TIER_SECONDS.get(name)
        shown = f"{tier:.0f} s" if tier else {"tempo_bpm": "a bar", "night": "an hour"}.get(name, "a block")
        worst, answered = judged.worst_seconds.get(name, 0.0), judged.worst_answer_seconds.get(name, 0.0)
        print(f"{name:<18} {judged.changes[name]:>7} {worst:>11.2f} s {answered:>14.2f} s {shown:>8}")
    _print_found({"late": judged.late, **judged.violations})


def _print_found(found: dict[str, list[str]]) -> None:
    for rule, lines in found.items():
        print(f"{rule:<36} {len(lines)}")
        for line in lines[:8]:
            print(f"  {line}")


if __name__ == "__main__":
    main()
