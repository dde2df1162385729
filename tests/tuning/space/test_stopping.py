import keras_tuner
import pytest

from kerasopt.callbacks import EarlyStopping
from kerasopt.stopping import NonFinite
from kerasopt.tuning.space import stopping
from tests.tuning.space.sampling import again, samples

RULES = ["none", "patience", "up_strips", "generalization_loss"]
SEARCHED = {
    "none": set(),
    "patience": {"stopping/patience"},
    "up_strips": {"stopping/strips"},
    "generalization_loss": {"stopping/alpha"},
}


def test_every_configuration_is_a_stopper_with_its_rule():
    drawn = samples(stopping, rules=RULES, monitor="val_accuracy", mode="max")
    assert {values["stopping/rule"] for values, _ in drawn} == set(RULES)
    for values, found in drawn:
        rule = values["stopping/rule"]
        assert set(values) == {"stopping/rule"} | SEARCHED[rule]
        if rule == "none":
            assert found == []
            continue
        [stopper] = found
        assert isinstance(stopper, EarlyStopping)
        assert stopper.monitor == "val_accuracy"
        leaves = stopper.rule.leaves()
        assert any(isinstance(leaf, NonFinite) for leaf in leaves)
        [name] = SEARCHED[rule]
        assert getattr(leaves[0], name.split("/")[1]) == values[name]
        [same] = again(stopping, values, rules=RULES, monitor="val_accuracy", mode="max")
        assert same.get_config() == stopper.get_config()


def test_patience_is_an_integer_in_its_range():
    found = {values["stopping/patience"] for values, _ in samples(stopping, max_patience=8)}
    assert found == {3, 4, 5, 6, 7, 8}


def test_a_fixed_patience_is_not_searched():
    hp = keras_tuner.HyperParameters()
    [stopper] = stopping(hp, patience=5, restore_best_weights=False)
    assert hp.values["stopping/patience"] == 5
    assert stopper.restore_best_weights is False
    assert {type(one).__name__ for one in hp.space} == {"Fixed"}


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ({"rules": ["patince"]}, ValueError, "rules"),
        ({"patience": 0}, ValueError, "patience"),
        ({"patience": 2.5}, TypeError, "patience"),
        ({"min_patience": 30}, ValueError, "min_patience"),
        ({"min_alpha": 0.0}, ValueError, "min_alpha"),
        ({"mode": "up"}, ValueError, "mode"),
        ({"restore_best_weights": 1}, TypeError, "restore_best_weights"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, named):
    with pytest.raises(error, match=f"`{named}`"):
        stopping(keras_tuner.HyperParameters(), **arguments)
