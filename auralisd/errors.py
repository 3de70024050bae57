"""Every exception auralisd raises on purpose: one root, fields instead of prose.

``str(error)`` is a sentence a person can act on; the fields are for programs.
"""

from __future__ import annotations

from typing import Any, Literal

type PushCause = Literal["unreachable", "refused", "taken", "rejected", "hung", "lost"]
"""No connection; a wrong password; a mount in use; another answer; a server that hangs; a connection that ended."""


class AuralisError(Exception):
    """Root of everything raised on purpose."""


class ControlsError(AuralisError):
    """A change of controls that cannot be taken; nothing was changed.

    Attributes:
        field: the control as the client named it, ``layers.bells`` for a layer.
        value: what was sent.
        constraint: what would have been accepted.
    """

    def __init__(self, field: str, value: Any, constraint: str) -> None:
        """Keep the three parts an answer needs."""
        super().__init__(f"{field} cannot be {value!r}: {constraint}")
        self.field = field
        self.value = value
        self.constraint = constraint


class SettingsError(AuralisError):
    """A setting that cannot be taken, wherever it came from.

    Attributes:
        key: the setting, as its source spells it.
        value: what was given, or None where the key itself is the fault.
        expected: what would have been accepted, or the cure.
    """

    def __init__(self, key: str, value: Any, expected: str) -> None:
        """Keep the three parts a message needs."""
        given = "" if value is None else f" = {value!r}"
        super().__init__(f"{key}{given}: {expected}")
        self.key = key
        self.value = value
        self.expected = expected


class ScoreError(AuralisError):
    """An event stream, a table or a piece of theory that contradicts itself."""


class RenderError(AuralisError):
    """The synthesiser could not produce sound (a lost device, a NaN, a bad patch).

    Attributes:
        cause: ``device_lost``, ``out_of_memory``, ``not_finite`` or ``failed``.
    """

    def __init__(self, cause: str, message: str) -> None:
        """Keep the machine-readable cause beside the sentence."""
        super().__init__(message)
        self.cause = cause


class DeviceError(AuralisError):
    """The audio device asked for is not there.

    Attributes:
        device: the name asked for.
        available: the names that would have worked.
    """

    def __init__(self, device: str, available: tuple[str, ...]) -> None:
        """Keep what was asked for and what there is."""
        super().__init__(f"no device {device!r} here; there is: {', '.join(available)}")
        self.device = device
        self.available = available


class FormatError(AuralisError):
    """An audio format nobody here can produce.

    Attributes:
        name: the format asked for.
        known: the formats there are.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        """Keep what was asked for and what there is."""
        super().__init__(f"no format {name!r}; there is: {', '.join(known)}")
        self.name = name
        self.known = known


class EncoderError(AuralisError):
    """An encoder that failed; its format is off the air until it is started again."""


class PacketError(AuralisError):
    """Bytes that are no packet of ours, or a field that does not fit one."""


class SoundFileError(AuralisError):
    """A sound file that cannot be written or read.

    Attributes:
        path: the file.
        problem: what went wrong, without the path.
    """

    def __init__(self, path: str, problem: str) -> None:
        """Keep the file and the problem apart."""
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class EventStreamError(AuralisError):
    """A line that is no event of a score.

    Attributes:
        source: where the lines come from, a file's name for instance.
        line: its number, from 1.
        expected: what should have been there.
        found: what is there instead, as JSON; empty for nothing.
    """

    def __init__(self, source: str, line: int, expected: str, found: str = "") -> None:
        """Keep the place and both sides of the difference."""
        super().__init__(f"{source}, line {line}: expected {expected}" + (f", found {found}" if found else ""))
        self.source = source
        self.line = line
        self.expected = expected
        self.found = found


class PushError(AuralisError):
    """An Icecast server that does not take the sound.

    Attributes:
        cause: what went wrong, in one word.
    """

    def __init__(self, cause: PushCause, message: str) -> None:
        """Keep the machine-readable cause beside the sentence, in which no password may be."""
        super().__init__(message)
        self.cause: PushCause = cause


class UnknownNameError(AuralisError):
    """A station or preset that does not exist.

    Attributes:
        kind: ``station`` or ``preset``.
        name: the name asked for.
        known: the names there are.
    """

    def __init__(self, kind: str, name: str, known: tuple[str, ...]) -> None:
        """Keep what was asked for and what there is."""
        there = f"there is: {', '.join(known)}" if known else "there is none at all"
        super().__init__(f"no {kind} {name!r}; {there}")
        self.kind = kind
        self.name = name
        self.known = known


class ConflictError(AuralisError):
    """A name that is taken, or something that may not be removed.

    Attributes:
        kind: ``station`` or ``preset``.
        name: the name in question.
    """

    def __init__(self, kind: str, name: str, reason: str) -> None:
        """Keep what it is about; ``reason`` completes the sentence."""
        super().__init__(f"{kind} {name!r} {reason}")
        self.kind = kind
        self.name = name


class MemoryShortError(AuralisError):
    """Something that memory has no room for just now.

    Attributes:
        kind: ``station`` or ``export``.
        wanted_bytes: what has to be free for it.
        room_bytes: what is.
    """

    def __init__(self, kind: str, *, wanted_bytes: int, room_bytes: int) -> None:
        """Keep what was asked for and what there is."""
        wanted, there = (round(count / 1e6) for count in (wanted_bytes, room_bytes))
        super().__init__(f"no memory for one more {kind}: {wanted} MB have to be free, {there} are")
        self.kind = kind
        self.wanted_bytes = wanted_bytes
        self.room_bytes = room_bytes


class StorageError(AuralisError):
    """The state file cannot be read or written.

    Attributes:
        path: the file.
        cure: what a person can do about it.
    """

    def __init__(self, path: str, problem: str, cure: str) -> None:
        """Keep the file and the cure."""
        super().__init__(f"{path}: {problem}. {cure}")
        self.path = path
        self.cure = cure


class ServiceError(AuralisError):
    """The daemon cannot be made a service of this machine, or be taken away as one.

    Attributes:
        what: the file, option or program that it is about.
        problem: what is wrong with it, without its name.
        cure: what a person can do about it.
    """

    def __init__(self, what: str, problem: str, cure: str) -> None:
        """Keep the three parts a message needs."""
        super().__init__(f"{what}: {problem}. {cure}")
        self.what = what
        self.problem = problem
        self.cure = cure


class RequestRefusedError(AuralisError):
    """A request that is not carried out, with what its client is told.

    Attributes:
        code: one of the protocol's error codes, such as ``unauthorized``.
        details: ``field``, ``value`` and ``constraint`` where one field is to blame, else empty.
        headers: what the answer carries beside the usual headers.
    """

    def __init__(
        self, code: str, message: str, *, details: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> None:
        """Keep the parts of the answer."""
        super().__init__(message)
        self.code = code
        self.details = details or {}
        self.headers = headers or {}


class HeadRefusedError(AuralisError):
    """A request whose head cannot be answered as it stands.

    Attributes:
        status: the HTTP status that says so.
        code: the protocol's error code.
        reason: what metrics count it as.
    """

    def __init__(self, status: int, code: str, message: str, *, reason: str) -> None:
        """Keep what the answer needs."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.reason = reason


class PeerGoneError(AuralisError):
    """A connection that ended before there was anything to answer."""


class WebAppError(AuralisError):
    """The web app says that it cannot start."""


class HandoverError(AuralisError):
    """The next process cannot take over; this one goes on."""

    def __init__(self, reason: str) -> None:
        """Keep the reason, part of a sentence."""
        super().__init__(reason)
        self.reason = reason


class SoakError(AuralisError):
    """The daemon cannot be run against itself here, so nothing was judged."""


class PromiseBrokenError(AuralisError):
    """A fault that was injected ended in another way than the documents say.

    Attributes:
        promised: what should have come of it.
        found: what came of it.
    """

    def __init__(self, promised: str, found: str) -> None:
        """Keep both sides."""
        super().__init__(f"{found}, where this was promised: {promised}")
        self.promised = promised
        self.found = found
