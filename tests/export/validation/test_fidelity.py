"""What an output keeps about its mean and entry by entry: pure numbers."""

import json

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, r2_score

from kerasopt.export.validation.agreement import compare
from kerasopt.export.validation.fidelity import Limits, fidelity, kappa, variance_kept

RNG = np.random.default_rng(0)


def stepped(values, step):
    return np.round(values / step) * step


def test_it_is_r2_of_every_column():
    right = RNG.normal(size=(50, 4)) * [1, 10, 100, 0.1] + [1000, 0, -5, 3]
    came = right + RNG.normal(size=right.shape)
    expected = r2_score(right, came, multioutput="raw_values")
    np.testing.assert_allclose(variance_kept(right, came), expected, rtol=1e-9)
    found = fidelity(right, came)
    assert found.shares == pytest.approx(expected.tolist())
    assert found.worst.index == 3
    assert found.worst.variance == pytest.approx(expected[3])
    assert found.below(0.5) == (expected < 0.5).sum()


def test_a_mean_does_not_count():
    """The ratio in dB divides by the mean too, and calls this excellent."""
    right = 1013 + 5 * RNG.normal(size=(200, 1))
    came = np.full_like(right, 1013.0)
    assert compare(right, came).sqnr_db > 45
    assert fidelity(right, came).variance == pytest.approx(0.0, abs=0.01)


def test_values_and_limits():
    right = np.linspace(-2.0, 2.0, 101)[:, None]
    held = Limits(-1.0, 1.0, 0.25)
    came = stepped(np.clip(right, held.low, held.high), held.step)
    found = fidelity(right, came, held)
    assert (found.worst.distinct, found.worst.keras_distinct) == (9, 101)
    # Those more than a step beyond: 1.28, 1.32, ... 2.0, and as many below.
    assert found.worst.saturated == pytest.approx(38 / 101)
    assert found.step == 0.25
    assert fidelity(right, came).worst.saturated == 0.0


def test_constant_entries_do_not_count():
    right = np.stack([np.full(30, 7.0), RNG.normal(size=30)], 1)
    found = fidelity(right, right + 1e-3)
    assert len(found.shares) == 1
    assert found.worst.index == 1
    still = fidelity(np.ones((30, 2)), np.ones((30, 2)))
    assert still.variance is None
    assert still.worst is None


def test_a_unit_that_hardly_ever_answers_does_not_count():
    right = RNG.normal(size=(100, 2))
    right[5:, 0] = 0.0
    assert [len(fidelity(one, one * 0).shares) for one in (right, right[:, :1])] == [1, 0]


@pytest.mark.parametrize("shape", [(40,), (40, 1), (10, 2, 2, 1)])
def test_one_number_has_no_index(shape):
    found = fidelity(RNG.normal(size=shape), np.zeros(shape))
    assert found.worst.index is None
    assert found.positions == 40


def test_axes_before_the_last_are_positions():
    right = RNG.normal(size=(3, 5, 7, 2))
    found = fidelity(right, right)
    assert found.positions == 105
    assert found.shares == (1.0, 1.0)


@pytest.mark.parametrize("rows", [0, 1])
def test_too_little_to_vary(rows):
    assert fidelity(np.ones((rows, 3)), np.zeros((rows, 3))).variance is None


def test_numbers_that_are_not_finite_are_left_out():
    right = RNG.normal(size=(20, 2))
    came = right.copy()
    right[3, 0], came[5, 1], right[7, 1] = np.nan, np.inf, -np.inf
    found = fidelity(right, came)
    assert found.positions == 17
    assert found.variance == 1.0


def test_kinds_of_outputs():
    logits = RNG.normal(size=(60, 5))
    softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    box = np.concatenate([300 * RNG.random((60, 4)), RNG.random((60, 1))], 1)
    kinds = [fidelity(one, one).kind for one in (logits, softmax, 1 / (1 + np.exp(-logits)), box)]
    assert kinds == ["classes", "distribution", "probabilities", "values"]
    # The largest is always the same one: that says nothing about classes.
    assert fidelity(logits + np.eye(5)[0] * 9, logits).kind == "values"


def test_a_hundredth_of_a_probability_decides_nothing():
    logits = np.concatenate([4 * RNG.normal(size=(300, 5)), np.full((300, 1), -9.0)], 1)
    logits[:, 5] += RNG.normal(size=300)
    softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    steps = stepped(softmax, 1 / 16)
    assert softmax[:, 5].max() < 1 / 32
    assert variance_kept(softmax, steps)[5] < 0
    assert fidelity(softmax, steps).shares[5] > 0.95
    # A single probability has no other beside it.
    assert fidelity(softmax[:, 5:], steps[:, 5:]).below(0.5) == 1


def test_kappa_is_that_of_scikit_learn():
    right, came = RNG.integers(0, 4, 200), RNG.integers(0, 4, 200)
    came[:150] = right[:150]
    assert kappa(right, came) == pytest.approx(cohen_kappa_score(right, came))
    assert kappa(right, right) == kappa(right * 0, right * 0) == 1.0


def test_a_large_output_is_judged_on_some_of_its_positions(monkeypatch):
    monkeypatch.setattr("kerasopt.export.validation.fidelity._MOST", 100)
    right = RNG.normal(size=(30, 5))
    assert fidelity(right, right).positions == 15


def test_plain_data():
    right = RNG.normal(size=(20, 300))
    plain = json.loads(json.dumps(compare(right, right).to_dict(), allow_nan=False))
    assert plain["fidelity"]["entries"] == 300
    assert plain["fidelity"]["worst"]["variance"] == 1.0
    assert compare(np.arange(4), np.arange(4)).to_dict()["fidelity"] is None
