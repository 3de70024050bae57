"""A real daemon for end-to-end tests."""

import pytest

from tests.live.running_daemon import running_daemon


@pytest.fixture
def daemon(tmp_path):
    """A daemon of its own for one test, from the start of its process."""
    with running_daemon(state_dir=tmp_path / "state") as started:
        started.wait_for(lambda: started.get_json("/healthz"))
        yield started


@pytest.fixture(scope="module")
def sounding_daemon(tmp_path_factory):
    """A daemon whose synthesiser is there, shared by the tests of a file."""
    with running_daemon(state_dir=tmp_path_factory.mktemp("state")) as started:
        started.wait_rendering()
        yield started
