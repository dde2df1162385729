"""The base of the rules that watch a metric."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt._core.logs import direction
from kerasopt.stopping import MonitoringRule, Patience
from kerasopt.stopping.rules.monitor import missing_metric
from kerasopt.stopping.rules.rule import go_on
from tests.conftest import examples


class Watcher(MonitoringRule):
    """Takes notes of what it is given."""

    def reset(self):
        super().reset()
        self.given = []

    def _decide(self, step, value, improved):
        self.given.append((step, value, improved))
        return self._stop("seen enough") if value > 9 else go_on

    def get_config(self):
        return {"monitor": self.monitor, "mode": self.mode}


class Glutton(Watcher):
    takes_non_finite = True


def feed(rule, values):
    for step, value in enumerate(values):
        rule.update(step, {rule.metric: value})
    return rule.given


VALUES = [2.0, math.nan, 1.0, -math.inf, 1.0, 3.0]


def test_values_that_are_not_finite_are_kept_from_the_rule():
    rule = Watcher(None, "min")
    assert feed(rule, VALUES) == [
        (0, 2.0, True),
        (2, 1.0, True),
        (4, 1.0, False),
        (5, 3.0, False),
    ]
    assert (rule.best, rule.best_step) == (1.0, 2)


def test_unless_it_takes_them():
    given = feed(Glutton(None, "min"), VALUES)
    assert [step for step, _, _ in given] == [0, 1, 2, 3, 4, 5]
    assert [improved for _, _, improved in given] == [True, False, True, False, False, False]


def test_the_best_of_a_metric_to_be_maximised():
    rule = Watcher("score", "max")
    feed(rule, VALUES)
    assert (rule.best, rule.best_step) == (3.0, 5)
    assert (rule.error(2.0), rule.error(-2.0)) == (-2.0, 2.0)


@given(
    st.lists(st.floats(-9, 9) | st.just(math.nan) | st.just(math.inf), max_size=12),
    st.sampled_from(["min", "max"]),
)
@examples(100)
def test_the_best_is_the_first_of_the_best(values, mode):
    rule = Watcher("x", mode)
    feed(rule, values)
    finite = [value for value in values if math.isfinite(value)]
    best = (min if mode == "min" else max)(finite, default=None)
    assert rule.best == best
    assert rule.best_step == (None if best is None else values.index(best))


@pytest.mark.parametrize("kind", [int, np.float16, np.float32, np.int64, np.array])
def test_numbers_of_any_kind(kind):
    rule = Watcher(None, "min")
    rule.update(0, {"val_loss": kind(2)})
    assert type(rule.best) is float
    assert rule.best == 2.0


def test_a_missing_metric_is_no_update():
    rule = Watcher(None, "min")
    assert rule.update(0, {"loss": 1.0}) == go_on
    assert rule.update(1, {"val_loss": None}) == go_on
    assert rule.given == []


def test_which_metric_is_watched():
    rule = Watcher(None, "auto")
    assert (rule.metric, rule.watched) == ("val_loss", ("val_loss",))
    rule.default_monitor = "val_auc"
    assert (rule.metric, rule.resolved_mode()) == ("val_auc", "max")
    rule = Watcher("mae", "auto")
    rule.default_monitor = "val_auc"
    assert (rule.metric, rule.resolved_mode()) == ("mae", "min")


def test_which_direction_is_better():
    assert Watcher("val_loss", "max").resolved_mode() == "max"
    rule = Watcher("my_score", "auto")
    with pytest.raises(ValueError, match="'my_score'.*Pass `mode="):
        rule.resolved_mode()
    rule.known_mode = "max"
    assert rule.resolved_mode() == "max"
    rule = Watcher("my_score", "min")
    rule.known_mode = "max"
    assert rule.resolved_mode() == "min"


def test_better_than_nothing():
    rule = Watcher(None, "min")
    assert rule.is_better(5.0, None)
    assert not rule.is_better(math.nan, None)
    assert not rule.is_better(-math.inf, None)
    assert not rule.is_better(1.0, 1.0)
    assert rule.is_better(math.nextafter(1.0, 0.0), 1.0)


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("val_kl_divergence", "min"),
        ("val_binary_crossentropy", "min"),
        ("squared_hinge", "min"),
        ("val_mae", "min"),
        ("head_mse", "min"),
        ("perplexity", "min"),
        ("LOSS", "min"),
        ("val_accuracy_loss", "min"),
        ("val_acc", "max"),
        ("acc_1", "max"),
        ("top_5_accuracy", "max"),
        ("f1_score", "max"),
        ("r2_score", "max"),
        ("val_cosine_similarity", "max"),
        ("mean_iou", "max"),
        ("val_mean_io_u", "max"),
        ("val_dice", "max"),
        ("precision_at_recall", "max"),
        ("mse_of_what", None),
        ("apples", None),
        ("poisson", "min"),
        ("", None),
    ],
)
def test_directions(name, mode):
    assert direction(name) == mode


@pytest.mark.parametrize(
    "name",
    [
        # An output's name, number and all, comes before the metric's.
        "val_classifier2_brier_score",
        "decoder2_distance",
        "previous_cost",
        "accumulated_regret",
    ],
)
def test_letters_within_a_word_tell_nothing(name):
    assert direction(name) is None


def test_a_missing_metric_may_have_a_known_cause():
    text = str(missing_metric("val_loss", {"loss": 1}, "There was no validation."))
    assert text.startswith(
        "Invalid value for argument `monitor`. Expected one of the metrics of this run: ['loss']. "
        "Received: monitor='val_loss'. There was no validation. "
    )
    none = str(missing_metric("zzz", {}))
    assert "Received: monitor='zzz'. A metric that a callback reports" in none


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"monitor": 1}, TypeError),
        ({"monitor": ["loss"]}, TypeError),
        ({"mode": "up"}, ValueError),
        ({"mode": None}, ValueError),
    ],
)
def test_wrong_arguments(arguments, error):
    with pytest.raises(error, match=f"`{next(iter(arguments))}`"):
        Watcher(**{"monitor": None, "mode": "auto", **arguments})


def test_a_close_mode_is_offered():
    with pytest.raises(ValueError, match="Did you mean 'max'"):
        Patience(mode="maxx")
