"""Numbers on the command line: what is taken, and how a person hears of what is not."""

from __future__ import annotations

import click
import pytest

from auralisd.cli.numbers import SEED, NumberType, WholeNumberType
from auralisd.score import LARGEST_SEED


@pytest.mark.parametrize(("typed", "number"), [("1", 1), ("9", 9), (" 7 ", 7), (4, 4)])
def test_whole_numbers_are_taken_from_the_least_to_the_most(typed, number):
    assert WholeNumberType(1, 9).convert(typed, None, None) == number


@pytest.mark.parametrize("typed", ["0", "10", "music", "", "1.5", "nan"])
def test_what_is_no_whole_number_of_the_range_is_told_the_range(typed):
    with pytest.raises(click.BadParameter, match="a whole number from 1 to 9 is meant") as refused:
        WholeNumberType(1, 9).convert(typed, None, None)
    assert repr(typed) in refused.value.message


@pytest.mark.parametrize(("typed", "number"), [("0", 0.0), ("1", 1.0), ("0.25", 0.25), ("1e-3", 0.001)])
def test_numbers_are_taken_from_the_least_to_the_most(typed, number):
    assert NumberType(0, 1).convert(typed, None, None) == number


@pytest.mark.parametrize("typed", ["-0.1", "1.1", "soon", "nan", "inf", "-inf"])
def test_what_is_no_number_of_the_range_is_told_the_range(typed):
    with pytest.raises(click.BadParameter, match="a number from 0 to 1 is meant"):
        NumberType(0, 1).convert(typed, None, None)


def test_where_the_least_is_too_little_it_is_refused_and_what_is_just_above_it_is_taken():
    hours = NumberType(0, 72, least_is_too_little=True)
    assert hours.convert("0.001", None, None) == 0.001
    for typed in ("0", "-1", "72.5", "nan"):
        with pytest.raises(click.BadParameter, match="a number more than 0, at most 72 is meant"):
            hours.convert(typed, None, None)


def test_every_seed_of_the_protocol_is_one_and_no_other():
    assert SEED.convert(str(LARGEST_SEED), None, None) == LARGEST_SEED
    for typed in (str(LARGEST_SEED + 1), "-1"):
        with pytest.raises(click.BadParameter):
            SEED.convert(typed, None, None)
