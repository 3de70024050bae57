"""A gain that goes in straight lines of dB from one decision to the next."""

from __future__ import annotations

import numpy as np

from auralisd.synthesis.grid import Floats


class GainLine:
    """Where a gain is and where it goes; 0 dB to begin with.

    A turn is clipped, not added up: once the wanted gain is reached, it is the same whatever way it came.
    """

    def __init__(self, *, over_frames: int) -> None:
        """Each turn takes ``over_frames``."""
        self._over_frames = over_frames
        self._from_db = 0.0
        self._turned_at = 0
        self.to_db = 0.0

    def turn(self, wanted_db: float, *, most_db: float, at_frames: int) -> None:
        """Go from absolute frame ``at_frames`` on towards ``wanted_db``, by ``most_db`` at the most."""
        self._from_db, self._turned_at = self.to_db, at_frames
        self.to_db = float(min(max(wanted_db, self.to_db - most_db), self.to_db + most_db))

    def gains(self, points: Floats) -> Floats:
        """Linear gain at absolute frames ``points``."""
        share = np.clip((points - self._turned_at) / self._over_frames, 0.0, 1.0)
        return np.asarray(10.0 ** ((self._from_db + (self.to_db - self._from_db) * share) / 20.0))
