"""Every kind of hyperparameter, with its step and sampling, to Optuna and back."""

import math

import keras_tuner
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.tuning.search_space.axes import Axis, finite_values
from tests.conftest import examples

kinds = keras_tuner.engine.hyperparameters


@st.composite
def ints(draw):
    low = draw(st.integers(1, 50))
    high = low + draw(st.integers(0, 500))
    sampling = draw(st.sampled_from(["linear", "log", "reverse_log"]))
    step = draw(st.none() | st.integers(2, 7))
    return kinds.Int("n", low, high, step=step, sampling=sampling)


@st.composite
def floats(draw):
    low = draw(st.floats(1e-4, 10.0))
    high = low * draw(st.floats(1.0, 1000.0))
    sampling = draw(st.sampled_from(["linear", "log", "reverse_log"]))
    step = draw(st.none() | st.floats(1.5, 10.0))
    if sampling == "linear" and step is not None:
        step = max((high - low) / draw(st.integers(1, 12)), 1e-3)
    return kinds.Float("x", low, high, step=step, sampling=sampling)


choices = st.one_of(
    st.lists(st.integers(-5, 99), min_size=1, unique=True).map(lambda v: kinds.Choice("c", v)),
    st.lists(st.text(max_size=3), min_size=1, unique=True).map(lambda v: kinds.Choice("c", v)),
    st.lists(st.floats(0, 1), min_size=1, unique=True).map(
        lambda v: kinds.Choice("c", v, ordered=False)
    ),
    st.just(kinds.Boolean("b")),
)


def suggested(axis, seed):
    """Have Optuna suggest a value, as the oracle does."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    trial = study.ask({axis.key: axis.distribution})
    return trial.params[axis.key]


@examples(150)
@given(st.one_of(ints(), floats(), choices), st.booleans(), st.integers(0, 99))
def test_what_optuna_suggests_is_a_value_of_the_hyperparameter(hp, grid, seed):
    axis = Axis.of(hp, "key", grid)
    seen = suggested(axis, seed)
    value = axis.value(seen)
    back = axis.seen(value)
    assert back == seen or math.isclose(back, seen, rel_tol=1e-9)
    if isinstance(hp, (kinds.Choice, kinds.Boolean)):
        assert value in hp.values
        return
    tolerance = 1e-9 * max(1.0, abs(hp.max_value))
    assert hp.min_value - tolerance <= value <= hp.max_value + tolerance
    if isinstance(hp, kinds.Int):
        assert isinstance(value, int)
    if hp.step is not None:
        known = [int(v) if isinstance(hp, kinds.Int) else v for v in hp.values]
        known += [hp.default] if grid else []
        assert min(abs(value - one) for one in known) <= tolerance


@examples(80)
@given(st.one_of(ints(), floats(), choices))
def test_steps_give_the_values_that_keras_tuner_gives(hp):
    values = finite_values(hp)
    if values is None:
        assert hp.step is None
        assert list(Axis.of(hp, "key").in_order()) == []
        return
    assert len(set(values)) == len(values) or hp.step is not None
    expected = {int(v) if isinstance(hp, kinds.Int) else v for v in hp.values}
    if isinstance(hp, kinds.Int) and hp.step is None:
        expected = set(range(hp.min_value, hp.max_value + 1))
    assert set(values) == expected
    axis = Axis.of(hp, "key")
    points = list(axis.in_order())
    assert set(points) == expected
    assert points[0] == hp.default or hp.default not in points
    assert axis.points() == len(points)


@pytest.mark.parametrize("sampling", ["log", "reverse_log"])
def test_logarithmic_samplings_lie_where_keras_tuner_puts_them(sampling):
    hp = kinds.Float("x", 1e-4, 1.0, sampling=sampling)
    axis = Axis.of(hp, "x")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    ours = sorted(axis.value(study.ask({"x": axis.distribution}).params["x"]) for _ in range(2000))
    theirs = sorted(hp.random_sample(seed) for seed in range(2000))
    # Medians of 2000 draws; the standard error of a quantile is about 1 % of the range of logs.
    at = [200, 1000, 1800]
    shape = math.log if sampling == "log" else (lambda v: -math.log(1.0001 - v))
    for place in at:
        assert abs(shape(ours[place]) - shape(theirs[place])) < 0.5


@pytest.mark.parametrize(
    "hp",
    [
        kinds.Float("x", 0.0, 1.0),
        kinds.Float("x", 1.0, 2.0, default=1.2),
        kinds.Float("x", 1e-4, 1e-1, sampling="log", default=1e-3),
        kinds.Float("x", 1e-4, 1e-1, sampling="reverse_log"),
        kinds.Float("x", 0.0, 1.0, step=0.25, default=0.3),
        kinds.Int("n", 1, 1000, sampling="log", default=10),
        kinds.Int("n", 1, 9, step=4, default=2),
        kinds.Int("n", 1, 4),
    ],
    ids=str,
)
def test_a_grid_has_the_values_of_keras_tuners_grid_with_the_default_first(hp):
    # As its GridSearchOracle lists them; of its own values the order is that of a set.
    theirs = [int(v) if isinstance(hp, kinds.Int) else v for v in hp.values]
    theirs = [hp.default, *(value for value in theirs if value != hp.default)]
    axis = Axis.of(hp, "key", grid=True)
    ours = list(axis.in_order())
    assert ours[0] == hp.default
    assert sorted(ours) == sorted(theirs)
    assert axis.points() == len(ours)
    assert [axis.value(axis.seen(value)) for value in ours] == ours


@pytest.mark.parametrize(
    ("hp", "wrong", "kind"),
    [
        (kinds.Choice("c", ["a", "b"]), "d", ValueError),
        (kinds.Choice("c", [1, 2, 4]), 3, ValueError),
        (kinds.Float("x", 0.0, 1.0), 1.5, ValueError),
        (kinds.Float("x", 0.0, 1.0), "much", TypeError),
        (kinds.Int("n", 1, 5), True, TypeError),
    ],
)
def test_a_value_that_is_none_of_its_own_is_an_error_with_its_name(hp, wrong, kind):
    with pytest.raises(kind, match=f"argument `{hp.name}`"):
        Axis.of(hp, hp.name).seen(wrong)
