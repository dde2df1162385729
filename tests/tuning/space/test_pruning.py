import keras_tuner
import pytest

from kerasopt.callbacks import Pruning
from kerasopt.tuning.space import pruning
from tests.tuning.space.sampling import again, samples

PATTERNS = ["none", "weight", "channel", "2:4", "block_4x4"]
SCOPES = ["layer", "global", "erk", "dense_ends"]


def names(values):
    return {name.split("/")[1] for name in values}


def test_every_configuration_is_a_pruning_that_needs_no_data():
    arguments = {"patterns": PATTERNS, "scopes": SCOPES, "exclude": ["top"]}
    drawn = samples(pruning, count=150, **arguments)
    assert {values["pruning/pattern"] for values, _ in drawn} == set(PATTERNS)
    for values, found in drawn:
        pattern = values["pruning/pattern"]
        if pattern == "none":
            assert found == []
            assert names(values) == {"pattern"}
            continue
        [callback] = found
        assert isinstance(callback, Pruning)
        assert not callback.criterion.needs
        assert callback.exclude == ["top"]
        assert callback.schedule.end == values["pruning/end"]
        if pattern == "2:4":
            assert names(values) == {"pattern", "end"}
            assert callback.schedule.final == 0.5
        else:
            searched = {"pattern", "end", "sparsity", "scope"}
            if values["pruning/scope"] == "global":
                searched.add("criterion")
            assert names(values) == searched
            assert callback.schedule.final == values["pruning/sparsity"]
            assert 0.5 <= callback.schedule.final <= 0.9
        [same] = again(pruning, values, **arguments)
        assert same.get_config() == callback.get_config()


def test_criterion_matters_under_every_scope_where_it_is_not_magnitude_and_lamp_alone():
    drawn = samples(pruning, patterns=["weight"], criteria=["magnitude", "random"])
    for values, [callback] in drawn:
        assert type(callback.criterion).__name__.lower() == values["pruning/criterion"]
    assert {values["pruning/scope"] for values, _ in drawn} == {"layer", "global", "erk"}


def test_without_the_global_scope_the_first_criterion_stands():
    for values, [callback] in samples(pruning, patterns=["weight"], scopes=["layer"], count=5):
        assert "pruning/criterion" not in values
        assert type(callback.criterion).__name__ == "Magnitude"


def test_a_fixed_sparsity_is_always_pruned_to():
    for values, [callback] in samples(pruning, final_sparsity=0.7, count=10):
        assert values["pruning/sparsity"] == callback.schedule.final == 0.7
        assert values["pruning/pattern"] == "weight"


def test_a_sparsity_of_zero_prunes_nothing():
    hp = keras_tuner.HyperParameters()
    assert pruning(hp, final_sparsity=0.0) == []
    assert hp.values == {"pruning/pattern": "none"}


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ({"criteria": ["taylor"]}, ValueError, "criteria"),
        ({"patterns": ["wieght"]}, ValueError, "pattern"),
        ({"patterns": "weight"}, TypeError, "patterns"),
        ({"scopes": ["everywhere"]}, ValueError, "scopes"),
        ({"max_sparsity": 1.0}, ValueError, "max_sparsity"),
        ({"min_sparsity": 0.95}, ValueError, "min_sparsity"),
        ({"final_sparsity": 80}, ValueError, "final_sparsity"),
        ({"ends": [1.5]}, ValueError, "ends"),
        ({"ends": 0.5}, TypeError, "ends"),
        ({"ends": []}, ValueError, "ends"),
        ({"exclude": 3}, TypeError, "exclude"),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_registered(arguments, error, named):
    hp = keras_tuner.HyperParameters()
    with pytest.raises(error, match=f"`{named}`"):
        pruning(hp, **arguments)
    assert not hp.space
