"""What a service may not do is said when it is installed, not found out when it fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auralisd.cli.service.doubts import doubts
from auralisd.settings import PushSettings, Settings
from tests.cli.service.written import places_below


@pytest.fixture
def said(tmp_path):
    """The doubts about settings."""
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == os.geteuid() and path.is_relative_to("/tmp") and path != Path("/tmp"):
            path.chmod(0o755)

    def about(*, cuda=False, **settings):
        usual = {"state_dir": tmp_path / "state"} | settings
        return list(doubts(Settings(**usual), places_below(tmp_path), cuda=cuda))

    return about


def test_there_are_none_about_a_configuration_that_fits(said, tmp_path):
    assert said() == []
    assert said(hls=["main"], hls_dir=tmp_path / "state" / "hls") == []


@pytest.mark.parametrize("name", ["state_dir", "hls_dir"])
def test_a_folder_that_the_service_may_not_write_to_is_named(said, name):
    (doubt,) = said(**{name: "/srv/music"})
    assert doubt.startswith(f"{name} = /srv/music")
    assert "ReadWritePaths=/srv/music" in doubt


@pytest.mark.parametrize(("key", "handed_over"), [("token_file", "token"), ("listen_key_file", "listen-key")])
def test_a_secret_that_the_account_may_not_read_is_better_handed_over(said, tmp_path, key, handed_over):
    secret = tmp_path / "mine"
    secret.write_text("a-secret-of-my-own")
    secret.chmod(0o600)
    (doubt,) = said(**{key: secret})
    assert str(tmp_path / "etc" / handed_over) in doubt
    secret.chmod(0o644)
    assert said(**{key: secret}) == []


def test_a_password_that_the_account_may_not_read_is_named(said, tmp_path):
    secret = tmp_path / "folder" / "password"
    secret.parent.mkdir(mode=0o700)
    secret.write_text("x")
    target = PushSettings(url="http://radio.example.org:8000", mount="/a.mp3", format="mp3", password_file=secret)
    (doubt,) = said(push=[target])
    assert f"password_file = {secret}" in doubt
    assert "SupplementaryGroups=" in doubt
    secret.parent.chmod(0o755)
    assert said(push=[target]) == []


def test_a_gpu_wants_its_drop_in(said):
    assert said(device="cuda:0", cuda=True) == []
    (doubt,) = said(device="cuda:0")
    assert "--cuda" in doubt
