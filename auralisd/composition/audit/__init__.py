"""Reading a score as a musician would: every rule by which a piece is judged, and what becomes of each.

``judged`` takes any piece and knows nothing of how it was composed: what it finds is what is in the events.
"""

from __future__ import annotations

from typing import Final

from auralisd.composition.audit.form_rules import FORM_RULES
from auralisd.composition.audit.harmony_rules import HARMONY_RULES
from auralisd.composition.audit.layer_rules import LAYER_RULES
from auralisd.composition.audit.long_run_rules import LONG_RUN_RULES
from auralisd.composition.audit.melody_rules import MELODY_RULES
from auralisd.composition.audit.motif_rules import MOTIF_RULES
from auralisd.composition.audit.reading import Reading
from auralisd.composition.audit.rule import Finding, Rule

__all__ = ["RULES", "Finding", "Reading", "Rule", "judged", "rule_named"]

RULES: Final = (*HARMONY_RULES, *MELODY_RULES, *MOTIF_RULES, *LAYER_RULES, *FORM_RULES, *LONG_RUN_RULES)
"""Every rule, in the order of the tables that show them."""


def judged(reading: Reading) -> tuple[Finding, ...]:
    """What becomes of each of ``RULES`` in a piece."""
    return tuple(rule.judged(reading) for rule in RULES)


def rule_named(name: str) -> Rule:
    """The rule of that name; KeyError if there is none."""
    return {rule.name: rule for rule in RULES}[name]
