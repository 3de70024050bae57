"""What a soak has found, for programs; the table for people is made of the same."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from auralisd.soak.hearing import Share
from auralisd.soak.judging import Level, Seen, judged
from auralisd.soak.samples import Sample
from auralisd.soak.stage import BED_SECONDS, CONTAINED, RESTARTS, UNDERRUNS, FaultRecord, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that was seen.

    Attributes:
        seed: of the music and of the plan.
        seconds: how long the music was watched.
        interrupted: whether somebody ended it early.
        levels: the service levels.
        faults: what came of each.
        outside: what listeners heard in normal service.
        inside: what they heard while faults were on.
        listeners: how many there were, one after the other.
        own_lag_seconds: the most the soak itself was late by.
        load: the highest load average of the machine over a minute, the daemon's own share included.
        processors: that it has.
        bed_seconds: how long the bed was heard outside faults.
        last_refusal: the last change that was refused outside faults; empty if none was.
        samples: the readings, thinned; seconds count from the first.
    """

    seed: int
    seconds: float
    interrupted: bool
    levels: tuple[Level, ...]
    faults: tuple[FaultRecord, ...]
    outside: Share
    inside: Share
    listeners: int
    own_lag_seconds: float
    load: float
    processors: int
    bed_seconds: float
    last_refusal: str
    samples: tuple[Sample, ...]

    @property
    def all_held(self) -> bool:
        """Whether no level was broken; what could not be judged is not broken."""
        return all(level.held is not False for level in self.levels)

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {
            "seed": self.seed,
            "seconds": round(self.seconds, 3),
            "interrupted": self.interrupted,
            "all_held": self.all_held,
            "levels": [asdict(level) for level in self.levels],
            "faults": [_fault(record) for record in self.faults],
            "heard": {"outside_faults": asdict(self.outside), "inside_faults": asdict(self.inside)},
            "listeners": self.listeners,
            "own_lag_seconds": self.own_lag_seconds,
            "load": self.load,
            "processors": self.processors,
            "bed_seconds_outside_faults": self.bed_seconds,
            "last_refusal": self.last_refusal,
            "samples": _samples(self.samples),
        }


def report_of(stage: Stage, *, seed: int, interrupted: bool) -> Report:
    """The report of what ``stage`` has seen so far."""
    return Report(
        seed=seed,
        seconds=stage.ran_seconds,
        interrupted=interrupted,
        levels=judged(seen(stage)),
        faults=tuple(stage.records.values()),
        outside=stage.hearing.outside,
        inside=stage.hearing.inside,
        listeners=stage.hearing.joined,
        own_lag_seconds=stage.own_lag_seconds,
        load=stage.load,
        processors=os.cpu_count() or 1,
        bed_seconds=stage.accounts.outside.get(BED_SECONDS, 0.0),
        last_refusal=stage.company.asked.last_failure if stage.company else "",
        samples=stage.samples.values,
    )


def seen(stage: Stage) -> Seen:
    """What the levels are judged by."""
    outside, inside = stage.accounts.outside, stage.accounts.inside
    return Seen(
        run_seconds=stage.ran_seconds,
        outside=stage.hearing.outside,
        lost_to_peers=stage.hearing.lost_to_peers,
        normal_passes=stage.accounts.normal_passes,
        hostile_passes=stage.accounts.hostile_passes,
        underruns=outside.get(UNDERRUNS, 0.0),
        restarts=outside.get(RESTARTS, 0.0),
        contained=outside.get(CONTAINED, 0.0) + inside.get(CONTAINED, 0.0),
        requests_failed=stage.company.asked.failed if stage.company else 0,
        requests=stage.company.asked.requests if stage.company else 0,
        promises_kept=sum(record.kept for record in stage.records.values()),
        promises=sum(record.times for record in stage.records.values()),
        ended_by_itself=stage.child.ended_by_itself,
        memory=stage.memory.values,
        quiet_before=stage.quiet_before,
        quiet_after=stage.quiet_after,
        rebirth=stage.rebirth,
    )


def _fault(record: FaultRecord) -> dict[str, Any]:
    return {
        "name": record.fault.name,
        "words": record.fault.words,
        "times": record.times,
        "as_promised": record.kept,
        "underruns": record.underruns,
        "last_outcome": record.last_outcome,
        "broken": record.broken,
    }


def _samples(samples: Sequence[Sample]) -> list[dict[str, Any]]:
    if not samples:
        return []
    began = samples[0].at_seconds
    return [
        {
            "seconds": round(sample.at_seconds - began, 1),
            "process": sample.process,
            "resident_bytes": sample.resident_bytes,
            "descriptors": sample.descriptors,
            "tasks": sample.tasks,
            "underruns": sample.counters.get(UNDERRUNS),
        }
        for sample in samples
    ]
