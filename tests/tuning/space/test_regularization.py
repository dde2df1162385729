import keras
import keras_tuner
import pytest

from kerasopt.regularization import add_penalty
from kerasopt.tuning.space import regularization
from tests.tuning.space.sampling import again, samples


def model():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])


def test_every_configuration_is_a_regularizer_of_its_kind():
    kinds = ["none", "l1", "l2", "l1_l2"]
    drawn = samples(regularization, kinds=kinds)
    assert {values["regularization/kind"] for values, _ in drawn} == set(kinds)
    for values, found in drawn:
        kind = values["regularization/kind"]
        active = {name.split("/")[1] for name in values} - {"kind"}
        if kind == "none":
            assert found is None
            assert not active
            continue
        assert active == set(kind.split("_"))
        assert {k: pytest.approx(v) for k, v in found.get_config().items()} == {
            norm: values[f"regularization/{norm}"] for norm in active
        }
        assert len(add_penalty(model(), found)) == 1
        assert keras.layers.Dense(2, kernel_regularizer=found).kernel_regularizer is found
        same = again(regularization, values, kinds=kinds)
        assert same.get_config() == found.get_config()


def test_factors_stay_in_their_ranges_on_a_log_scale():
    factors = [v["regularization/l1"] for v, _ in samples(regularization, kinds=["l1"], count=200)]
    assert 1e-7 <= min(factors) < 1e-6 < 1e-5 < max(factors) <= 1e-4
    assert sum(factor < 3e-6 for factor in factors) in range(70, 130)  # half of them


def test_what_has_one_value_is_fixed():
    hp = keras_tuner.HyperParameters()
    found = regularization(hp, prefix="penalty", kinds=["l2"], min_l2=1e-3, max_l2=1e-3)
    assert found.get_config() == {"l2": pytest.approx(1e-3)}
    assert {one.name: type(one).__name__ for one in hp.space} == {
        "penalty/kind": "Fixed",
        "penalty/l2": "Fixed",
    }


def test_it_stands_in_the_name_scope_of_the_user():
    hp = keras_tuner.HyperParameters()
    with hp.name_scope("head"):
        regularization(hp, kinds=["l2"])
    assert set(hp.values) == {"head/regularization/kind", "head/regularization/l2"}


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ({"kinds": ["l3"]}, ValueError, "kinds"),
        ({"kinds": "l2"}, TypeError, "kinds"),
        ({"kinds": []}, ValueError, "kinds"),
        ({"kinds": ["l2", "l2"]}, ValueError, "kinds"),
        ({"min_l1": 0.0}, ValueError, "min_l1"),
        ({"min_l2": 1.0}, ValueError, "min_l2"),
        ({"max_l2": "much"}, TypeError, "max_l2"),
        ({"prefix": ""}, ValueError, "prefix"),
        ({"prefix": 3}, TypeError, "prefix"),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_registered(arguments, error, named):
    hp = keras_tuner.HyperParameters()
    with pytest.raises(error, match=f"`{named}`"):
        regularization(hp, **arguments)
    assert not hp.space
