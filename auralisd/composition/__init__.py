"""Composition: writes the score, in pure Python, as a function of seed, controls log and time."""

from auralisd.composition.composer import Composer

__all__ = ["Composer"]
