"""The alert rules: Prometheus takes them, they ask for what is exported, and they fire when they should."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from auralisd.observability.metrics import Metrics

ROOT = Path(__file__).parents[2]
RULES = ROOT / "systemd/prometheus-alerts.yml"
CASES = Path(__file__).with_name("prometheus-alerts.test.yml")

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None and not os.environ.get("CI"),
    reason="needs promtool (Debian: apt-get install prometheus)",
)


def promtool(*arguments: str, folder: Path) -> str:
    done = subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_metric_that_an_alert_asks_for_is_exported():
    asked = set(re.findall(r"\bauralisd_\w+", "\n".join(re.findall(r"expr: (.*)", RULES.read_text()))))
    exported = set(re.findall(r"^# TYPE (\w+)", Metrics().exposition().decode(), re.MULTILINE))
    assert len(asked) >= 10
    assert {name.removesuffix("_bucket") for name in asked} <= exported


def test_every_alert_is_seen_to_fire():
    fires = set(re.findall(r"alertname: (\w+)\n +eval_time: \w+\n +exp_alerts:", CASES.read_text()))
    assert fires == set(re.findall(r"- alert: (\w+)", RULES.read_text()))


@needs_promtool
def test_prometheus_takes_the_rules(tmp_path):
    assert "SUCCESS" in promtool("check", "rules", str(RULES), folder=tmp_path)


@needs_promtool
def test_alerts_fire_when_they_should_and_only_then(tmp_path):
    shutil.copy(RULES, tmp_path)
    shutil.copy(CASES, tmp_path)
    assert "SUCCESS" in promtool("test", "rules", CASES.name, folder=tmp_path)
