"""Extrapolation, by hand and against SciPy's fit."""

import json
import math

import numpy as np
import pytest

from kerasopt.stopping import Extrapolation
from tests.stopping.rules.sequences import stops

TABLE = [1.0, 0.5, 1 / 3, 0.25, 0.25, 0.25]


def scipys_end(values):
    """Give the c of the fit of SciPy."""
    optimize = pytest.importorskip("scipy.optimize")
    t = np.arange(1, len(values) + 1, dtype=float)
    law, _ = optimize.curve_fit(
        lambda t, a, b, c: a * t**-b + c,
        t,
        values,
        (1.0, 1.0, 0.1),
        bounds=([0, 0.01, -np.inf], [np.inf, 10, np.inf]),
        ftol=1e-14,
        xtol=1e-14,
        gtol=1e-14,
    )
    return float(law[2])


@pytest.mark.parametrize(
    ("arguments", "values", "step"),
    [
        ({"delta": 0.1}, TABLE, 5),
        ({"delta": 0.15}, TABLE, 4),
        ({"delta": 0.05}, TABLE, None),
        # 1 / t leads to 0, the best of four values is 0.25; not before the fourth.
        ({"delta": 0.26}, TABLE[:4], 3),
        ({"delta": 0.24}, TABLE[:4], None),
        ({"delta": 9.0}, TABLE[:3], None),
        # In epoch 10 it will be 0.1, in epoch 5 0.2.
        ({"delta": 0.16, "horizon": 10}, TABLE[:4], 3),
        ({"delta": 0.14, "horizon": 10}, TABLE[:4], None),
        ({"delta": 0.06, "horizon": 5}, TABLE[:4], 3),
        ({"delta": 0.04, "horizon": 5}, TABLE[:4], None),
        # A curve that turns up again has its fit above its best.
        ({}, [1.0, 0.5, 0.4, 0.6, 0.8], 3),
        ({}, [1.0, 2.0, 3.0, 4.0], 3),
        # 1 / t - 1 leads to -1.
        ({"delta": 0.26}, [0.0, -0.5, -2 / 3, -0.75], 3),
        ({"delta": 0.24}, [0.0, -0.5, -2 / 3, -0.75], None),
        # What is not finite is passed over.
        ({"delta": 0.26}, [1.0, math.nan, 0.5, math.inf, 1 / 3, 0.25], 5),
    ],
)
def test_sequences(arguments, values, step):
    assert stops(Extrapolation(min_epochs=4, **arguments), values) == step
    higher = Extrapolation(min_epochs=4, **arguments, monitor="score", mode="max")
    assert stops(higher, [-value for value in values]) == step


def test_ten_epochs_come_first():
    assert stops(Extrapolation(), [float(t) for t in range(12)]) == 9


@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_flat_curve_stops(mode):
    for value in (0.05, 0.1, 0.3, 0.7, 1.1, 1.23, -0.05, -0.3):
        for epochs in (4, 6, 10, 12):
            rule = Extrapolation(min_epochs=epochs, monitor="x", mode=mode)
            assert stops(rule, [value] * epochs) == epochs - 1, (value, epochs)


@pytest.mark.parametrize("epochs", [4, 5, 6])
def test_the_law_is_that_of_scipy(epochs):
    rule = Extrapolation(min_epochs=4)
    stops(rule, TABLE[:epochs])
    assert rule.law.c == pytest.approx(scipys_end(TABLE[:epochs]), abs=1e-5)


def test_the_law_of_a_metric_to_be_maximised_is_that_of_its_errors():
    rule = Extrapolation(min_epochs=4, monitor="val_accuracy")
    stops(rule, [0.5, 0.75, 0.75 + 1 / 12, 0.875])
    assert rule.law == pytest.approx((0.5, 1.0, -1.0), abs=1e-5)


def test_a_law_is_forgotten_and_taken_back_with_the_rest():
    rule = Extrapolation(min_epochs=4)
    assert rule.law is None
    stops(rule, TABLE)
    other = Extrapolation(min_epochs=4)
    stops(other, [3.0, 2.0, 1.5, 1.2])
    other.set_state(json.loads(json.dumps(rule.get_state())))
    assert other.law == rule.law
    rule.reset()
    assert rule.law is None


def test_the_reason_says_what_is_to_come():
    def reason(sign=1, **arguments):
        rule = Extrapolation(0.3, 4, **arguments)
        return [rule.update(t, {rule.metric: sign * e}) for t, e in enumerate(TABLE[:5])][-1].reason

    assert reason() == (
        "Extrapolation: val_loss will be 0.1058 in the long run, by a power law through 5 epochs; "
        "its best was 0.25"
    )
    assert "in epoch 10, by" in reason(horizon=10)
    assert "val_accuracy will be -0.1058" in reason(-1, monitor="val_accuracy")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"delta": -0.1}, ValueError),
        ({"delta": math.nan}, ValueError),
        ({"delta": "0"}, TypeError),
        ({"min_epochs": 3}, ValueError),
        ({"min_epochs": 4.0}, TypeError),
        ({"horizon": 9}, ValueError),
        ({"horizon": 20.0}, TypeError),
        ({"monitor": 1}, TypeError),
        ({"mode": "up"}, ValueError),
    ],
)
def test_wrong_arguments(arguments, error):
    with pytest.raises(error, match=f"`{next(iter(arguments))}`"):
        Extrapolation(**arguments)
