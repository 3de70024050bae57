"""A real daemon for end-to-end tests."""

import pytest

from tests.live.running_daemon import running_daemon

SEED = 7


@pytest.fixture
def daemon(tmp_path):
    """A daemon of its own for one test, from the start of its process."""
    with running_daemon(state_dir=tmp_path / "state") as started:
        started.wait_for(lambda: started.get_json("/healthz"))
        yield started


@pytest.fixture(scope="module")
def sounding_daemon(tmp_path_factory):
    """A daemon whose synthesiser is there, shared by the tests of a file; it plays the same piece each time."""
    state_dir = tmp_path_factory.mktemp("state")
    config = state_dir.parent / "config.toml"
    config.write_text(f"seed = {SEED}\n")
    with running_daemon("--config", str(config), state_dir=state_dir) as started:
        started.wait_rendering()
        yield started
