"""The sounds: every patch is a frozen value that says what a note is made of; ``CATALOGUE`` has them all."""

from auralisd.synthesis.patches.choice import CATALOGUE, kind_of, patch_for, plain_version
from auralisd.synthesis.patches.patch import Envelope, Patch, Strand

__all__ = ["CATALOGUE", "Envelope", "Patch", "Strand", "kind_of", "patch_for", "plain_version"]
