"""Copies of callbacks, as KerasTuner makes them for every trial: a user's subclass keeps what it
was made of, and nothing of a run is shared."""

import copy
import pickle
import threading

import keras
import numpy as np
import pytest

from kerasopt.callbacks import (
    BackupAndRestore,
    ChannelPruning,
    DropoutSchedule,
    EarlyStopping,
    Pruning,
    WeightPenalty,
)
from kerasopt.schedules import PolynomialDecay
from kerasopt.stopping import Patience
from kerasopt.tuning.training.trial_callbacks import fresh_callbacks

KINDS = {
    EarlyStopping: ("loss", 0, 4),
    Pruning: (0.5,),
    ChannelPruning: (0.25,),
    DropoutSchedule: (0.3,),
    WeightPenalty: (1e-4,),
    BackupAndRestore: ("backups", 5),
}
NAMED = {Pruning: {"frequency": 7}, ChannelPruning: {"round_to": 4}}


def told(base):
    class Told(base):
        def __init__(self, *args, tag, **named):
            super().__init__(*args, **named)
            self.tag = [tag]
            self.seen = {}

    return Told


@pytest.mark.parametrize("base", KINDS)
@pytest.mark.parametrize("how", [copy.deepcopy, lambda one: fresh_callbacks([one])[0]])
def test_a_subclass_keeps_its_own_arguments(base, how):
    first = told(base)(*KINDS[base], tag="mine", **NAMED.get(base, {}))
    again = how(first)
    assert type(again) is type(first)
    assert again.tag == ["mine"]
    assert again.tag is not first.tag
    plain = base.get_config(first)
    assert {k: repr(v) for k, v in base.get_config(again).items()} == {
        k: repr(v) for k, v in plain.items()
    }


def test_own_configs_and_rules_are_kept_too():
    class Late(EarlyStopping):
        def __init__(self, first=0, **named):
            super().__init__(**named)
            self.first = first

        def get_config(self):
            return {**super().get_config(), "first": self.first}

    class Told(Patience):
        tag = None

    rule = Told(3)
    rule.tag = "mine"
    again = copy.deepcopy(Late(first=3, monitor="loss", rules=rule))
    assert (again.first, again.rule.tag, again.rule.patience) == (3, "mine", 3)
    assert again.rule is not rule


def test_a_copy_shares_nothing_of_a_run():
    x = np.random.default_rng(0).normal(size=(16, 2))
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    stopper = told(EarlyStopping)(tag="mine", monitor="loss", patience=1, min_delta=1e9)
    stopper.mine = model
    model.fit(x, x[:, :1], epochs=3, verbose=0, callbacks=[stopper])
    again = copy.deepcopy(stopper)
    assert stopper.stopped
    assert not again.stopped
    assert again.best_weights is None
    assert again.mine is model


def test_what_cannot_be_copied_is_said():
    stopper = told(EarlyStopping)(tag="mine", monitor="loss")
    stopper.lock = threading.Lock()
    with pytest.raises(ValueError, match="Told cannot .*callbacks=lambda"):
        fresh_callbacks([stopper])


class Decay(PolynomialDecay):
    """A schedule of the user's own."""

    def __init__(self, final, floor):
        super().__init__(0.0, final)
        self.floor = floor

    def __call__(self, step):
        return max(self.floor, super().__call__(step))


def test_a_schedule_of_ones_own_keeps_its_arguments_when_fit_begins():
    resolved = Decay(0.8, floor=0.25).resolve(100, 10)
    assert (resolved(0), resolved(100)) == (0.25, pytest.approx(0.8))
    assert pickle.loads(pickle.dumps(resolved)).floor == 0.25
    pruning = Pruning(Decay(0.8, floor=0.25))
    assert copy.deepcopy(pruning).schedule.floor == 0.25
