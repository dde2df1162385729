"""Progress quotient, against Prechelt's GL / P_k by hand and in exact arithmetic."""

import math
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kerasopt.stopping import ProgressQuotient
from tests.conftest import examples


def stops(rule, training, validation):
    """Give all steps at which the rule says stop."""
    rule.reset()
    names = rule.train_metric, rule.metric
    return [
        step
        for step, values in enumerate(zip(training, validation, strict=True))
        if rule.update(step, dict(zip(names, values, strict=True))).stop
    ]


TABLE = [1.2, 1.1, 1.0, 1.0, 1.0], [1.0, 1.1, 1.2, 1.3, 1.4]


@pytest.mark.parametrize(("alpha", "steps"), [(0.5, [4]), (0.66, [4]), (0.67, []), (3.0, [])])
def test_the_table(alpha, steps):
    # GL is 40, P_5 is 60.
    assert stops(ProgressQuotient(alpha), *TABLE) == steps


@pytest.mark.parametrize(
    ("alpha", "training", "validation", "steps"),
    [
        # GL = 50, P = 500: exactly alpha is not more than alpha.
        (0.1, [2.0, 1.0], [1.0, 1.5], []),
        (0.09, [2.0, 1.0], [1.0, 1.5], [1]),
        # GL is that of the strip's end, not the worst in the strip.
        (0.09, [2.0, 1.0], [1.0, 1.0], []),
        (0.09, [2.0, 1.0, 1.0], [1.0, 1.0, 9.0], []),
        # P = 0: any positive GL stops, none at the best.
        (3.0, [1.0, 1.0], [1.0, 1.001], [1]),
        (3.0, [1.0, 1.0], [1.0, 1.0], []),
        # The strips do not overlap: the second begins at step 2.
        (0.2, [2.0, 1.0, 1.0, 1.0], [1.0, 1.5, 1.5, 1.5], [3]),
        # Negative errors: GL = 50, P = 250.
        (0.19, [-0.5, -1.0], [-1.0, -0.5], [1]),
        (0.2, [-0.5, -1.0], [-1.0, -0.5], []),
        # The best validation error is 0: GL is infinite.
        (3.0, [2.0, 1.0], [0.0, 0.5], [1]),
        (3.0, [2.0, 1.0], [0.0, 0.0], []),
    ],
)
def test_sequences_of_strips_of_two(alpha, training, validation, steps):
    assert stops(ProgressQuotient(alpha, 2), training, validation) == steps


@pytest.mark.parametrize(("alpha", "steps"), [(0.2, []), (0.19, [1])])
def test_higher_is_better(alpha, steps):
    # The training errors are -0.5 and -1: P = 250; the validation errors -1 and -0.5: GL = 50.
    rule = ProgressQuotient(alpha, 2, monitor="val_accuracy")
    assert stops(rule, [0.5, 1.0], [1.0, 0.5]) == steps


def test_strips_that_do_not_divide_the_run():
    validation = [1.0, *[2.0] * 6]
    assert stops(ProgressQuotient(0.5, 5), [1.0] * 7, validation) == [4]
    assert stops(ProgressQuotient(0.5, 8), [1.0] * 7, validation) == []
    assert stops(ProgressQuotient(0.5, 2), [1.0] * 7, validation) == [1, 3, 5]


def test_training_values_that_are_not_finite_make_the_strip_longer():
    training = [2.0, math.nan, 1.0, math.inf, 1.0, 1.0]
    assert stops(ProgressQuotient(0.09, 2), training, [1.0, 1.5, 1.5, 1.5, 1.5, 1.5]) == [2, 5]


def test_an_epoch_without_training_values_does_not_count():
    rule = ProgressQuotient(0.09, 2)
    seen = [
        {"loss": 2.0, "val_loss": 1.0},
        {"val_loss": 1.5},
        {"loss": None, "val_loss": 1.5},
        {"loss": 1.0, "val_loss": 1.5},
    ]
    assert [rule.update(t, one).stop for t, one in enumerate(seen)] == [False, False, False, True]


def test_without_any_validation_it_goes_on():
    rule = ProgressQuotient(0.5, 2)
    assert not any(rule.update(t, {"loss": 1.0}).stop for t in range(6))


def test_an_undefined_quotient_does_not_exceed_alpha():
    # GL = 0.1 / 0 and P = 0.05 / 0: both infinite, their quotient says nothing.
    assert stops(ProgressQuotient(0.5, 2), [0.1, 0.0], [0.0, 0.1]) == []


def test_the_reason_names_both_metrics():
    rule = ProgressQuotient(0.5)
    verdicts = [
        rule.update(t, {"loss": a, "val_loss": b})
        for t, (a, b) in enumerate(zip(*TABLE, strict=True))
    ]
    assert verdicts[-1].reason == (
        "ProgressQuotient: val_loss is 40 % worse than its best 1, while loss progressed by 60 per "
        "thousand in 5 epochs: their quotient is 0.667 (more than 0.5)"
    )


@given(
    st.lists(
        st.tuples(st.floats(0.01, 2.0), st.floats(0.01, 2.0)),
        min_size=1,
        max_size=14,
    ),
    st.integers(2, 5),
    st.sampled_from([0.03, 0.1, 0.5, 1.0]),
)
@examples(150)
def test_formula_in_exact_arithmetic(values, strip, alpha):
    training, validation = zip(*values, strict=True)
    expected = []
    for end in range(strip - 1, len(values), strip):
        errors = [Fraction(value) for value in training[end - strip + 1 : end + 1]]
        best = min(Fraction(value) for value in validation[: end + 1])
        loss = 100 * (Fraction(validation[end]) / best - 1)
        moved = 1000 * (sum(errors) / (strip * min(errors)) - 1)
        # GL > alpha P is GL / P > alpha without a division by 0. Too close to tell is no example.
        assume(not 0 < abs(moved) < Fraction(1, 10**6))
        if not moved:
            # A mean of equal errors is rounded; only with none or a clear GL it does not matter.
            assume(loss == 0 or loss > Fraction(1, 10**6))
        assume(loss == 0 or abs(loss - Fraction(alpha) * moved) > Fraction(1, 10**6))
        if loss > Fraction(alpha) * moved:
            expected.append(end)
    assert stops(ProgressQuotient(alpha, strip), training, validation) == expected


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"alpha": 0.0}, ValueError),
        ({"alpha": math.inf}, ValueError),
        ({"alpha": None}, TypeError),
        ({"train_monitor": 1}, TypeError),
    ],
)
def test_wrong_arguments(arguments, error):
    with pytest.raises(error, match=f"`{next(iter(arguments))}`"):
        ProgressQuotient(**arguments)
