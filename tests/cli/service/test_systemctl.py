"""What systemctl answers is understood, and what it refuses is told in its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from auralisd.cli.service.systemctl import Systemctl
from auralisd.errors import ServiceError


@pytest.fixture
def answering(tmp_path: Path, monkeypatch):
    """A systemctl that does as a script says."""

    def answer(script: str) -> Systemctl:
        program = tmp_path / "systemctl"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        return Systemctl()

    return answer


@pytest.mark.parametrize(
    ("said", "version"),
    [("systemd 252 (252.38-1~deb12u1)", 252), ("systemd 257 (257.5)\\n+PAM", 257), ("Something else 1", None)],
)
def test_its_version_is_a_number(answering, said, version):
    assert answering(f"printf '{said}\\n'").version() == version


def test_where_there_is_none_there_is_no_version_and_nothing_can_be_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Systemctl().version() is None
    with pytest.raises(ServiceError, match="Install systemd"):
        Systemctl().tell("daemon-reload")


def test_the_state_of_a_unit_is_one_word_whatever_the_status(answering):
    assert answering("echo failed; exit 3").state("auralisd.service") == "failed"


def test_a_refusal_is_told_in_one_line_with_what_was_asked(answering):
    manager = answering("echo 'Job failed.' >&2; echo 'See the journal.' >&2; exit 1")
    with pytest.raises(ServiceError) as refused:
        manager.tell("enable", "--now", "auralisd.socket")
    assert str(refused.value) == (
        "systemctl enable --now auralisd.socket: Job failed. See the journal. journalctl -u auralisd -n 30 says more."
    )


def test_what_it_does_is_done_silently(answering, capfd):
    answering("echo noise; echo noise >&2").tell("daemon-reload")
    assert capfd.readouterr() == ("", "")


def test_one_that_never_answers_is_given_up(answering, monkeypatch):
    monkeypatch.setattr("auralisd.cli.service.systemctl.PATIENCE_SECONDS", 0.05)
    with pytest.raises(ServiceError, match="has not come back"):
        answering("exec sleep 20").tell("start", "auralisd")
