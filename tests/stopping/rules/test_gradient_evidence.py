"""Gradient evidence as a rule."""

import math

import numpy as np
import pytest

from kerasopt.stopping import GradientEvidence, GradientMoments

SIGNAL, NOISE = [[1.0], [3.0]], [[-1.0], [1.1]]


def stops(rule, sequence):
    """Give all steps at which the rule says stop."""
    return [
        step
        for step, gradients in enumerate(sequence)
        if rule.update(step, {"sample_gradients": gradients}).stop
    ]


@pytest.mark.parametrize(
    ("patience", "sequence", "steps"),
    [
        (1, [SIGNAL, NOISE], [1]),
        (1, [NOISE], [0]),
        (2, [NOISE, SIGNAL, NOISE, NOISE, NOISE], [3, 4]),
        (3, [NOISE, NOISE, SIGNAL, NOISE, NOISE], []),
    ],
)
def test_sequences(patience, sequence, steps):
    assert stops(GradientEvidence(patience), sequence) == steps


def test_the_value_is_the_evidence():
    rule = GradientEvidence()
    assert rule.value is None
    stops(rule, [SIGNAL])
    assert rule.value == pytest.approx(-3.0, abs=1e-4)
    stops(rule, [NOISE])
    assert rule.value == pytest.approx(0.998, abs=1e-3)
    rule.reset()
    assert rule.value is None


def test_exactly_zero_is_not_above_zero():
    # 1 - 1 * 1 / (1 + 1e-5) is above 0; with the constant taken off the variance it is 0.
    below, at = (GradientMoments(np.ones(1), np.array([v]), 1) for v in (1.0, 1.0 - 1e-5))
    assert stops(GradientEvidence(), [below]) == [0]
    assert stops(GradientEvidence(), [at]) == []


def test_moments_are_as_good_as_gradients():
    signal = GradientMoments(np.array([2.0]), np.array([2.0]), 2)
    noise = GradientMoments(np.array([0.05]), np.array([2.205]), 2)
    assert stops(GradientEvidence(2), [noise, signal, NOISE, noise]) == [3]


def test_an_epoch_without_gradients_changes_nothing():
    rule = GradientEvidence(2)
    stops(rule, [NOISE])
    state = rule.get_state()
    assert not rule.update(1, {"loss": 1.0}).stop
    assert rule.get_state() == state
    assert stops(rule, [NOISE]) == [0]


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_nan_is_no_evidence():
    assert stops(GradientEvidence(), [[[math.nan], [1.0]], [[math.inf], [1.0]]]) == []


def test_an_infinite_variance_is_no_evidence():
    # As of per-sample gradients that overflowed: nothing is known about the noise.
    overflowed = GradientMoments(np.array([1.0]), np.array([math.inf]), 2)
    assert stops(GradientEvidence(), [overflowed]) == []


def test_the_reason_gives_the_evidence():
    assert GradientEvidence().update(0, {"sample_gradients": NOISE}).reason == (
        "GradientEvidence: the gradient is within the noise of its samples (evidence 0.998 > 0)"
    )


def test_wrong_gradients_are_an_error():
    with pytest.raises(ValueError, match="samples >= 2"):
        GradientEvidence().update(0, {"sample_gradients": [1.0, 2.0]})


@pytest.mark.parametrize(("patience", "error"), [(0, ValueError), (1.0, TypeError)])
def test_wrong_arguments(patience, error):
    with pytest.raises(error, match="`patience`"):
        GradientEvidence(patience)
