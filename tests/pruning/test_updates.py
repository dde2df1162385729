"""When masks are chosen anew."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.pruning.enforcement.mask_updates import Updates


def due(updates, steps=300, stride=1):
    """Give the steps at which updates fall, looking every `stride` steps."""
    looks = [-1, *range(stride, steps, stride)]
    return [now for before, now in pairwise(looks) if updates.due(before, now)]


def test_tfmots_constant_schedule():
    updates = Updates(100, 200, 10)
    assert due(updates) == list(range(100, 201, 10))
    assert 109 not in due(updates)
    assert 111 not in due(updates)
    assert due(Updates(100, None, 10))[-1] == 290


def test_the_end_is_always_an_update():
    # tfmot's P(0 -> .8, steps 0..150) with frequency 100 ends at .770; ours at .8.
    assert due(Updates(0, 150, 100)) == [1, 100, 150]
    assert due(Updates(0, 10, 100)) == [1, 10]


def test_a_run_of_one_moment():
    assert due(Updates(5, 5, 100)) == [5]
    assert due(Updates(0, 0, 100)) == [1]


def test_several_steps_between_two_looks():
    assert due(Updates(100, 115, 10), stride=4) == [100, 112, 116]
    assert due(Updates(0, 10, 100), stride=64) == [64]


@given(st.integers(0, 100), st.integers(0, 100_000))
def test_auto_updates_at_least_twenty_times(begin, length):
    updates = Updates.every("auto", begin, begin + length)
    assert 1 <= updates.frequency <= 100
    assert length // updates.frequency >= min(20, length)


@given(
    begin=st.integers(0, 40),
    length=st.integers(0, 60),
    frequency=st.integers(1, 30),
    stride=st.integers(1, 17),
)
def test_every_point_is_met_by_the_first_look_after_it(begin, length, frequency, stride):
    updates = Updates(begin, begin + length, frequency)
    points = {*range(begin, begin + length + 1, frequency), begin + length}
    looks = range(stride, 200, stride)
    expected = sorted({min(look for look in looks if look >= point) for point in points})
    assert due(updates, 200, stride) == expected


def test_a_given_frequency():
    assert Updates.every(7, 0, 100).frequency == 7
    assert Updates.every("auto", 0, None).frequency == 100


@pytest.mark.parametrize("now", [0, 99])
def test_nothing_before_begin(now):
    assert not Updates(100, 200, 10).due(-1, now)
