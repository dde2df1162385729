"""What holds for every rule: moments, missing metrics, state, a new run."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt import stopping
from kerasopt.stopping import (
    Divergence,
    Extrapolation,
    GeneralizationGap,
    GeneralizationLoss,
    GradientDisparity,
    GradientEvidence,
    LowProgress,
    NonFinite,
    Patience,
    ProgressQuotient,
    Rule,
    Slope,
    Threshold,
    TimeBudget,
    UpStrips,
    Verdict,
    deserialize,
    serialize,
)
from kerasopt.stopping.rules.rule import go_on
from tests.conftest import examples

# Small enough to fire now and then in a dozen epochs.
RULES = {
    "patience": lambda: Patience(2),
    "patience_with_all": lambda: Patience(2, 0.1, True, 0.5, 1, 0.6, "val_loss", "min"),
    "patience_max": lambda: Patience(1, cooldown=2, monitor="val_accuracy"),
    "generalization_loss": lambda: GeneralizationLoss(20.0),
    "progress_quotient": lambda: ProgressQuotient(0.1, 2),
    "progress_quotient_max": lambda: ProgressQuotient(0.1, 3, "val_accuracy", "loss", "max"),
    "low_progress": lambda: LowProgress(200.0, 2),
    "up_strips": lambda: UpStrips(1, 2),
    "threshold": lambda: Threshold(0.4),
    "divergence": lambda: Divergence(1.2, monitor="loss"),
    "divergence_factor": lambda: Divergence(factor=2.0),
    "non_finite": lambda: NonFinite(),
    "non_finite_one": lambda: NonFinite("loss"),
    "time_budget": lambda: TimeBudget(3600, clock=lambda: 0.0),
    "slope": lambda: Slope(3, 0.05, 0.5),
    "generalization_gap": lambda: GeneralizationGap(0.3),
    "generalization_gap_factor": lambda: GeneralizationGap(factor=1.5, monitor="val_accuracy"),
    "extrapolation": lambda: Extrapolation(0.1, 5),
    "extrapolation_horizon": lambda: Extrapolation(0.1, 5, 8, "val_accuracy"),
    "gradient_evidence": lambda: GradientEvidence(2),
    "gradient_disparity": lambda: GradientDisparity(2),
    "any_of": lambda: Patience(3) | UpStrips(1, 3) | NonFinite("loss"),
    "all_of": lambda: Patience(1) & GeneralizationLoss(5.0),
    "nested": lambda: (
        (Patience(2) & (Slope(3) | GradientDisparity(1)))
        | (LowProgress(100.0, 2) & Threshold(0.5, "val_accuracy"))
        | Divergence(factor=3.0)
    ),
}
each_rule = pytest.mark.parametrize("make", RULES.values(), ids=RULES)

value = st.floats(0.0, 2.0) | st.sampled_from([0.0, -1.0, 0.5, math.nan, math.inf, -math.inf])
gradients = st.lists(st.lists(st.integers(-2, 2), min_size=2, max_size=2), min_size=2, max_size=3)
SEEN = st.fixed_dictionaries(
    {},
    optional={
        "loss": value,
        "val_loss": value | st.none(),
        "accuracy": value,
        "val_accuracy": value,
        "learning_rate": st.sampled_from([0.1, 0.01]),
        "sample_gradients": gradients,
        "batch_gradients": gradients,
    },
)
RUNS = st.lists(SEEN, max_size=14)
FULL = {
    "loss": 0.5,
    "val_loss": 0.75,
    "accuracy": 0.75,
    "val_accuracy": 0.5,
    "sample_gradients": [[1.0], [3.0]],
    "batch_gradients": [[1.0], [3.0]],
}


def through_json(data):
    return json.loads(json.dumps(data))


def verdicts(rule, run, first=0):
    return [rule.update(step, seen) for step, seen in enumerate(run, first)]


def test_every_rule_is_here():
    rules = {
        cls
        for cls in vars(stopping).values()
        if isinstance(cls, type) and issubclass(cls, Rule) and not cls.__abstractmethods__
    }
    assert {type(make()) for make in RULES.values()} == rules


@each_rule
@given(RUNS, st.integers(0, 14))
@examples(20)
def test_a_run_goes_on_from_a_saved_state(make, run, cut):
    rule = make()
    verdicts(rule, run[:cut])
    other = deserialize(through_json(serialize(rule)))
    other.set_state(through_json(rule.get_state()))
    rest = run[cut:]
    assert verdicts(rule, rest, cut) == verdicts(other, rest, cut)


@each_rule
@given(RUNS, RUNS)
@examples(10)
def test_a_state_takes_the_place_of_what_was_known(make, run, other_run):
    rule, other = make(), make()
    verdicts(rule, run)
    verdicts(other, other_run)
    other.set_state(through_json(rule.get_state()))
    assert json.dumps(other.get_state()) == json.dumps(rule.get_state())
    assert verdicts(rule, other_run) == verdicts(other, other_run)


@each_rule
@given(RUNS, RUNS)
@examples(10)
def test_a_state_does_not_change_afterwards(make, run, rest):
    rule = make()
    verdicts(rule, run)
    state = rule.get_state()
    before = json.dumps(state)
    verdicts(rule, rest)
    assert json.dumps(state) == before
    other = make()
    other.set_state(state)
    verdicts(other, rest)
    assert json.dumps(state) == before


@each_rule
@given(RUNS, RUNS)
@examples(10)
def test_after_reset_it_is_as_new(make, run, other_run):
    rule, new = make(), make()
    verdicts(rule, run)
    rule.reset()
    assert rule.get_state() == new.get_state()
    assert verdicts(rule, other_run) == verdicts(new, other_run)


@each_rule
@given(RUNS)
@examples(10)
def test_a_verdict_has_a_reason_if_it_stops(make, run):
    rule = make()
    copy = json.dumps(run)
    names = {type(leaf).__name__ for leaf in rule.leaves()}
    for verdict in verdicts(rule, run):
        assert bool(verdict.reason) == verdict.stop
        if verdict.stop:
            assert any(f"{name}: " in verdict.reason for name in names)
    assert json.dumps(run) == copy


@each_rule
@pytest.mark.parametrize("epochs", [0, 1, 6])
def test_a_missing_metric_changes_nothing(make, epochs):
    rule = make()
    verdicts(rule, [FULL] * epochs)
    state = rule.get_state()
    for seen in ({}, {"something": 1.0}, dict.fromkeys(FULL)):
        assert rule.update(epochs, seen) == go_on
        assert rule.get_state() == state


@pytest.mark.parametrize(
    ("cls", "moments"),
    [
        (Patience, {"epoch"}),
        (GeneralizationLoss, {"epoch"}),
        (Threshold, {"epoch", "step"}),
        (Slope, {"epoch"}),
        (GeneralizationGap, {"epoch"}),
        (Extrapolation, {"epoch"}),
        (ProgressQuotient, {"epoch"}),
        (LowProgress, {"epoch"}),
        (UpStrips, {"epoch"}),
        (GradientEvidence, {"epoch"}),
        (GradientDisparity, {"epoch"}),
        (NonFinite, {"epoch", "step", "early"}),
        (Divergence, {"epoch", "step", "early"}),
        (TimeBudget, {"epoch", "step", "early"}),
    ],
)
def test_moments(cls, moments):
    make = next(make for make in RULES.values() if type(make()) is cls)
    for moment in ("epoch", "step", "early"):
        rule, asked = make(), make()
        for step in range(4):
            verdict = asked.ask(moment, step, FULL)
            expected = rule.update(step, FULL) if moment in moments else go_on
            assert verdict == expected
        assert asked.get_state() == rule.get_state()


@pytest.mark.parametrize(
    ("rule", "config"),
    [
        (
            Patience(),
            {
                "patience": 0,
                "min_delta": 0.0,
                "relative": False,
                "smoothing": None,
                "cooldown": 0,
                "baseline": None,
            },
        ),
        (GeneralizationLoss(), {"alpha": 5.0}),
        (ProgressQuotient(), {"alpha": 0.5, "strip": 5, "train_monitor": None}),
        (LowProgress(), {"threshold": 0.1, "strip": 5}),
        (UpStrips(), {"strips": 3, "strip": 5}),
        (Slope(), {"window": 10, "delta": 0.0, "errors": 0.0}),
        (Extrapolation(), {"delta": 0.0, "min_epochs": 10, "horizon": None}),
    ],
)
def test_defaults(rule, config):
    assert rule.get_config() == {**config, "monitor": None, "mode": "auto"}


def test_what_needs_gradients_says_so():
    needs = {name: make().needs for name, make in RULES.items()}
    assert needs.pop("gradient_evidence") == "sample_gradients"
    assert needs.pop("gradient_disparity") == "batch_gradients"
    assert set(needs.values()) == {None}


@pytest.mark.parametrize(
    ("name", "watched"),
    [
        ("patience", ("val_loss",)),
        ("low_progress", ("loss",)),
        ("progress_quotient", ("val_loss", "loss")),
        ("generalization_gap_factor", ("val_accuracy", "accuracy")),
        ("non_finite", ()),
        ("time_budget", ()),
        ("gradient_evidence", ()),
        ("nested", ("val_loss", "loss", "val_accuracy")),
    ],
)
def test_watched(name, watched):
    assert RULES[name]().watched == watched


@pytest.mark.parametrize("name", [name for name in RULES if name != "time_budget"])
def test_repr_is_how_to_write_it(name):
    rule = RULES[name]()
    again = eval(repr(rule), vars(stopping))
    assert serialize(again) == serialize(rule)


def test_a_single_rule_is_its_own_leaf():
    rule = Patience(1)
    assert rule.leaves() == [rule]


def test_a_verdict_is_plain():
    assert Verdict(stop=False) == go_on
    assert go_on.reason == ""
    with pytest.raises(AttributeError):
        go_on.stop = True


def test_a_rule_without_its_methods_is_none():
    with pytest.raises(TypeError, match="abstract"):
        Rule()
