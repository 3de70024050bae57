"""Sockets that come from systemd: which are taken, which are refused, and who may steer through them."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from auralisd.daemon.passed_sockets import PassedSocket, only_here, refuse_unguarded, take_passed_sockets
from auralisd.daemon.supervisor import access_policy, bound
from auralisd.edge.sockets import address_words
from auralisd.errors import SettingsError
from auralisd.settings import Settings

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="sockets are passed on POSIX alone")


def environ_for(count=1, **others):
    return {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(count), "HOME": "/", **others}


@pytest.fixture
def passing():
    """Puts sockets, or files, at descriptors of their own in a row, as systemd does from 3 on; answers the first."""
    first = 200
    with contextlib.ExitStack() as stack:

        def passed(*sources):
            for descriptor, source in enumerate(sources, first):
                os.dup2(source.fileno(), descriptor, inheritable=True)
                stack.callback(close_if_open, descriptor)
                source.close()
            return first

        yield passed


def close_if_open(descriptor):
    with contextlib.suppress(OSError):
        os.close(descriptor)


@pytest.fixture
def taken(passing):
    """Passes sockets and takes them; they are closed when the test is over."""
    with contextlib.ExitStack() as stack:

        def take(*sources, **variables):
            first = passing(*sources)
            sockets = take_passed_sockets(environ_for(len(sources), **variables), first_descriptor=first)
            for one in sockets:
                stack.callback(one.listening.close)
            return sockets

        yield take


def unix_socket(path):
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()
    return listening


def test_without_the_variables_there_is_nothing_to_take():
    environ = {"HOME": "/"}
    assert take_passed_sockets(environ) == ()
    assert environ == {"HOME": "/"}


def test_every_socket_is_taken_with_its_name_and_its_address(taken, tmp_path):
    tcp = socket.create_server(("127.0.0.1", 0))
    port = tcp.getsockname()[1]
    one, other = taken(tcp, unix_socket(tmp_path / "door"), LISTEN_FDNAMES="auralisd.socket:proxy")
    assert (one.name, one.host, one.port, one.is_loopback) == ("auralisd.socket", "127.0.0.1", port, True)
    assert (other.name, other.host, other.port, other.is_loopback) == ("proxy", None, None, False)


def test_neither_variables_nor_descriptors_reach_the_children(passing):
    first = passing(socket.create_server(("127.0.0.1", 0)))
    environ = environ_for(LISTEN_FDNAMES="auralisd.socket", LISTEN_PIDFDID="7")
    (one,) = take_passed_sockets(environ, first_descriptor=first)
    assert environ == {"HOME": "/"}
    with one.listening:
        looking = f"import os\ntry: os.fstat({first})\nexcept OSError: print('not there')"
        child = subprocess.run([sys.executable, "-c", looking], close_fds=False, stdout=subprocess.PIPE, check=True)
    assert child.stdout == b"not there\n"


def test_closing_ours_leaves_the_queue_open_for_the_next_process(taken):
    kept = socket.create_server(("127.0.0.1", 0))
    with kept:
        (one,) = taken(kept.dup())
        one.listening.close()
        with socket.create_connection(kept.getsockname(), timeout=5):
            kept.accept()[0].close()


@pytest.mark.parametrize(
    ("variables", "key", "cure"),
    [
        ({"LISTEN_PID": "1"}, "LISTEN_PID", "without a shell or uv between"),
        ({"LISTEN_PID": ""}, "LISTEN_PID", "unset LISTEN_PID and LISTEN_FDS"),
        ({"LISTEN_FDS": "0"}, "LISTEN_FDS", "unset it"),
        ({"LISTEN_FDS": "-1"}, "LISTEN_FDS", "unset it"),
        ({"LISTEN_FDS": "some"}, "LISTEN_FDS", "unset it"),
        ({"LISTEN_FDS": "²"}, "LISTEN_FDS", "unset it"),
        ({"LISTEN_FDS": "65"}, "LISTEN_FDS", "from 1 to 64"),
        ({"LISTEN_FDS": "9" * 5_000}, "LISTEN_FDS", "from 1 to 64"),
        ({"LISTEN_FDNAMES": "a:b"}, "LISTEN_FDNAMES", "not 1 names"),
    ],
)
def test_variables_that_cannot_be_right_are_refused_by_name_and_not_passed_on(variables, key, cure):
    environ = environ_for(**variables)
    with pytest.raises(SettingsError, match=cure) as refused:
        take_passed_sockets(environ)
    assert refused.value.key == key
    assert environ == {"HOME": "/"}


def unconnected():
    return socket.socket()


def datagrams():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def records():
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def a_file():
    return Path(os.devnull).open()


@pytest.mark.parametrize(
    ("source", "cure"),
    [(unconnected, "Accept=no"), (datagrams, "ListenStream="), (records, "ListenStream="), (a_file, "ListenStream=")],
)
def test_what_is_no_listening_stream_socket_is_refused_with_the_cure(passing, source, cure):
    first = passing(socket.create_server(("127.0.0.1", 0)), source())
    environ = environ_for(2, LISTEN_FDNAMES="auralisd.socket:other.socket")
    with pytest.raises(SettingsError, match=cure) as refused:
        take_passed_sockets(environ, first_descriptor=first)
    assert refused.value.key == f"socket other.socket (descriptor {first + 1})"
    os.fstat(first)  # left as they were
    os.fstat(first + 1)


def test_a_descriptor_that_is_not_open_is_refused():
    with pytest.raises(SettingsError, match="Bad file descriptor"):
        take_passed_sockets(environ_for(), first_descriptor=900)


@pytest.mark.parametrize(
    ("address", "loopback"), [(("127.0.0.1", 0), True), (("127.0.0.9", 0), True), (("0.0.0.0", 0), False)]
)
def test_who_needs_the_token_is_decided_by_where_the_socket_is_bound(taken, tmp_path, address, loopback):
    passed = taken(socket.create_server(address))
    for settings in (Settings(state_dir=tmp_path), Settings(state_dir=tmp_path, host="0.0.0.0", token="secret")):
        assert only_here(passed, settings) is loopback
        assert access_policy(settings, passed).token_always_needed is not loopback


def test_one_socket_that_others_reach_is_enough_for_the_token_to_be_needed(taken, tmp_path):
    settings = Settings(state_dir=tmp_path)
    passed = taken(socket.create_server(("127.0.0.1", 0)), socket.create_server(("0.0.0.0", 0)))
    assert access_policy(settings, passed).token_always_needed


@pytest.mark.parametrize("kind", ["all addresses", "unix"])
def test_a_socket_that_others_reach_is_refused_without_a_token(taken, tmp_path, kind):
    source = unix_socket(tmp_path / "door") if kind == "unix" else socket.create_server(("0.0.0.0", 0))
    passed = taken(source, LISTEN_FDNAMES="auralisd.socket")
    refuse_unguarded(passed, Settings(state_dir=tmp_path, token="secret"))
    with pytest.raises(SettingsError, match="nothing guards the controls; set a token"):
        refuse_unguarded(passed, Settings(state_dir=tmp_path))


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
@pytest.mark.parametrize(("both", "host"), [(True, None), (False, "::")])
def test_a_socket_for_all_addresses_says_of_which_kind(both, host):
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=both) as listening:
        assert PassedSocket(name="auralisd.socket", listening=listening).host == host


@pytest.mark.skipif(sys.platform != "linux", reason="names without a file are Linux's own")
def test_a_socket_without_a_file_is_named_as_in_its_unit(tmp_path):
    name = f"auralisd-test-{os.getpid()}"
    with unix_socket("\0" + name) as without_file, unix_socket(tmp_path / "door") as with_file:
        assert address_words(without_file) == f"unix:@{name}"
        assert address_words(with_file) == f"unix:{tmp_path / 'door'}"


async def test_the_sockets_that_were_passed_are_served_and_the_configured_address_is_left_alone(taken, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as occupied:
        settings = Settings(state_dir=tmp_path, port=occupied.getsockname()[1])
        passed = taken(socket.create_server(("127.0.0.1", 0)))
        address = passed[0].listening.getsockname()
        (listener,) = await bound(settings, passed)
        async with listener:
            assert listener.socket.getsockname() == address
