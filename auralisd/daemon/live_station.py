"""One station as the web, the front door and its own tasks see it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import trio

from auralisd.composition import reasons
from auralisd.composition.archetypes import ARCHETYPES
from auralisd.controls import Controls
from auralisd.daemon.bed_stay import BedStay
from auralisd.daemon.continuity import Continuity
from auralisd.daemon.control_desk import ControlDesk
from auralisd.daemon.governor import Governor
from auralisd.daemon.handover.gate import Gate
from auralisd.daemon.notices import NoticeCode, notice, sentence
from auralisd.daemon.piece import REASONS_KEPT, Piece
from auralisd.daemon.reserve import Reserve
from auralisd.daemon.studio import Studio
from auralisd.score import Chord, Reason, Section, events
from auralisd.station import AppliedChange, ChordView, NowSounding, SectionView, StationState, StationSummary
from auralisd.transport.broadcast import Broadcast
from auralisd.transport.chunk import EncodedChunk
from auralisd.transport.clock import SampleClock
from auralisd.transport.encoders import EncoderBank, PassedBank
from auralisd.units import PACKET_FRAMES, SAMPLE_RATE_HZ, ceil_to_grid, frames_to_seconds, seconds_to_frames

DECIDE_AHEAD_SECONDS = 0.06  # before a packet is due: later, the encoders would have too little time for it


class LiveStation:
    """A named programme: what it is, what it plays, who listens.

    Programme positions (what listeners are told) are the piece's own frames plus
    ``piece_origin``, the programme frame at which the piece began.
    """

    def __init__(
        self,
        *,
        station_id: str,
        title: str,
        piece: Piece,
        preset: str | None,
        pinned: bool,
        epoch: int,
        position: int,
        broadcast: Broadcast,
        studio: Studio,
    ) -> None:
        """Begin at ``position`` of the programme, which is due now."""
        self.id = station_id
        self.title = title
        self.piece = piece
        self.preset = preset
        self.pinned = pinned
        self.epoch = epoch
        self.broadcast = broadcast
        self.piece_origin = 0
        self.clock = SampleClock(position=position, at_seconds=trio.current_time())
        self.continuity = Continuity(shipped_bed=studio.shipped_bed)
        self.on_air = False
        self.on_bed = False
        self.has_sounded = False  # whether live sound of this piece was heard since the station went on the air
        self.next_packet = position  # programme frame that continuity gives next
        self.render_edge = position  # programme frame the renderer has not begun
        self.rendered_until = position  # programme frame up to which packets were handed over
        self.begins_anew_at = position  # programme frame from which another instrument plays
        self.published_at = trio.current_time()
        self.rendered_ratio = 0.0  # x real time of the last job
        self.render_seconds = 0.0
        self.underruns = 0
        self.governor = Governor()
        self.reserve = Reserve()
        self.bed_stay = BedStay()
        self.lead_seconds = 0.0  # how long before it is due a packet is sent
        self.wanted_lead_seconds = 0.0  # where continuity brings the lead, a little with each packet
        self.gate = Gate()
        self.rehearsing = False  # plays to nobody, beside another process
        self.pre_roll_frames = 0  # how far before the air the next instrument begins
        self.encoders: EncoderBank | None = None  # those of now
        self.passed_bank: PassedBank | None = None  # what those to come go on with
        self.reseeded = trio.Event()
        self.removed = trio.Event()
        self._studio = studio
        self._revision = 0
        self._changed = trio.Event()
        self._pinned_changed = trio.Event()
        self._shown: object = None
        self._told: deque[Reason] = deque(maxlen=REASONS_KEPT)  # in programme frames, beside what the piece tells
        broadcast.listeners_changed = self.touch
        broadcast.begin_epoch(epoch)

    # What others ask -------------------------------------------------------------------

    @property
    def controls(self) -> Controls:
        """The controls now."""
        return self.piece.controls

    @property
    def revision(self) -> int:
        """Goes up whenever something that listeners are told of changes."""
        return self._revision

    async def wait_changed(self, seen_revision: int) -> int:
        """Return the new revision as soon as it is greater than ``seen_revision``."""
        while self._revision <= seen_revision:
            await self._changed.wait()
        return self._revision

    def touch(self) -> None:
        """Something that listeners are told of has changed."""
        self._revision += 1
        self._changed.set()
        self._changed = trio.Event()

    @property
    def state(self) -> StationState:
        """What the station does just now, in one word."""
        if self.on_air and self.on_bed:
            return "bed" if self._studio.can_render.is_set() else "warming_up"
        if self.on_air:
            return "sounding"
        return "idle" if self._studio.can_render.is_set() else "warming_up"

    def summary(self) -> StationSummary:
        """The station at this moment."""
        return StationSummary(
            id=self.id,
            title=self.title,
            seed=self.piece.seed,
            preset=self.preset,
            state=self.state,
            pinned=self.pinned,
            listeners=self.broadcast.people_count,
            epoch=self.epoch,
            position=self.live_position(),
        )

    def live_position(self) -> int:
        """The programme frame that is due now."""
        return self.clock.position_at(trio.current_time())

    def needed_seconds(self, position: int) -> float:
        """When continuity decides about the packet at ``position``, on the loop's clock."""
        return self.clock.due_seconds(position) - self.lead_seconds - DECIDE_AHEAD_SECONDS

    def now_sounding(self) -> NowSounding:
        """What is heard at the live position."""
        live = self.live_position()
        chord, following, section = self.piece.sounding(live - self.piece_origin)
        return NowSounding(
            chord=self._chord_view(chord, live),
            next_chord=self._chord_view(following, live),
            section=self._section_view(section),
        )

    def upcoming_score(self, seconds: float) -> list[dict[str, Any]]:
        """The events sounding and planned, each with ``committed``, sorted by onset."""
        live = self.live_position() - self.piece_origin
        until = live + seconds_to_frames(seconds)
        rows: list[dict[str, Any]] = []
        for part, committed in self.piece.upcoming(until):
            rows += [{**event, "committed": committed} for event in events(part) if _reaches(event, live, until)]
        for row in rows:
            key = "at_frames" if "at_frames" in row else "onset_frames"
            row[key] += self.piece_origin
        return sorted(rows, key=lambda row: int(row.get("onset_frames", row.get("at_frames", 0))))

    def why(self, limit: int) -> list[Reason]:
        """What changed lately and because of what, newest first; nothing that is not yet heard."""
        live = self.live_position()
        told = [*self._told, *self._told_by_the_piece()]
        heard = sorted((reason for reason in told if reason.position <= live), key=lambda reason: reason.position)
        return heard[::-1][:limit]

    def _told_by_the_piece(self) -> list[Reason]:
        return [replace(reason, position=reason.position + self.piece_origin) for reason in self.piece.reasons]

    def performance(self) -> Mapping[str, float]:
        """How the pipeline does, in milliseconds and ratios."""
        ahead = max(0, self.render_edge - self.live_position()) if self.on_air else 0
        return {
            "buffer_depth_ms": round(1000 * frames_to_seconds(ahead), 1),
            "synthesis_latency_ms": round(1000 * self.render_seconds, 2),
            "x_real_time": round(self.rendered_ratio, 2),
            "underruns": self.underruns,
            "quality_steps_shed": int(self.governor.quality),
        }

    # What others do --------------------------------------------------------------------

    def change_controls(self, change: Mapping[str, Any], *, cause: str, preset: str | None = None) -> AppliedChange:
        """Validate and apply a change, whole or not at all.

        Raises:
            ControlsError: nothing was changed.
        """
        before = self.controls
        controls, changed = self.piece.desk.preview(change)
        edge = self._first_frame_to_come()
        positions = self.piece.change(changed, cause=cause, render_edge=edge - self.piece_origin) if changed else {}
        if preset is not None or controls != before:
            self.preset = preset
            if preset is not None:
                begins = min(positions.values(), default=edge - self.piece_origin) + self.piece_origin
                self._told.append(Reason(position=begins, text=reasons.preset_chosen(preset), cause=cause))
        self._studio.metrics.controls_changed(cause)
        self.touch()
        return AppliedChange(
            controls=controls,
            positions={name: position + self.piece_origin for name, position in positions.items()},
            live_position=self.live_position(),
        )

    def _first_frame_to_come(self) -> int:
        """The first programme frame of this piece that nothing is rendered of and nobody has heard yet."""
        if not self.on_air:
            return ceil_to_grid(max(self.live_position(), self.piece_origin), PACKET_FRAMES)
        # While the bed stands in, the programme goes on past where the renderer stopped.
        return max(self.render_edge, self.next_packet, self.piece_origin)

    def begin_piece(self, seed: int) -> None:
        """Begin a new piece with the controls of now; a new epoch begins with it."""
        begins = ceil_to_grid(max(self.live_position(), self.render_edge), PACKET_FRAMES)
        self._told.extend(reason for reason in self._told_by_the_piece() if reason.position < begins)
        self._told.append(Reason(position=begins, text=reasons.piece_begun(seed), cause="rest"))
        self.piece = Piece(seed=seed, desk=ControlDesk(start=self.controls))
        self.piece_origin = begins
        self.has_sounded = False
        self.epoch += 1
        self.broadcast.begin_epoch(self.epoch)  # at once: no packet of it may come before its hello
        self.reseeded.set()
        self.touch()

    def announce(self, code: NoticeCode, position: int | None = None) -> None:
        """Tell everybody on a WebSocket what happens to the sound at ``position`` (or now), and keep it as a reason."""
        self.broadcast.tell(notice(code))
        heard_at = self.live_position() if position is None else position
        self._told.append(Reason(position=heard_at, text=sentence(code), cause="sound"))

    def rename(self, title: str) -> None:
        """Give the station another title."""
        self.title = title
        self.touch()

    def pin(self, pinned: bool) -> None:
        """Keep the station on the air without listeners, or no longer."""
        self.pinned = pinned
        self._pinned_changed.set()
        self._pinned_changed = trio.Event()
        self.touch()

    async def wait_wanted(self) -> None:
        """Return as soon as somebody listens or the station is pinned."""
        async with trio.open_nursery() as nursery:

            async def listened() -> None:
                await self.broadcast.wait_listeners()
                nursery.cancel_scope.cancel()

            nursery.start_soon(listened, name=f"{self.id}: listeners awaited")
            while not (self.pinned or self.rehearsing):
                await self._pinned_changed.wait()
            nursery.cancel_scope.cancel()

    @property
    def wanted(self) -> bool:
        """Whether there is a reason to sound."""
        return self.pinned or self.rehearsing or self.broadcast.listener_count > 0

    def published(self, chunk: EncodedChunk) -> None:
        """A packet went out; listeners hear of the music when the chord, section or state is a new one."""
        self.published_at = trio.current_time()
        self.on_bed = chunk.bed
        self._show_if_changed()

    def _show_if_changed(self) -> None:
        chord, following, section = self.piece.sounding(self.live_position() - self.piece_origin)
        shown = (chord and chord.index, following and following.index, section and section.index, self.state)
        if shown != self._shown:
            self._shown = shown
            self.touch()

    def _chord_view(self, chord: Chord | None, live: int) -> ChordView | None:
        if chord is None:
            return None
        position = chord.onset_frames + self.piece_origin
        return ChordView(
            name=chord.name,
            tonic=chord.tonic,
            mode=chord.mode,
            degree=chord.degree,
            quality=chord.quality,
            position=position,
            seconds_from_now=round((position - live) / SAMPLE_RATE_HZ, 2),
        )

    def _section_view(self, section: Section | None) -> SectionView | None:
        if section is None:
            return None
        return SectionView(
            archetype=section.archetype,
            words=ARCHETYPES[section.archetype].words,
            position=section.onset_frames + self.piece_origin,
        )


def _reaches(event: Mapping[str, Any], begin: int, end: int) -> bool:
    onset = event.get("onset_frames", event.get("at_frames", 0))
    return bool(onset < end and onset + event.get("duration_frames", 1) > begin)
