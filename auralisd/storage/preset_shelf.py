"""The presets, built in and saved, as ``station.PresetShelf`` asks for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, Protocol
from unicodedata import category

from auralisd.controls import Controls, merge_change
from auralisd.errors import ConflictError, ControlsError, UnknownNameError
from auralisd.station import Preset
from auralisd.storage.state_file import StateFile

SAVED_PRESETS_MAX: Final = 200
NAME_LENGTH_MAX: Final = 40
_UNWRITABLE: Final = ("Cc", "Cs")  # control characters and lone surrogates


class RunInWorker(Protocol):
    """Runs a plain function where waiting for the disk costs no sound."""

    def __call__[T](self, job: Callable[[], T], /) -> Awaitable[T]:
        """Wait for ``job()`` and return what it returned."""
        ...


class SavedPresetShelf:
    """Built-in presets beside those in the state file.

    All of them are in memory; the file is read when the shelf is made, and when asked to. A preset
    that cannot be written is not taken, and the ones there are stay.
    """

    def __init__(self, state: StateFile, *, built_in: Iterable[Preset], run_in_worker: RunInWorker) -> None:
        """Read the saved presets.

        Args:
            state: where presets are kept.
            built_in: those that stay, in the order they are shown.
            run_in_worker: how the file is written.
        """
        self._state = state
        self._run_in_worker = run_in_worker
        self._built_in = {preset.name.casefold(): preset for preset in built_in}
        self._saved: dict[str, Preset] = {}
        self.read_again()

    def read_again(self) -> None:
        """Read the saved presets: another process may have saved some."""
        self._saved = {
            name.casefold(): Preset(name=name, controls=controls, built_in=False)
            for name, controls in self._state.presets().items()
            if name.casefold() not in self._built_in  # a later release may have taken the name
        }

    async def all(self) -> tuple[Preset, ...]:
        """Built-in presets first, then saved ones by name."""
        return self._presets()

    async def get(self, name: str) -> Preset:
        """One preset by its name, whatever the case.

        Raises:
            UnknownNameError: there is none.
        """
        folded = name.strip().casefold()
        preset = self._built_in.get(folded) or self._saved.get(folded)
        if preset is None:
            raise self._unknown(name)
        return preset

    async def save(self, name: str, controls: Mapping[str, Any]) -> Preset:
        """Keep a preset, replacing a saved one of the same name.

        Raises:
            ConflictError: the name is a built-in one's, or the shelf is full.
            ControlsError: the name or a control is out of range.
            StorageError: it could not be written; the shelf is as before.
        """
        name = _checked_name(name)
        _, normalised = merge_change(Controls(), controls)
        folded = name.casefold()
        if folded in self._built_in:
            raise ConflictError("preset", name, "is built in and cannot be replaced")
        if folded not in self._saved and len(self._saved) >= SAVED_PRESETS_MAX:
            raise ConflictError("preset", name, f"has no room: {SAVED_PRESETS_MAX} presets are saved; delete one first")
        preset = Preset(name=name, controls=normalised, built_in=False)
        await self._run_in_worker(lambda: self._state.save_preset(name, normalised))
        self._saved[folded] = preset
        return preset

    async def delete(self, name: str) -> None:
        """Forget a saved preset.

        Raises:
            UnknownNameError: there is none.
            ConflictError: it is built in.
            StorageError: it could not be written; the shelf is as before.
        """
        folded = name.strip().casefold()
        if folded in self._built_in:
            raise ConflictError("preset", self._built_in[folded].name, "is built in and cannot be deleted")
        if folded not in self._saved:
            raise self._unknown(name)
        await self._run_in_worker(lambda: self._state.remove_preset(folded))
        self._saved.pop(folded, None)

    def _presets(self) -> tuple[Preset, ...]:
        return (*self._built_in.values(), *(self._saved[folded] for folded in sorted(self._saved)))

    def _unknown(self, name: str) -> UnknownNameError:
        return UnknownNameError("preset", name, tuple(preset.name for preset in self._presets()))


def _checked_name(name: str) -> str:
    """The name without blanks around it."""
    stripped = name.strip()
    if not 1 <= len(stripped) <= NAME_LENGTH_MAX or any(category(character) in _UNWRITABLE for character in stripped):
        raise ControlsError("name", name, f"1 to {NAME_LENGTH_MAX} characters, none of them a control character")
    return stripped
