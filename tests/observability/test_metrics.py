"""Numbers with meaning, and no more of them than there are meanings."""

from __future__ import annotations

import json
import math
from typing import get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families

from auralisd.errors import PushCause
from auralisd.observability.metrics import FORMS, OUTPUT_CAUSES, Metrics
from auralisd.transport.forms import HLS_FORM, HTTP_FORMS, PUSH_FORMS, STATE_FORM, V0_FORM, WEBSOCKET_FORMS
from auralisd.transport.limits import TransportMetrics
from auralisd.units import BLOCK_FRAMES, PACKET_FRAMES


def test_two_daemons_share_no_number():
    one, other = Metrics(), Metrics()
    one.underrun()
    assert (one.as_dict()["auralisd_underruns"], other.as_dict()["auralisd_underruns"]) == (1.0, 0.0)


def test_listeners_are_counted_while_they_are_there():
    metrics = Metrics()
    for form in ("http.opus", "http.opus", "ws.v1.pcm16"):
        metrics.listener_joined(form)
    metrics.listener_left("http.opus")
    assert metrics.as_dict()["auralisd_listeners"] == {"http.opus": 1.0, "ws.v1.pcm16": 1.0}
    assert metrics.as_dict()["auralisd_listeners_joined"] == {"http.opus": 2.0, "ws.v1.pcm16": 1.0}


def test_every_form_of_the_transport_has_a_label_of_its_own():
    forms = [*HTTP_FORMS.values(), *PUSH_FORMS.values(), *WEBSOCKET_FORMS.values(), STATE_FORM, V0_FORM, HLS_FORM]
    assert {form.name for form in forms} == FORMS


def test_the_transport_can_count_here():
    counting: TransportMetrics = Metrics()
    counting.packet_published(0.003)


def test_made_up_labels_fill_no_memory():
    metrics = Metrics()
    metrics.know_outputs(["radio"])
    for number in range(1000):
        made_up = f"made up {number}"
        metrics.listener_joined(made_up)
        metrics.listener_evicted(made_up)
        metrics.sent(made_up, 1)
        metrics.packets_skipped(made_up)
        metrics.connection_error_contained(made_up)
        metrics.connection_refused(made_up)
        metrics.encoder_failed(made_up)
        metrics.controls_changed(made_up)
        metrics.role_restarted(made_up)
        metrics.request_answered(600 + number)
        metrics.output_failed("radio", made_up)
    labelled = {
        name: value for name, value in metrics.as_dict().items() if isinstance(value, dict) and "sum" not in value
    }
    assert labelled
    assert all(value in ({"other": 1000.0}, {"radio,other": 1000.0}, {}) for value in labelled.values()), labelled


def test_each_configured_output_has_a_label_and_no_other_has():
    metrics = Metrics()
    metrics.know_outputs(["radio", "hls:main"])
    for name, is_on in (("radio", False), ("radio", True), ("hls:main", False), ("nobody's", True)):
        metrics.output_changed(name, is_on=is_on)
    metrics.output_failed("radio", "lost")
    shown = metrics.as_dict()
    assert shown["auralisd_output_up"] == {"radio": 1.0, "hls:main": 0.0, "other": 1.0}
    assert shown["auralisd_output_starts"] == {"radio": 1.0, "other": 1.0}
    assert shown["auralisd_output_failures"] == {"radio,lost": 1.0}


def test_every_cause_of_a_failure_of_icecast_is_counted_by_its_name():
    assert set(get_args(PushCause.__value__)) <= OUTPUT_CAUSES


def test_lateness_is_a_histogram_whose_quantiles_lie_where_the_values_do():
    metrics = Metrics()
    for number in range(1000):
        metrics.packet_published(number / 100_000)  # 0 to 10 ms
    shown = metrics.as_dict()["auralisd_packet_lateness_seconds"]
    assert shown["count"] == 1000.0
    assert shown["mean"] == pytest.approx(0.005, rel=0.01)
    assert shown["p50"] == pytest.approx(0.005, rel=0.05)
    assert shown["p99"] == pytest.approx(0.0099, rel=0.05)


def test_what_is_later_than_the_last_bucket_is_at_least_that_late():
    metrics = Metrics()
    metrics.packet_published(60.0)
    metrics.packet_published(-1.0)
    shown = metrics.as_dict()["auralisd_packet_lateness_seconds"]
    assert shown["p99"] == 2.5
    assert shown["sum"] == 60.0


def test_rendering_speed_follows_the_last_second_and_blocks_are_counted_one_by_one():
    metrics = Metrics()

    def x_real_time():
        return metrics.registry.get_sample_value("auralisd_x_real_time")

    assert x_real_time() == 0.0
    metrics.blocks_rendered(PACKET_FRAMES, 0.01, block_frames=BLOCK_FRAMES)
    assert x_real_time() == pytest.approx(10.0)
    for _ in range(200):
        metrics.blocks_rendered(PACKET_FRAMES, 0.02, block_frames=BLOCK_FRAMES)
    assert x_real_time() == pytest.approx(5.0, rel=0.01)
    shown = metrics.as_dict()
    assert shown["auralisd_render_block_seconds"]["count"] == 201.0
    assert shown["auralisd_render_block_seconds"]["p50"] == pytest.approx(0.02, rel=0.3)
    assert shown["auralisd_x_real_time"] == x_real_time()


def test_every_event_moves_its_number():
    metrics = Metrics()
    metrics.connection_opened()
    metrics.connection_opened()
    metrics.connection_closed()
    metrics.client_underruns(3)
    metrics.client_underruns(-5)
    metrics.bed_played(0.1)
    metrics.deadline_slack(0.4)
    metrics.encoder_failed("opus")
    metrics.controls_changed("rest")
    metrics.role_restarted("renderer")
    metrics.loop_passed(0.004)
    metrics.slow_step()
    metrics.state_saved(0.002)
    metrics.state_save_failed()
    metrics.sent("http.mp3", 1500)
    shown = metrics.as_dict()
    assert shown["auralisd_connections"] == 1.0
    assert shown["auralisd_client_underruns"] == 3.0
    assert shown["auralisd_bed_seconds"] == pytest.approx(0.1)
    assert shown["auralisd_deadline_slack_seconds"] == 0.4
    assert shown["auralisd_encoder_failures"] == {"opus": 1.0}
    assert shown["auralisd_control_changes"] == {"rest": 1.0}
    assert shown["auralisd_restarts"] == {"renderer": 1.0}
    assert shown["auralisd_loop_lag_seconds"]["count"] == 1.0
    assert shown["auralisd_slow_steps"] == 1.0
    assert shown["auralisd_state_save_seconds"]["count"] == 1.0
    assert shown["auralisd_state_save_failures"] == 1.0
    assert shown["auralisd_sent_bytes"] == {"http.mp3": 1500.0}


def test_the_text_is_what_prometheus_reads_and_says_what_each_number_is():
    metrics = Metrics()
    metrics.listener_joined("ws.v1.opus")
    families = list(text_string_to_metric_families(metrics.exposition().decode()))
    ours = [family for family in families if family.name.startswith("auralisd_") and "_created" not in family.name]
    assert len(ours) > 20
    assert all(family.documentation for family in ours)
    units = ("seconds", "bytes")
    for family in ours:
        assert not any(unit in family.name and not family.name.endswith(unit) for unit in units), family.name


def test_the_json_has_no_number_that_json_has_not():
    metrics = Metrics()
    text = json.dumps(metrics.as_dict(), allow_nan=False)
    assert all(math.isfinite(value) for value in json.loads(text).values() if isinstance(value, float))
