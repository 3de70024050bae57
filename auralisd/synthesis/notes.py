"""Which notes sound: what is to come, what is on, who makes room when there are too many."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from auralisd.quality import Quality
from auralisd.score import Note, Release
from auralisd.synthesis.grid import SEGMENT_FRAMES, Chunk
from auralisd.synthesis.oscillators import TableBank, TableKey
from auralisd.synthesis.ramps import LAYER_INDEX
from auralisd.synthesis.sounding import NEVER, Arrays, SoundingNote, as_arrays, prepared, tables_of
from auralisd.units import floor_to_grid, seconds_to_frames

POLYPHONY: Final[Mapping[str, int]] = {
    "drone": 5, "pad": 18, "loops": 12, "melody": 6, "bells": 8, "texture": 6, "percussion": 6,
}  # fmt: skip
"""Most notes a layer sounds at once; the one nearest its end is faded to make room."""

FEW_SHARE: Final = 3
"""Of that polyphony a third is left, two notes at the least, where only few voices can be afforded."""

TEXTURE: Final = "texture"
STEAL_FRAMES: Final = seconds_to_frames(0.06)
JOIN_FRAMES: Final = seconds_to_frames(0.25)


@dataclass(slots=True)
class NoteBook:
    """Notes to come and notes that sound.

    Attributes:
        seed: of the station.
        bank: where tables come from.
        coming: a heap of notes handed over, by onset.
        sounding: notes that are on.
        dropped: notes that found no table free.
        quality: what of it all is sounded.
    """

    seed: int
    bank: TableBank
    coming: list[tuple[int, int, int, Note]] = field(default_factory=list)
    sounding: list[SoundingNote] = field(default_factory=list)
    dropped: int = 0
    quality: Quality = Quality.FULL
    _releases: dict[tuple[str, int], int] = field(default_factory=dict)
    _arrays: Arrays | None = None

    def accept(self, notes: Iterable[Note], releases: Iterable[Release], position: int) -> None:
        """Take notes to come, and early ends of notes taken before or with them.

        A release before ``position``, the first frame not rendered yet, is one at ``position``.
        """
        for note in notes:
            heapq.heappush(self.coming, (note.onset_frames, LAYER_INDEX[note.layer], note.note_id, note))
            for key in tables_of(note, self.seed, plain=self._plain):
                self.bank.want(key)
        self._releases = {key: at for key, at in self._releases.items() if at > position}
        for release in releases:
            self._release(release, position)

    def make_do_with(self, quality: Quality, position: int) -> None:
        """Sound more or less from ``position`` on; what has to go fades, and what may come back begins anew."""
        self.quality = quality
        if quality >= Quality.WITHOUT_TEXTURE:
            for sounding in self.sounding:
                if sounding.note.layer == TEXTURE:
                    sounding.release_at(position)
        for layer in POLYPHONY:
            while len(rivals := self._rivals(layer, position)) > self._most(layer):
                self._cut(rivals, position)
        self._arrays = None

    def begin(self, chunk: Chunk) -> Arrays | None:
        """The notes that sound in ``chunk``, those with their onset in it included; None for none."""
        before = len(self.sounding)
        self.sounding = [sounding for sounding in self.sounding if sounding.silent_frames > chunk.start]
        changed = len(self.sounding) != before
        while self.coming and self.coming[0][0] < chunk.end:
            note = heapq.heappop(self.coming)[3]
            changed = self._start(note, chunk) or changed
        self.bank.make_next(self._tables_in_use)
        if changed or self._arrays is None:
            self._arrays = as_arrays(self.sounding) if self.sounding else None
        return self._arrays

    def find_tables_again(self) -> None:
        """Place the tables of sounding notes anew, after the bank began afresh."""
        self.sounding = [sounding for sounding in self.sounding if self._place_tables(sounding)]
        self._arrays = None

    def _tables_in_use(self) -> frozenset[TableKey]:
        return frozenset(key for sounding in self.sounding for key in sounding.tables)

    def _release(self, release: Release, position: int) -> None:
        for sounding in self.sounding:
            if sounding.note.layer == release.layer and sounding.note.note_id == release.note_id:
                sounding.release_at(max(release.at_frames, position))
                self._arrays = None
                return
        self._releases[release.layer, release.note_id] = release.at_frames

    @property
    def _plain(self) -> bool:
        return self.quality >= Quality.PLAIN_VOICES

    def _most(self, layer: str) -> int:
        """Notes of a layer that may sound at once."""
        most = POLYPHONY[layer]
        return max(2, most // FEW_SHARE) if self.quality >= Quality.FEW_VOICES else most

    def _start(self, note: Note, chunk: Chunk) -> bool:
        """Begin ``note``, unless it is over already, was taken back or is left out; whether it sounds."""
        if note.layer == TEXTURE and self.quality >= Quality.WITHOUT_TEXTURE:
            return False
        sounding = prepared(note, self.seed, plain=self._plain)
        early = self._releases.pop((note.layer, note.note_id), None)
        if early is not None:
            if early <= note.onset_frames:
                return False
            sounding.release_at(early)
        if sounding.end_frames <= chunk.start:
            return False
        if note.onset_frames < chunk.start:
            sounding.joined_frames = chunk.start
        if not self._place_tables(sounding):
            self.dropped += 1
            return False
        self._make_room(note)
        self.sounding.append(sounding)
        return True

    def _place_tables(self, sounding: SoundingNote) -> bool:
        if sounding.tables:
            in_use = self._tables_in_use() | frozenset(sounding.tables)
            rows = [row for key in sounding.tables if (row := self.bank.first_row(key, in_use)) is not None]
            if len(rows) < len(sounding.tables):
                return False
            sounding.place_tables(rows)
        return True

    def _make_room(self, note: Note) -> None:
        """Fade out the note nearest its end when the layer of ``note`` is full at its onset."""
        rivals = self._rivals(note.layer, note.onset_frames)
        if len(rivals) >= self._most(note.layer):
            self._cut(rivals, note.onset_frames)

    def _rivals(self, layer: str, at_frames: int) -> list[SoundingNote]:
        """The notes of a layer that sound at ``at_frames`` and are not being faded out already."""
        return [
            sounding
            for sounding in self.sounding
            if sounding.note.layer == layer and sounding.cut_frames == NEVER and sounding.end_frames > at_frames
        ]

    @staticmethod
    def _cut(rivals: list[SoundingNote], at_frames: int) -> None:
        victim = min(rivals, key=lambda rival: (rival.end_frames, rival.note.note_id))
        victim.cut_frames = floor_to_grid(at_frames, SEGMENT_FRAMES) + STEAL_FRAMES
