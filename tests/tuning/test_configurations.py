"""Finite spaces: all of it, once; nothing twice whatever the sampler."""

import itertools

import keras_tuner
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.tuning.oracle.oracle import OptunaOracle
from kerasopt.tuning.search_space.configurations import Space, config_of, distance
from tests.conftest import examples


def conditional():
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["mlp", "cnn", "none"])
    with hp.conditional_scope("kind", ["mlp"]):
        hp.Int("units", 8, 24, step=8)
        hp.Boolean("bias")
    with hp.conditional_scope("kind", ["cnn"]):
        hp.Int("units", 16, 64, step=2, sampling="log")
        hp.Fixed("filters", 3)
    return hp


def test_a_conditional_space_is_walked_once_through():
    found = [config_of(one) for one in Space(conditional().space).configurations()]
    mlp = [{"kind": "mlp", "units": u, "bias": b} for u in (8, 16, 24) for b in (False, True)]
    cnn = [{"kind": "cnn", "units": u, "filters": 3} for u in (16, 32, 64)]
    assert sorted(map(sorted, found)) == sorted(
        map(sorted, map(config_of, [*mlp, *cnn, {"kind": "none"}]))
    )
    assert Space(conditional().space).size() == 10
    assert Space(conditional().space).size(9) is None


def test_the_same_name_under_two_conditions_has_two_keys():
    space = Space(conditional().space)
    keys = [axis.key for axis in space.axes if axis is not None]
    assert len(set(keys)) == len(keys) == 4
    values = {"kind": "cnn", "units": 32, "filters": 3}
    assert space.values(space.params(values)) == values


@examples(60)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_the_size_is_the_product_of_the_axes(sizes):
    hp = keras_tuner.HyperParameters()
    for number, size in enumerate(sizes):
        hp.Int(f"n{number}", 1, size)
    space = Space(hp.space)
    found = [config_of(one) for one in space.configurations()]
    every = itertools.product(*(range(1, size + 1) for size in sizes))
    assert set(found) == {
        frozenset((f"n{k}", value) for k, value in enumerate(one)) for one in every
    }
    assert len(found) == len(set(found)) == space.size()


def test_a_space_with_an_axis_without_steps_is_not_finite_unless_it_is_a_grid():
    hp = keras_tuner.HyperParameters()
    hp.Float("x", 0.0, 1.0)
    assert Space(hp.space).size() is None
    assert Space(hp.space, grid=True).size() == 11  # with the default


def test_distances_count_places_of_ordered_values():
    space = Space(conditional().space)
    one = {"kind": "mlp", "units": 8, "bias": False}
    assert distance(space, one, one) == 0
    assert distance(space, one, {**one, "units": 16}) == pytest.approx(0.5)
    assert distance(space, one, {**one, "bias": True}) == 1
    assert distance(space, one, {"kind": "none"}) > 1


SAMPLERS = ["tpe", "random", "grid", "nsga2", "cmaes", "qmc"]


class Lookup(keras_tuner.Tuner):
    """Gives a number for a configuration, without any model."""

    def build(self, hp):
        raise AssertionError

    def run_trial(self, trial, **kwargs):
        hp = trial.hyperparameters
        return float(sum(map(len, map(str, hp.values.items()))))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_no_configuration_of_a_finite_space_is_run_twice(sampler, tmp_path):
    oracle = OptunaOracle(
        max_trials=30, sampler=sampler, storage="memory", seed=1, hyperparameters=conditional()
    )
    Lookup(oracle, directory=tmp_path).search(verbose=0)
    seen = [config_of(one.values) for one in oracle.records()]
    assert len(seen) == len(set(seen)) == 10
    # Not even trials that were withdrawn: nobody else asked.
    assert len(oracle.study.trials) == 10


def test_a_gaussian_process_visits_a_finite_space_once(tmp_path):
    pytest.importorskip("torch")
    oracle = OptunaOracle(
        max_trials=30, sampler="gp", storage="memory", seed=1, hyperparameters=conditional()
    )
    Lookup(oracle, directory=tmp_path).search(verbose=0)
    assert len({config_of(one.values) for one in oracle.records()}) == len(oracle.records()) == 10


def test_the_grid_goes_in_order_with_the_defaults_first(tmp_path):
    hp = keras_tuner.HyperParameters()
    hp.Choice("a", [1, 2, 3], default=2)
    hp.Boolean("b")
    oracle = OptunaOracle(max_trials=4, sampler="grid", storage="memory", hyperparameters=hp)
    Lookup(oracle, directory=tmp_path).search(verbose=0)
    assert [(one.values["a"], one.values["b"]) for one in oracle.records()] == [
        (2, False), (2, True), (1, False), (1, True),
    ]  # fmt: skip


def test_a_sampler_of_optuna_itself_is_taken(tmp_path):
    sampler = optuna.samplers.NSGAIIISampler(seed=0)
    oracle = OptunaOracle(
        max_trials=12, sampler=sampler, storage="memory", hyperparameters=conditional()
    )
    Lookup(oracle, directory=tmp_path).search(verbose=0)
    assert len(oracle.records()) == 10


def test_large_spaces_cost_nothing_and_a_large_grid_goes_on(tmp_path):
    hp = keras_tuner.HyperParameters()
    hp.Int("n", 1, 30_000_000)
    for number in range(10):
        hp.Float(f"x{number}", 0.0, 0.5, step=0.05)
    assert Space(hp.space).size() is None
    hp = keras_tuner.HyperParameters()
    for number in range(5):
        hp.Float(f"x{number}", 0.0, 1.0)
    oracle = OptunaOracle(max_trials=25, sampler="grid", storage="memory", hyperparameters=hp)
    Lookup(oracle, directory=tmp_path).search(verbose=0)
    values = [one.values["x4"] for one in oracle.records()]
    assert len(set(values)) == 11
    assert len({config_of(one.values) for one in oracle.records()}) == 25


def test_mirrored_values_stay_within_their_range():
    hp = keras_tuner.HyperParameters()
    hp.Float("x", 0.001, 0.3, sampling="reverse_log")
    space = Space(hp.space)
    for value in (0.001, 0.3, 0.2999999):
        params = space.params({"x": value})
        assert space.axes[0].distribution._contains(params["x"])
        assert 0.001 <= space.values(params)["x"] <= 0.3
