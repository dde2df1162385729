"""How many channels go, and which."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.structured.budget.allocation import Choice, normalized, reach, unit_of

sizes = st.lists(st.integers(1, 70), min_size=1, max_size=6)


def made(numbers, unit=1, grains=None, seed=0):
    rng = np.random.default_rng(seed)
    scores = [rng.uniform(0.1, 2.0, number) for number in numbers]
    return scores, Choice(scores, grains or [1] * len(numbers), [unit] * len(numbers))


@given(sizes, st.floats(0.0, 0.999), st.sampled_from([1, 4, 8]), st.booleans())
def test_what_stays_is_whole_units_or_all(numbers, ratio, unit, everywhere):
    _, choice = made(numbers, unit)
    gone = choice.everywhere(ratio) if everywhere else choice.layer(ratio)
    for number, lost in zip(numbers, gone, strict=True):
        stays = number - lost
        assert 0 <= lost < number or lost == 0
        assert stays % unit == 0 or stays == number
        assert stays >= min(unit, number)


@given(sizes, st.floats(0.0, 0.999))
def test_each_group_loses_its_part_to_the_nearest_channel(numbers, ratio):
    _, choice = made(numbers)
    for number, lost in zip(numbers, choice.layer(ratio), strict=True):
        assert abs(lost - ratio * number) <= 0.5 + 1e-9 or lost == number - 1


@given(sizes, st.floats(0.0, 0.999))
def test_all_together_lose_the_ratio_or_what_they_can(numbers, ratio):
    _, choice = made(numbers)
    lost, whole = int(choice.everywhere(ratio).sum()), sum(numbers)
    assert abs(lost - ratio * whole) <= 0.5 + 1e-9 or lost == whole - len(numbers)


def test_globally_the_lowest_of_their_groups_go():
    scores = [np.array([1.0, 10.0, 10.0, 10.0]), np.array([200.0, 210.0, 190.0, 200.0])]
    choice = Choice(scores, [1, 1], [1, 1])
    assert choice.everywhere(0.125).tolist() == [1, 0]
    assert [mask.tolist() for mask in choice.gone([1, 1])] == [
        [True, False, False, False],
        [False, False, True, False],
    ]


def test_what_goes_grows_with_the_ratio():
    _, choice = made([24, 64, 7, 128], unit=8)
    for counts in (choice.layer, choice.everywhere):
        found = [counts(ratio) for ratio in np.linspace(0.0, 1.0, 41)]
        assert all((after >= before).all() for before, after in itertools.pairwise(found))
        assert not found[0].any()
        assert found[-1].tolist() == [16, 56, 0, 120]


def test_wide_channels_weigh_more():
    scores = [np.ones(4), np.ones(16) * 1.0]
    choice = Choice(scores, [16, 1], [1, 1])
    assert choice.everywhere(0.4).tolist() == [2, 0]  # 32 of 80


@given(st.lists(st.integers(4, 16), min_size=2, max_size=8), st.floats(0.1, 0.7))
def test_rounding_does_not_add_up(eights, ratio):
    numbers = [8 * one for one in eights]
    _, choice = made(numbers, unit=8)
    lost = int(choice.everywhere(ratio).sum())
    assert abs(lost - ratio * sum(numbers)) <= 8  # whole units, and two of them at once


def test_those_that_are_gone_already_go_first():
    scores = [np.array([0.0, 0.0, 5.0, 1.0])]
    first = [np.array([False, False, True, False])]
    choice = Choice(scores, [1], [1], first)
    assert choice.gone([1])[0].tolist() == [False, False, True, False]


@pytest.mark.parametrize(("grain", "heads", "unit"), [(1, False, 8), (6, False, 4), (3, True, 1)])
def test_units(grain, heads, unit):
    assert unit_of(8, grain, heads) == unit


def test_scores_of_zeros_are_left_as_they_are():
    assert normalized(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]


def test_the_target_is_reached_from_below_by_as_little_as_it_can():
    _, choice = made([64, 64], unit=8)
    cost = lambda counts: (128 - int(counts.sum())) / 128  # noqa: E731
    counts, reached = reach(choice.layer, cost, 0.5)
    assert reached
    assert counts.tolist() == [32, 32]
    counts, reached = reach(choice.layer, cost, 0.01)
    assert not reached
    assert counts.tolist() == [56, 56]


@given(sizes, st.floats(0.1, 0.95), st.booleans(), st.sampled_from([1, 8]))
def test_what_fits_is_given_back(numbers, ratio, evenly, unit):
    _, choice = made(numbers, unit)
    weights = np.arange(1, len(numbers) + 1)
    sizes_ = np.array(numbers)
    limit = (1 - ratio) * float(sizes_ @ weights)
    before = choice.layer(ratio) if evenly else choice.everywhere(ratio)
    fits = lambda gone: (sizes_ - gone) @ weights <= limit  # noqa: E731
    after = choice.given_back(before, fits, evenly)
    assert (after <= before).all()
    if not fits(before):
        return
    assert fits(after)
    for number, size in enumerate(numbers):
        stays = size - after[number]
        assert stays % unit == 0 or stays == size
        one_more = after.copy()
        one_more[number] = size - min(size, stays + unit)
        if one_more[number] and (size - one_more[number]) % unit:
            one_more[number] = 0
        assert not after[number] or not fits(one_more)


def test_the_best_that_are_gone_come_back_first_or_those_of_the_emptiest():
    scores = [np.array([1.0, 2.0, 3.0, 2.0]), np.array([1.0, 1.0, 9.0, 1.0])]
    choice = Choice(scores, [1, 1], [1, 1])
    room_for_one = lambda gone: gone.sum() >= 4  # noqa: E731
    assert choice.given_back(np.array([2, 3]), room_for_one, evenly=True).tolist() == [2, 2]
    assert choice.given_back(np.array([2, 3]), room_for_one, evenly=False).tolist() == [1, 3]
