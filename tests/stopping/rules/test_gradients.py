"""Moments, evidence and disparity of gradients, against their formulas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kerasopt.stopping.rules.gradient_rules import GradientMoments, disparity, evidence, moments
from tests.conftest import examples

GRADIENTS = hnp.arrays(
    float,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6),
    elements=st.floats(-10, 10),
)


@given(GRADIENTS)
@examples(100)
def test_moments(gradients):
    given = moments(gradients)
    samples = len(gradients)
    mean = sum(gradients) / samples
    # As in the paper: (sum_i g_ik^2 - B g_k^2) / (B - 1).
    variance = ((gradients**2).sum(0) - samples * mean**2) / (samples - 1)
    assert given.samples == samples
    np.testing.assert_allclose(given.mean, mean, atol=1e-12)
    np.testing.assert_allclose(given.variance, variance, atol=1e-10)
    np.testing.assert_allclose(given.variance, np.diag(np.cov(gradients.T)), atol=1e-10)


@given(GRADIENTS)
@examples(100)
def test_evidence(gradients):
    samples, parameters = gradients.shape
    total = 0.0
    for k in range(parameters):
        column = gradients[:, k]
        mean = column.sum() / samples
        variance = ((column - mean) ** 2).sum() / (samples - 1)
        total += mean**2 / (variance + 1e-5)
    expected = 1 - samples / parameters * total
    assert evidence(moments(gradients)) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("gradients", "expected"),
    [
        # g = 2, var = 2: 1 - 2 * 4 / 2.
        ([[1.0], [3.0]], -3.0),
        # g = 0.05, var = 2.205: 1 - 2 * 0.0025 / 2.205.
        ([[-1.0], [1.1]], 1 - 0.005 / 2.205),
        ([[-1.0], [1.0]], 1.0),
        # The mean over the parameters of 4 / 2 and 0.
        ([[1.0, -1.0], [3.0, 1.0]], -1.0),
        # No gradient at all is no more than noise.
        ([[0.0, 0.0], [0.0, 0.0]], 1.0),
    ],
)
def test_evidence_by_hand(gradients, expected):
    assert evidence(moments(gradients)) == pytest.approx(expected, abs=1e-4)


def test_without_noise_the_constant_of_the_paper_keeps_it_finite():
    assert evidence(moments([[1.0], [1.0]])) == pytest.approx(1 - 2 / 1e-5)


def test_evidence_of_moments_in_single_precision():
    given = GradientMoments(np.float32([2.0]), np.float32([2.0]), 2)
    assert evidence(given) == pytest.approx(-3.0, abs=1e-4)
    assert isinstance(evidence(given), float)


@given(GRADIENTS)
@examples(100)
def test_disparity_is_the_mean_distance_of_scipy(gradients):
    distance = pytest.importorskip("scipy.spatial.distance")
    assert disparity(gradients) == pytest.approx(distance.pdist(gradients).mean(), abs=1e-12)


@given(GRADIENTS, st.floats(-5.0, 5.0), st.randoms(use_true_random=False))
@examples(50)
def test_disparity_knows_no_origin_and_no_order(gradients, shift, random):
    order = list(range(len(gradients)))
    random.shuffle(order)
    assert disparity(gradients[order] + shift) == pytest.approx(disparity(gradients), abs=1e-9)


@pytest.mark.parametrize(
    ("gradients", "expected"),
    [
        ([[0.0, 0.0], [3.0, 4.0]], 5.0),
        ([[1.0], [1.0], [1.0]], 0.0),
        # Distances 1, 3 and 2.
        ([[0.0], [1.0], [3.0]], 2.0),
    ],
)
def test_disparity_by_hand(gradients, expected):
    assert disparity(gradients) == expected


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_disparity_of_a_narrow_type(kind):
    # The squares must not leave the type's range: 255 ** 2 + 255 ** 2 > 65504.
    gradients = np.array([[0, 0, 0], [255, 255, 255]], kind)
    assert disparity(gradients) == pytest.approx(255 * 3**0.5, rel=1e-6)


@pytest.mark.parametrize("shape", [(3,), (1, 3), (0, 3), (2, 3, 4), ()])
@pytest.mark.parametrize("function", [moments, disparity])
def test_wrong_shapes(function, shape):
    with pytest.raises(ValueError, match=r"shape \(.* >= 2, parameters\).*Received: shape"):
        function(np.zeros(shape))
