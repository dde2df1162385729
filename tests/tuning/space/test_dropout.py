import keras
import keras_tuner
import pytest

from kerasopt.regularization import insert_dropout
from kerasopt.tuning.space import dropout
from tests.tuning.space.sampling import again, samples


def model():
    return keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5, "relu"), keras.layers.Dense(2)]
    )


def test_every_configuration_can_be_inserted():
    kinds = ["none", "auto", "gaussian_dropout", "scheduled"]
    drawn = samples(dropout, kinds=kinds, count=24)
    assert {values["dropout/kind"] for values, _ in drawn} == set(kinds)
    for values, found in drawn:
        if values["dropout/kind"] == "none":
            assert found is None
            assert set(values) == {"dropout/kind"}
            continue
        assert found == {"rate": values["dropout/rate"], "kind": values["dropout/kind"]}
        assert 0.05 <= found["rate"] <= 0.5
        assert again(dropout, values, kinds=kinds) == found
        inserted = insert_dropout(model(), **found)
        assert len(inserted.layers) == 3


@pytest.mark.parametrize("arguments", [{"rate": 0}, {"max_rate": 0.0, "min_rate": 0.0}])
def test_a_rate_of_zero_inserts_nothing_and_searches_nothing(arguments):
    hp = keras_tuner.HyperParameters()
    assert dropout(hp, **arguments) is None
    assert hp.values == {"dropout/kind": "none"}


def test_a_range_may_begin_at_zero():
    assert dropout(keras_tuner.HyperParameters(), kinds=["auto"], min_rate=0.0) is None


def test_a_fixed_rate_is_always_there_and_places_are_passed_on():
    hp = keras_tuner.HyperParameters()
    found = dropout(hp, rate=0.3, after="dense")
    assert found == {"rate": 0.3, "kind": "auto", "after": "dense"}
    assert insert_dropout(model(), **{**found, "after": "dense*"}).layers[1].rate == 0.3
    assert hp.values == {"dropout/kind": "auto", "dropout/rate": 0.3}


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ({"kinds": ["spatal_dropout"]}, ValueError, "kinds"),
        ({"rate": 1.0}, ValueError, "rate"),
        ({"max_rate": 1.5}, ValueError, "max_rate"),
        ({"min_rate": 0.6}, ValueError, "min_rate"),
        ({"rate": "0.1"}, TypeError, "rate"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, named):
    with pytest.raises(error, match=f"`{named}`"):
        dropout(keras_tuner.HyperParameters(), **arguments)
