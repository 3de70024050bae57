"""What a long table holds: spectra with random phases, after Paul Nasca's PADsynth (2004).

A harmonic tone spreads each partial over a few narrow lines, which is what several slightly detuned
oscillators sound like; a noise tone is a band of noise. The inverse transform of such a spectrum is a
seamless loop with no beginning, so that reading it costs nothing and never aliases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from auralisd.synthesis.grid import Floats

type Spectrum = npt.NDArray[np.complex128]


@dataclass(frozen=True, slots=True, kw_only=True)
class HarmonicTone:
    """Partials of a pitch, each an ensemble of three lines in some breath.

    Attributes:
        name: part of the table's identity.
        slope: amplitude of partial h is ``h ** -slope`` ...
        corner_hz: ... times a fourth-order low-pass here.
        even_db: level of the even partials relative to the odd ones.
        body_hz: centre of a broad emphasis, 0 for none.
        spread_cents: distance of the outer lines from the middle one.
        line_cents: width of a line (standard deviation).
        breath_db: noise around each partial, relative to it.
    """

    name: str
    slope: float
    corner_hz: float
    even_db: float = 0.0
    body_hz: float = 0.0
    spread_cents: float = 8.0
    line_cents: float = 1.5
    breath_db: float = -20.0

    def magnitude(self, frequency_hz: float, bins: int, bin_hz: float) -> Floats:
        """Magnitude spectrum of the tone at ``frequency_hz``: float64 ``(bins,)``."""
        places = np.arange(1, min(bins - 1, int(_REACH * self.corner_hz / bin_hz)), dtype=np.float32)
        partial_bins = np.float32(frequency_hz / bin_hz)
        partials = np.maximum(np.rint(places / partial_bins), 1.0)
        lines = ((-self.spread_cents, 0.8), (0.0, 1.0), (0.87 * self.spread_cents, 0.8))
        shape = _breath(places, partials * partial_bins) * np.float32(10.0 ** (self.breath_db / 20.0))
        for cents, weight in lines:
            centres = partials * np.float32(partial_bins * 2.0 ** (cents / 1200.0))
            shape += np.float32(weight) * _line(places, centres, self.line_cents)
        spectrum = np.zeros(bins)
        amplitudes = self._amplitudes(int(partials[-1]), frequency_hz)
        spectrum[1 : 1 + len(places)] = shape * amplitudes[partials.astype(np.int64)]
        return spectrum

    def _amplitudes(self, highest: int, frequency_hz: float) -> Floats:
        """Amplitude of partials 0 (none) to ``highest``: float64 ``(highest + 1,)``."""
        partials = np.arange(1, highest + 1, dtype=np.float64)
        centres = partials * frequency_hz
        amplitudes = partials**-self.slope / (1.0 + (centres / self.corner_hz) ** 4)
        amplitudes *= np.where(partials % 2 == 0, 10.0 ** (self.even_db / 20.0), 1.0)
        if self.body_hz:
            amplitudes *= 1.0 + 1.2 * np.exp(-((np.log2(centres / self.body_hz) / 0.9) ** 2))
        return np.concatenate(([0.0], amplitudes))


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseTone:
    """A band of noise whose place follows the pitch.

    Attributes:
        name: part of the table's identity.
        ratio: centre of the band as a multiple of the pitch.
        octaves: width of the band (standard deviation of its bell shape).
        lowest_hz: nothing below this.
    """

    name: str
    ratio: float
    octaves: float
    lowest_hz: float = 90.0

    def magnitude(self, frequency_hz: float, bins: int, bin_hz: float) -> Floats:
        """Magnitude spectrum of the band for ``frequency_hz``: float64 ``(bins,)``."""
        frequencies = np.maximum(np.arange(bins) * bin_hz, 1.0)
        distance = np.log2(frequencies / (frequency_hz * self.ratio)) / self.octaves
        low_cut = 1.0 / (1.0 + (self.lowest_hz / frequencies) ** 6)
        return np.asarray(np.exp(-0.5 * distance**2) * low_cut / np.sqrt(frequencies))


type Tone = HarmonicTone | NoiseTone


type _Bins = npt.NDArray[np.float32]

_REACH: Final = 4.5  # corner frequencies up to which partials are worth having: 52 dB down
_BREATH_CENTS: Final = 45.0
_NARROWEST_BINS: Final = 0.45


def _line(places: _Bins, centres: _Bins, width_cents: float) -> _Bins:
    """A bell round the centre that belongs to each place; its energy does not depend on its width."""
    deviation = np.maximum(centres * np.float32(2.0 ** (width_cents / 1200.0) - 1.0), np.float32(_NARROWEST_BINS))
    distance = (places - centres) / deviation
    return np.asarray(np.exp(np.float32(-0.5) * distance * distance) / np.sqrt(deviation), dtype=np.float32)


def _breath(places: _Bins, centres: _Bins) -> _Bins:
    return _line(places, centres, _BREATH_CENTS)


PAD_DARK = HarmonicTone(name="pad.dark", slope=1.35, corner_hz=1_200.0, body_hz=320.0, even_db=-2.0, breath_db=-22.0)
PAD_BRIGHT = HarmonicTone(name="pad.bright", slope=0.8, corner_hz=5_000.0, body_hz=700.0, breath_db=-15.0)
DRONE_DARK = HarmonicTone(name="drone.dark", slope=1.2, corner_hz=600.0, spread_cents=6.0, breath_db=-26.0)
DRONE_BRIGHT = HarmonicTone(name="drone.bright", slope=0.85, corner_hz=2_200.0, spread_cents=7.0, breath_db=-17.0)
CHOIR_DARK = HarmonicTone(name="choir.dark", slope=1.1, corner_hz=750.0, body_hz=430.0, spread_cents=11.0,
                          line_cents=3.0, breath_db=-16.0)  # fmt: skip
CHOIR_BRIGHT = HarmonicTone(name="choir.bright", slope=0.9, corner_hz=2_800.0, body_hz=1_050.0, spread_cents=11.0,
                            line_cents=3.0, breath_db=-14.0)  # fmt: skip
HOLLOW_DARK = HarmonicTone(name="hollow.dark", slope=1.2, corner_hz=1_100.0, even_db=-24.0, spread_cents=6.0)
HOLLOW_BRIGHT = HarmonicTone(name="hollow.bright", slope=0.9, corner_hz=3_600.0, even_db=-20.0, spread_cents=7.0)
SILK_DARK = HarmonicTone(name="silk.dark", slope=0.7, corner_hz=1_500.0, body_hz=900.0, even_db=2.0, spread_cents=12.0,
                         line_cents=2.5, breath_db=-20.0)  # fmt: skip
SILK_BRIGHT = HarmonicTone(name="silk.bright", slope=0.5, corner_hz=5_500.0, body_hz=2_400.0, spread_cents=12.0,
                           line_cents=2.5, breath_db=-16.0)  # fmt: skip
BOWED_DARK = HarmonicTone(name="bowed.dark", slope=0.9, corner_hz=700.0, body_hz=260.0, line_cents=2.5,
                          breath_db=-20.0)  # fmt: skip
BOWED_BRIGHT = HarmonicTone(name="bowed.bright", slope=0.7, corner_hz=2_600.0, body_hz=520.0, line_cents=2.5,
                            breath_db=-15.0)  # fmt: skip
BREATH = NoiseTone(name="breath", ratio=12.0, octaves=1.2, lowest_hz=400.0)
GLIMMER = NoiseTone(name="glimmer", ratio=2.0, octaves=0.16, lowest_hz=200.0)
AIR = NoiseTone(name="air", ratio=9.0, octaves=1.2, lowest_hz=300.0)
SWELL = NoiseTone(name="swell", ratio=6.0, octaves=1.1, lowest_hz=150.0)
FELT = NoiseTone(name="felt", ratio=8.0, octaves=0.8)
WIND = NoiseTone(name="wind", ratio=3.0, octaves=0.9, lowest_hz=140.0)
HUSH = NoiseTone(name="hush", ratio=24.0, octaves=0.8, lowest_hz=900.0)
CRACKLE = NoiseTone(name="crackle", ratio=5.0, octaves=0.5, lowest_hz=500.0)
SKIN = NoiseTone(name="skin", ratio=5.0, octaves=0.9)
SURF = NoiseTone(name="surf", ratio=3.5, octaves=1.2, lowest_hz=110.0)
