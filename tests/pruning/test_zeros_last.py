"""Zeros that are there stay, and come back where a schedule falls: the criterion and its uses."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

from kerasopt.callbacks import Pruning
from kerasopt.pruning import Context, Criterion, prune, prune_in_rounds
from kerasopt.pruning.criteria import Magnitude, Movement, ZerosLast
from kerasopt.schedules import OneShot, Steps
from tests.pruning.small import X, Y, mlp, zeros

FLOATS = st.floats(-1e6, 1e6, width=32)


@given(
    st.lists(st.tuples(st.booleans(), FLOATS), min_size=1, max_size=20),
    st.booleans(),
    st.booleans(),
)
def test_zeros_are_below_all_others_in_their_order(pairs, again, tied):
    weights = np.array([0.0 if zero else 1.0 for zero, _ in pairs])
    moved = np.array([0.0 if zero and tied else score for zero, score in pairs], np.float32)
    scores = ZerosLast(Movement(), again).scores(weights, Context(moved=moved))
    gone = weights == 0
    np.testing.assert_array_equal(scores[~gone], moved[~gone])
    if gone.any() and (~gone).any():
        assert scores[gone].max() < scores[~gone].min()
    order = np.argsort(moved[gone], kind="stable")
    if len(set(moved[gone])) > 1:
        assert (np.diff(scores[gone][order]) >= 0).all()


@pytest.mark.parametrize("edge", [np.inf, -np.inf])
def test_infinite_scores(edge):
    scores = ZerosLast(Movement()).scores(
        np.array([1.0, 0.0]), Context(moved=np.array([edge, 0.0]))
    )
    assert scores[1] <= scores[0]
    assert not np.isnan(scores).any()


def test_zeros_come_back_where_the_gradient_is_largest():
    weights = np.array([0.0, 0.0, 0.0, 2.0])
    context = Context(gradient=np.array([0.1, -9.0, 1.0, 50.0]))
    scores = ZerosLast(Magnitude(), again=True).scores(weights, context)
    assert list(np.argsort(scores)) == [0, 2, 1, 3]


def test_where_a_schedule_falls_they_come_back_everywhere():
    model = keras.Sequential([keras.Input((16,)), layers.Dense(32, name="a")])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    pruning = Pruning(Steps([(0, 0.8), (4, 0.5)]), frequency=1, scope="layer")
    masks = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: masks.append(
            pruning.get_state()["masks"]["a/kernel"]
        )
    )
    x = np.ones((64, 16))
    model.fit(x, np.ones((64, 32)), batch_size=8, verbose=0, callbacks=[pruning, watch])
    assert (masks[0] <= masks[-1]).all()
    returned = masks[-1] & ~masks[0]
    assert returned.sum() == 256 - 102
    # By chance among 410 places: 25.6 of 32 were gone in a row, 9.6 of them come back.
    assert (returned.sum(axis=1) >= 2).all()


class Signed(Criterion):
    """A weight's value is its worth."""

    def scores(self, weights, context):
        return weights


def test_a_sparse_model_loses_only_what_is_missing():
    for criterion in (Signed(), "movement", lambda w: -np.abs(w)):
        model = mlp()
        prune(model, 0.5, scope="layer")
        before = [w == 0 for w in model.get_weights()[::2]]
        prune(model, 0.6, criterion=criterion, data=(X, Y), scope="layer")
        assert zeros(model) == {"a/kernel": 115, "b/kernel": 77, "c/kernel": 14}
        after = [w == 0 for w in model.get_weights()[::2]]
        assert all((one <= other).all() for one, other in zip(before, after, strict=True))


def test_rounds_of_movement_reach_each_sparsity():
    def fit(model, callbacks):
        return model.fit(X, Y, batch_size=16, verbose=0, callbacks=callbacks)

    rounds = prune_in_rounds(
        mlp(), fit, 0.75, rounds=2, criterion="movement", data=(X, Y), scope="layer"
    )
    assert [one.sparsity.total for one in rounds] == pytest.approx([0.5, 0.75], abs=0.003)


def test_prune_within_a_fit_leaves_its_masks():
    model = mlp()

    class Meddling(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                prune(model, 0.1, include="b", scope="layer")

    history = model.fit(
        X, Y, epochs=3, verbose=0, callbacks=[Pruning(OneShot(0.75), scope="layer"), Meddling()]
    )
    assert history.history["sparsity"] == pytest.approx([0.75] * 3)


def test_frozen_layers_are_not_counted():
    model = mlp()
    model.get_layer("a").trainable = False
    with pytest.warns(UserWarning, match="prune leaves out frozen"):
        table = prune(model, 0.5, scope="layer")
    assert table.total == 0.5
    assert [row.path for row in table.rows] == ["b/kernel", "c/kernel"]
