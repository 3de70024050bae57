"""Counters, gauges and histograms of one daemon, for Prometheus and as plain JSON.

Every ``Metrics`` has a registry of its own, so two daemons in one process (or two
tests) never share a number. Labels come from closed sets; whatever is not in the set
is counted as ``other``, so that no client can grow the memory of the daemon.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric

from auralisd.units import frames_to_seconds

FORMS: Final = frozenset(
    {"http.opus", "http.mp3", "http.flac", "http.aac", "http.wav"}
    | {"push.mp3", "push.aac", "push.opus", "hls"}
    | {"ws.v1.opus", "ws.v1.pcm16", "ws.v1.state", "ws.v0.json"}
)
EVICTION_REASONS: Final = frozenset({"too_slow", "flood"})
CONNECTION_ERRORS: Final = frozenset({"request", "websocket", "accept"})
REFUSALS: Final = frozenset(
    {"bad_request", "timeout", "too_large", "misdirected", "upgrade", "full", "address_full", "not_found", "forbidden"}
    | {"uninvited", "link_expired", "link_forged", "link_elsewhere", "token_wrong", "guessing"}
)
ROLES: Final = frozenset({"composer", "renderer", "encoder", "push", "hls"})
CODECS: Final = frozenset({"opus", "mp3", "flac", "aac"})
CAUSES: Final = frozenset({"rest", "ws", "preset"})
OUTPUT_CAUSES: Final = frozenset({"unreachable", "refused", "taken", "rejected", "hung", "lost", "disk", "fault"})

_LATENESS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_RENDER_BUCKETS = (0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 1.0)
_SAVE_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
_REAL_TIME_SMOOTHING = 0.05  # one new block in twenty: about a second of programme


class Metrics:
    """All numbers of one daemon; each method is one event, said in the words of the field."""

    def __init__(self) -> None:
        """Start every number at zero."""
        self.registry = CollectorRegistry()
        self._x_real_time = 0.0
        self._output_names: frozenset[str] = frozenset()
        self._make_transport_metrics()
        self._make_sound_metrics()
        self._make_daemon_metrics()
        ProcessCollector(registry=self.registry)

    def _make_transport_metrics(self) -> None:
        at = self.registry
        self._listeners = Gauge("auralisd_listeners", "Listeners now", ["form"], registry=at)
        self._joined = Counter("auralisd_listeners_joined", "Listeners that ever joined", ["form"], registry=at)
        self._evicted = Counter("auralisd_listeners_evicted", "Listeners sent away", ["reason"], registry=at)
        self._sent = Counter("auralisd_sent_bytes", "Bytes of programme handed to the network", ["form"], registry=at)
        self._skipped = Counter("auralisd_packets_skipped", "Packets slow listeners did not get", ["form"], registry=at)
        self._lateness = Histogram(
            "auralisd_packet_lateness_seconds",
            "How long after its due time a packet had been written to everybody",
            buckets=_LATENESS_BUCKETS,
            registry=at,
        )
        self._contained = Counter(
            "auralisd_connection_errors_contained", "Faults that ended one connection only", ["where"], registry=at
        )
        self._refused = Counter("auralisd_connections_refused", "Connections turned away", ["reason"], registry=at)
        self._connections = Gauge("auralisd_connections", "Open connections", registry=at)
        self._client_underruns = Counter("auralisd_client_underruns", "Gaps that players reported", registry=at)

    def _make_sound_metrics(self) -> None:
        at = self.registry
        self._render = Histogram(
            "auralisd_render_block_seconds", "Time to render 100 ms of sound", buckets=_RENDER_BUCKETS, registry=at
        )
        self._real_time = Gauge("auralisd_x_real_time", "Seconds of sound per second of rendering, lately", registry=at)
        self._slack = Gauge(
            "auralisd_deadline_slack_seconds", "How long before it was due sound was ready", registry=at
        )
        self._reserve = Gauge("auralisd_reserve_seconds", "How far ahead of the air the renderer works", registry=at)
        self._underruns = Counter("auralisd_underruns", "Times the renderer was too late", registry=at)
        self._bed = Counter("auralisd_bed_seconds", "Seconds of stand-in sound on the air", registry=at)
        self._shed = Gauge(
            "auralisd_quality_steps_shed", "Steps of quality given up to keep time, of all stations", registry=at
        )
        self._encoder_failures = Counter("auralisd_encoder_failures", "Encoders that failed", ["codec"], registry=at)
        self._changes = Counter("auralisd_control_changes", "Changes of controls taken", ["cause"], registry=at)

    def _make_daemon_metrics(self) -> None:
        at = self.registry
        self._restarts = Counter("auralisd_restarts", "Parts of a station started again", ["role"], registry=at)
        self._loop_lag = Histogram(
            "auralisd_loop_lag_seconds",
            "Length of a pass of the event loop: what a timer can be late by",
            buckets=_LATENESS_BUCKETS,
            registry=at,
        )
        self._slow_steps = Counter("auralisd_slow_steps", "Task steps that held the event loop too long", registry=at)
        self._saves = Histogram(
            "auralisd_state_save_seconds", "Time of a save of the state", buckets=_SAVE_BUCKETS, registry=at
        )
        self._save_failures = Counter("auralisd_state_save_failures", "Saves of the state that failed", registry=at)
        self._outputs = Gauge(
            "auralisd_output_up", "Whether the sound arrives where it is sent", ["output"], registry=at
        )
        self._output_starts = Counter("auralisd_output_starts", "Times an output came on", ["output"], registry=at)
        self._output_failures = Counter(
            "auralisd_output_failures", "Times an output failed", ["output", "cause"], registry=at
        )
        self._segments = Counter("auralisd_hls_segments", "Segments of HLS that were shown", registry=at)
        self._requests = Counter("auralisd_web_requests", "Requests the web side answered", ["status"], registry=at)

    # Transport and front door

    def listener_joined(self, form: str) -> None:
        """A listener of ``form`` hears the programme from now on."""
        self._listeners.labels(_bounded(form, FORMS)).inc()
        self._joined.labels(_bounded(form, FORMS)).inc()

    def listener_left(self, form: str) -> None:
        """A listener of ``form`` is gone, for whatever reason."""
        self._listeners.labels(_bounded(form, FORMS)).dec()

    def listener_evicted(self, reason: str) -> None:
        """A listener was sent away."""
        self._evicted.labels(_bounded(reason, EVICTION_REASONS)).inc()

    def sent(self, form: str, byte_count: int) -> None:
        """``byte_count`` bytes of ``form`` were handed to the network, all listeners together."""
        self._sent.labels(_bounded(form, FORMS)).inc(byte_count)

    def packets_skipped(self, form: str, count: int = 1) -> None:
        """A slow listener of ``form`` missed ``count`` packets."""
        self._skipped.labels(_bounded(form, FORMS)).inc(count)

    def packet_published(self, lateness_seconds: float) -> None:
        """A packet had been written to everybody ``lateness_seconds`` after it was due."""
        self._lateness.observe(max(0.0, lateness_seconds))

    def connection_error_contained(self, where: str) -> None:
        """A fault ended one connection and nothing else."""
        self._contained.labels(_bounded(where, CONNECTION_ERRORS)).inc()

    def connection_refused(self, reason: str) -> None:
        """A connection was turned away."""
        self._refused.labels(_bounded(reason, REFUSALS)).inc()

    def connection_opened(self) -> None:
        """One more connection is open."""
        self._connections.inc()

    def connection_closed(self) -> None:
        """One connection fewer is open."""
        self._connections.dec()

    def client_underruns(self, count: int) -> None:
        """A player reported ``count`` gaps since it last did."""
        self._client_underruns.inc(max(0, count))

    # Sound

    def blocks_rendered(self, frames: int, seconds: float, *, block_frames: int) -> None:
        """``frames`` of programme took ``seconds`` to render; counted per block of ``block_frames``."""
        blocks = max(1, frames // block_frames)
        for _ in range(blocks):
            self._render.observe(seconds / blocks)
        speed = frames_to_seconds(frames) / seconds if seconds > 0 else 0.0
        share = _REAL_TIME_SMOOTHING if self._x_real_time else 1.0
        self._x_real_time += share * (speed - self._x_real_time)
        self._real_time.set(self._x_real_time)

    def quality_changed(self, before: int, after: int) -> None:
        """A station gave up some steps of its quality, or took them back."""
        self._shed.inc(after - before)

    def deadline_slack(self, seconds: float) -> None:
        """Sound was ready ``seconds`` before it was due."""
        self._slack.set(seconds)

    def reserve(self, seconds: float) -> None:
        """How far ahead of the air a renderer works just now."""
        self._reserve.set(seconds)

    def underrun(self) -> None:
        """The renderer was too late and the bed stood in."""
        self._underruns.inc()

    def bed_played(self, seconds: float) -> None:
        """The bed was on the air for ``seconds`` more."""
        self._bed.inc(seconds)

    def encoder_failed(self, codec: str) -> None:
        """The encoder of ``codec`` failed and went off the air for a while."""
        self._encoder_failures.labels(_bounded(codec, CODECS)).inc()

    def controls_changed(self, cause: str) -> None:
        """A change of controls was taken."""
        self._changes.labels(_bounded(cause, CAUSES)).inc()

    # Daemon

    def role_restarted(self, role: str) -> None:
        """A part of a station was started again."""
        self._restarts.labels(_bounded(role, ROLES)).inc()

    def know_outputs(self, names: Iterable[str]) -> None:
        """These outputs get labels of their own."""
        self._output_names = frozenset(names)

    def output_changed(self, output: str, *, is_on: bool) -> None:
        """An output came on or went off."""
        label = _bounded(output, self._output_names)
        self._outputs.labels(label).set(is_on)
        if is_on:
            self._output_starts.labels(label).inc()

    def output_failed(self, output: str, cause: str) -> None:
        """An output failed once more."""
        self._output_failures.labels(_bounded(output, self._output_names), _bounded(cause, OUTPUT_CAUSES)).inc()

    def hls_segments_written(self, count: int) -> None:
        """As many segments of HLS were shown."""
        self._segments.inc(count)

    def count_tasks(self, tasks: Callable[[], int]) -> None:
        """Ask ``tasks`` for the number of them whenever somebody looks."""
        Gauge("auralisd_tasks", "Tasks of the event loop", registry=self.registry).set_function(tasks)

    def loop_passed(self, seconds: float) -> None:
        """The event loop took ``seconds`` for one pass."""
        self._loop_lag.observe(seconds)

    def slow_step(self) -> None:
        """A task held the event loop too long."""
        self._slow_steps.inc()

    def state_saved(self, seconds: float) -> None:
        """The state was saved in ``seconds``."""
        self._saves.observe(seconds)

    def state_save_failed(self) -> None:
        """The state could not be saved."""
        self._save_failures.inc()

    def request_answered(self, status: int) -> None:
        """The web side answered a request."""
        self._requests.labels(str(status) if 100 <= status <= 599 else "other").inc()

    # For those who look

    def exposition(self) -> bytes:
        """Everything in the Prometheus text format 0.0.4."""
        return generate_latest(self.registry)

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON: numbers, ``{label: number}``, or a histogram's count, sum, mean and quantiles."""
        return {metric.name: _as_json(metric) for metric in self.registry.collect()}


def _bounded(value: str, known: frozenset[str]) -> str:
    return value if value in known else "other"


def _as_json(metric: Metric) -> Any:
    if metric.type == "histogram":
        return _histogram_as_json(metric)
    samples = [s for s in metric.samples if not s.name.endswith("_created")]
    if len(samples) == 1 and not samples[0].labels:
        return samples[0].value
    return {",".join(s.labels.values()): s.value for s in samples}


def _histogram_as_json(metric: Metric) -> dict[str, float]:
    buckets = [(float(s.labels["le"]), s.value) for s in metric.samples if s.name.endswith("_bucket")]
    count = next(s.value for s in metric.samples if s.name.endswith("_count"))
    total = next(s.value for s in metric.samples if s.name.endswith("_sum"))
    return {
        "count": count,
        "sum": total,
        "mean": total / count if count else 0.0,
        "p50": _quantile(buckets, 0.5),
        "p99": _quantile(buckets, 0.99),
    }


def _quantile(buckets: Iterable[tuple[float, float]], share: float) -> float:
    """Interpolated within its bucket as Prometheus does; in the last one, that bucket's lower bound."""
    ordered = list(buckets)
    wanted = share * ordered[-1][1]
    if wanted == 0:
        return 0.0
    low, below = 0.0, 0.0
    for high, cumulative in ordered:
        if cumulative >= wanted:
            if high == float("inf"):
                return low
            return low + (high - low) * (wanted - below) / (cumulative - below)
        low, below = high, cumulative
    return low
