"""Non-finite values: every metric, or one."""

import math

import numpy as np
import pytest

from kerasopt.stopping import NonFinite


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", [float, np.float16, np.float32, np.float64])
def test_any_metric(value, kind):
    rule = NonFinite()
    assert not rule.update(0, {"loss": kind(1.0), "mae": kind(2.0)}).stop
    assert rule.update(1, {"loss": kind(1.0), "mae": kind(value)}).stop
    assert not rule.update(2, {"loss": kind(1.0), "mae": kind(2.0)}).stop


def test_one_metric():
    rule = NonFinite("loss")
    assert not rule.update(0, {"loss": 1.0, "mae": math.nan}).stop
    assert not rule.update(0, {"mae": math.nan}).stop
    assert not rule.update(0, {"loss": None}).stop
    assert rule.update(0, {"loss": math.nan}).stop
    assert (NonFinite().watched, rule.watched) == ((), ("loss",))


@pytest.mark.parametrize("monitor", [None, "loss"])
def test_a_value_in_an_array_of_rank_zero(monitor):
    # The other rules take such a value, too: they call `float`.
    assert NonFinite(monitor).update(0, {"loss": np.array(math.nan)}).stop
    assert not NonFinite(monitor).update(0, {"loss": np.array(1.0)}).stop


def test_what_is_no_number_is_passed_over():
    seen = {"sample_gradients": np.full((2, 3), math.nan), "name": "x", "none": None, "flag": True}
    assert not NonFinite().update(0, seen).stop
    assert not NonFinite().update(0, {}).stop


def test_the_reason_names_all():
    verdict = NonFinite().update(0, {"loss": math.nan, "mae": 1.0, "mse": -math.inf})
    assert verdict.reason == "NonFinite: loss is nan, mse is -inf"


def test_it_remembers_nothing():
    rule = NonFinite()
    rule.update(0, {"loss": math.nan})
    assert rule.get_state() == {}
    rule.set_state({})
    rule.reset()
    assert not rule.update(1, {"loss": 1.0}).stop


@pytest.mark.parametrize("monitor", [3, ["loss"], True])
def test_wrong_arguments(monitor):
    with pytest.raises(TypeError, match="`monitor`"):
        NonFinite(monitor)
