"""What ``auralisd doctor`` looks at: one function per thing, each answering with a finding."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from auralisd.errors import AuralisError, SettingsError
from auralisd.settings import Settings, load_settings
from auralisd.settings.files import kernel_dir

DESCRIPTORS_BESIDE_CONNECTIONS: Final = 64  # files, libraries, epoll, log: measured under 40
FREE_BYTES_WANTED: Final = 50_000_000
MEMORY_BYTES_WANTED: Final = 1_000_000_000  # torch alone takes 530 MB
GOOD_CLOCKS: Final = frozenset({"tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page", "timebase"})
CLOCK_SOURCE_FILE: Final = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
ENCODERS: Final[Mapping[str, str]] = {"opus": "libopus", "mp3": "libmp3lame", "flac": "flac", "aac": "aac"}
COMFORTABLE_X_REAL_TIME: Final = 3.0
TRIED_SECONDS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what it is.
        state: ``fine``, ``warning`` (music plays, but) or ``problem`` (it would not).
        found: how it is, for a person.
        cure: what to do, None where nothing has to be done.
    """

    name: str
    state: Literal["fine", "warning", "problem"]
    found: str
    cure: str | None = None


def examine(
    flags: Mapping[str, object], *, environ: Mapping[str, str], config_file: Path | None, quick: bool
) -> Iterator[Finding]:
    """Look at one thing after the other, the quick ones first.

    Args:
        flags: what the command line gave, by field name.
        environ: the environment.
        config_file: the file ``--config`` names.
        quick: leave out what needs torch.
    """
    from auralisd.cli.output_examinations import outputs
    from auralisd.daemon.memory_room import room_bytes

    try:
        settings = load_settings(flags, environ=environ, config_file=config_file)
    except SettingsError as error:
        yield Finding(
            name="configuration", state="problem", found=str(error), cure="auralisd config --example shows every key"
        )
        settings = Settings()
    else:
        found = settings.sources.found_file if settings.sources else None
        yield Finding(name="configuration", state="fine", found=str(found or "no file, and none is needed"))
    yield state_directory(settings.state_dir)
    yield port(settings)
    yield reach(settings)
    yield codecs()
    yield descriptors(settings.max_connections)
    yield clock_source(CLOCK_SOURCE_FILE)
    yield memory(room_bytes())
    yield from outputs(settings)
    if not quick:
        yield from synthesiser(settings)


def state_directory(directory: Path) -> Finding:
    """Whether stations, presets and the token can be kept."""
    return kept_in(
        directory,
        name="state directory",
        unwritable="problem",
        option="--state-dir",
        when_full="changes will not outlive a restart",
    )


def kept_in(
    directory: Path, *, name: str, unwritable: Literal["warning", "problem"], option: str, when_full: str
) -> Finding:
    """Whether files can be kept in ``directory``, which may not be there yet, and have room.

    Args:
        directory: where they go.
        name: of the finding.
        unwritable: how bad it is if they cannot be written.
        option: what names another directory.
        when_full: what comes of a full disk.
    """
    existing = next((path for path in (directory, *directory.parents) if path.exists()), directory)
    try:
        with tempfile.TemporaryFile(dir=existing):
            free_bytes = shutil.disk_usage(existing).free
    except OSError as error:
        cure = f"make {existing} writable for this user, or name another one with {option}"
        return Finding(name=name, state=unwritable, found=f"{directory}: {error.strerror}", cure=cure)
    if free_bytes < FREE_BYTES_WANTED:
        found = f"{directory}: only {free_bytes / 1e6:.0f} MB are free there"
        return Finding(name=name, state="warning", found=found, cure=f"make room, or {when_full}")
    return Finding(name=name, state="fine", found=f"{directory}, writable")


def port(settings: Settings) -> Finding:
    """Whether the address can be listened on."""
    where = f"{settings.bind_host or 'all addresses'}, port {settings.port}"
    host = settings.bind_host or "0.0.0.0"  # noqa: S104 - closed again at once
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name == "posix":  # elsewhere this option lets two programs share a port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, settings.port))
            probe.listen(1)
    except OSError as error:
        return Finding(
            name="port", state="problem", found=f"{where}: {error.strerror or error}", cure=_port_cure(error)
        )
    return Finding(name="port", state="fine", found=f"{where}, free")


def _port_cure(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "something listens there already (this daemon itself, or systemd for it?); take another one with --port"
    if error.errno == errno.EACCES:
        return "ports below 1024 are for root; take a higher one with --port"
    return "name an address of this machine with --host"


def reach(settings: Settings) -> Finding:
    """Who can connect, and what guards the controls."""
    if settings.binds_loopback and settings.public_url is None:
        return Finding(name="reach", state="fine", found="this machine only; auralisd run --lan opens it to the house")
    token = settings.token_text
    if token is not None and len(token) < 12:
        cure = "a longer one: remove it and let `auralisd token` make it"
        return Finding(name="reach", state="warning", found="others may listen; the token can be guessed", cure=cure)
    who = "others may listen" if settings.listen_access == "open" else "others may listen with a link"
    return Finding(name="reach", state="fine", found=f"{who}; steering from elsewhere takes the token")


def codecs() -> Finding:
    """Whether PyAV's FFmpeg has every encoder."""
    import av

    missing = sorted(form for form, encoder in ENCODERS.items() if encoder not in av.codecs_available)
    if missing:
        cure = "install the av package from its wheel: pip install --force-reinstall --only-binary av av"
        return Finding(name="codecs", state="warning", found=f"cannot encode {', '.join(missing)}", cure=cure)
    return Finding(name="codecs", state="fine", found=f"{', '.join(ENCODERS)} by PyAV {av.__version__}")


def descriptors(max_connections: int) -> Finding:
    """Whether as many connections as configured can be open."""
    wanted = max_connections + DESCRIPTORS_BESIDE_CONNECTIONS
    try:
        import resource
    except ImportError:
        return Finding(name="open files", state="fine", found="not limited on this system")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        cure = f"ulimit -n {wanted}, or LimitNOFILE={wanted} in the unit, or a smaller max_connections"
        if hard == resource.RLIM_INFINITY or hard >= wanted:
            found = f"{soft} at present, {wanted} are wanted at most"
        else:
            found = f"{hard} at most, {wanted} are wanted for {max_connections} connections"
        return Finding(name="open files", state="warning", found=found, cure=cure)
    return Finding(name="open files", state="fine", found="enough" if soft == resource.RLIM_INFINITY else f"{soft}")


def clock_source(file: Path) -> Finding:
    """Whether asking for the time is cheap: the pacer does it ten times a second for each station."""
    try:
        source = file.read_text(encoding="ascii").strip()
    except OSError:
        return Finding(name="clock", state="fine", found=f"{sys.platform}'s own")
    if source not in GOOD_CLOCKS:
        cure = "packets may be sent less evenly; on a virtual machine choose its host's clock (tsc or kvm-clock)"
        return Finding(name="clock", state="warning", found=f"{source}, a slow one", cure=cure)
    return Finding(name="clock", state="fine", found=source)


def memory(available_bytes: int | None) -> Finding:
    """Whether torch fits into what the machine and our control groups have left."""
    if available_bytes is None:
        return Finding(name="memory", state="fine", found="not told by this system")
    if available_bytes < MEMORY_BYTES_WANTED:
        found = f"{available_bytes / 1e9:.1f} GB available"
        return Finding(name="memory", state="warning", found=found, cure="about 1 GB is wanted; close something large")
    return Finding(name="memory", state="fine", found=f"{available_bytes / 1e9:.1f} GB available")


def synthesiser(settings: Settings) -> Iterator[Finding]:
    """Whether torch can be loaded, and then what renders, how fast, and by what code."""
    try:
        import auralisd.synthesis.device  # noqa: F401
    except Exception as error:  # a broken installation raises whatever it likes
        found = f"torch cannot be loaded: {error}"
        yield Finding(
            name="device", state="problem", found=found, cure="uv sync --reinstall-package torch brings it anew"
        )
        return
    yield from device_and_speed(settings.device, compiled=settings.compiled_kernel)
    yield compiled_kernel(kernel_dir(os.environ), wanted=settings.compiled_kernel)


def device_and_speed(wanted: str, *, compiled: bool = False) -> Iterator[Finding]:
    """What renders, and how much faster than it is heard."""
    from auralisd.synthesis.device import choose_device

    try:
        chosen = choose_device(wanted)
        yield Finding(name="device", state="fine", found=chosen.why)
        x_real_time = measured_x_real_time(chosen.name, compiled=compiled)
    except AuralisError as error:
        yield Finding(
            name="device", state="problem", found=str(error), cure="--device auto takes the best one there is"
        )
        return
    found = f"{x_real_time:.1f} x real time on {chosen.name}, one station, one thread"
    if x_real_time < 1:
        cure = "too slow for one station; a faster device or machine is needed (auralisd devices)"
        yield Finding(name="speed", state="problem", found=found, cure=cure)
    elif x_real_time < COMFORTABLE_X_REAL_TIME:
        cure = "enough for one station as long as nothing else keeps the machine busy"
        yield Finding(name="speed", state="warning", found=found, cure=cure)
    else:
        yield Finding(name="speed", state="fine", found=found)


def compiled_kernel(directory: Path | None, *, wanted: bool) -> Finding:
    """Whether the compiled kernel is there; torch alone is slower, and nothing worse."""
    from auralisd.kernel import KernelShelf
    from auralisd.kernel.machine_code import can_compile
    from auralisd.synthesis.compiled import fill

    shelf = KernelShelf()
    if not wanted:
        found = "torch alone, as the configuration says"
    elif directory is not None and fill(shelf, directory):
        found = f"compiled for this processor, in {directory}"
    elif directory is not None and can_compile():
        found = "torch alone; the daemon compiles a faster kernel by itself soon after its first start"
    else:
        found = "torch alone; uv sync --extra kernel brings a compiler, and half the processor time"
    return Finding(name="compiled kernel", state="fine", found=found)


def measured_x_real_time(device: str, *, compiled: bool = False) -> float:
    """Seconds of music rendered per second, over the second half of a few seconds from the middle of a piece.

    The first blocks are left out: they pay for tables and for torch's own warming up.
    """
    import time

    from auralisd.cli.performance import Performance, kept_kernel, played
    from auralisd.controls import Controls
    from auralisd.units import BLOCK_FRAMES, SAMPLE_RATE_HZ, frames_to_seconds

    piece = Performance(seed=1, controls=Controls(), begin_frames=0, end_frames=2 * TRIED_SECONDS * SAMPLE_RATE_HZ)
    blocks = played(piece, device=device, shelf=kept_kernel() if compiled else None)
    warm = TRIED_SECONDS * SAMPLE_RATE_HZ // BLOCK_FRAMES
    for _ in range(warm):
        next(blocks)
    started = time.perf_counter()
    measured = sum(1 for _ in blocks)
    return frames_to_seconds(measured * BLOCK_FRAMES) / (time.perf_counter() - started)
