"""The spaces in one search: a plain tuner of KerasTuner finds all of their hyperparameters."""

import keras
import keras_tuner
import pytest

from kerasopt.tuning import space


def build(hp):
    for one in (space.regularization, space.dropout, space.quantization):
        one(hp)
    space.pruning(hp, patterns=["none", "weight", "2:4"])
    space.stopping(hp, rules=["none", "patience", "up_strips"])
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


# Of KerasTuner itself.
@pytest.mark.filterwarnings("ignore:(currentThread|getName)..:DeprecationWarning")
def test_a_tuner_activates_every_scope_and_draws_what_is_active(tmp_path):
    tuner = keras_tuner.RandomSearch(build, "val_loss", max_trials=9, seed=1, directory=tmp_path)
    found = {one.name for one in tuner.oracle.get_space().space}
    assert found == {
        "regularization/kind",
        "regularization/l1",
        "regularization/l2",
        "dropout/kind",
        "dropout/rate",
        "quantization/mode",
        "pruning/pattern",
        "pruning/sparsity",
        "pruning/scope",
        "pruning/criterion",
        "pruning/end",
        "stopping/rule",
        "stopping/patience",
        "stopping/strips",
    }
    for number in range(9):
        values = tuner.oracle.create_trial(f"tuner{number}").hyperparameters.values
        assert ("pruning/sparsity" in values) == (values["pruning/pattern"] == "weight")
        assert ("dropout/rate" in values) == (values["dropout/kind"] == "auto")
        assert ("stopping/patience" in values) == (values["stopping/rule"] == "patience")
