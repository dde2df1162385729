"""Rounds of pruning and training, and lottery tickets."""

import keras
import numpy as np
import pytest

from kerasopt.callbacks import Pruning
from kerasopt.pruning import prune, prune_in_rounds
from tests.pruning.small import X, Y, mlp, zeros


def train(model, callbacks):
    return model.fit(X, Y, epochs=2, batch_size=16, verbose=0, callbacks=callbacks)


def test_rounds_take_the_same_share_of_what_is_left():
    model = mlp()
    rounds = prune_in_rounds(model, train, 0.875, rounds=3, exclude="c", scope="layer")
    totals = [one.sparsity.total for one in rounds]
    assert totals == pytest.approx([0.5, 0.75, 0.875], abs=0.003)
    assert zeros(model)["b/kernel"] == 112
    assert [len(one.result.history["loss"]) for one in rounds] == [2, 2, 2]


@pytest.mark.parametrize("step", [0, 3])
def test_a_lottery_ticket_goes_back(step):
    model = mlp()
    model.compile(keras.optimizers.Adam(), model.loss)
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.append((np.asarray(model.get_layer("b").kernel), int(model.optimizer.iterations)))

    def fit(model, callbacks):
        return model.fit(X, Y, epochs=2, batch_size=16, shuffle=False, verbose=0,
                         callbacks=[Watch(), *callbacks])  # fmt: skip

    prune_in_rounds(model, fit, 0.75, rounds=2, exclude="c", rewind_to=step, scope="layer")
    (start, _), (first, steps), (second, _) = seen
    assert steps == step
    for ticket, share in ((first, 0.5), (second, 0.75)):
        assert (ticket == 0).sum() == 128 * share
        if step == 0:
            np.testing.assert_array_equal(ticket, np.where(ticket != 0, start, 0))
    assert ((first != 0) | (second == 0)).all()
    np.testing.assert_array_equal(second, np.where(second != 0, first, 0))
    with pytest.raises(ValueError, match="ended after 8 steps.*rewind_to=50"):
        prune_in_rounds(mlp(), train, 0.5, rewind_to=50, scope="layer")


@pytest.mark.parametrize(("several", "found"), [(1, 6), (2, 6), (4, 8)])
def test_steps_are_batches_also_when_several_make_an_execution(several, found):
    model = mlp()
    model.compile(keras.optimizers.Adam(), model.loss, steps_per_execution=several)
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.append(int(model.optimizer.iterations))

    def fit(model, callbacks):  # two epochs of four batches
        return model.fit(X, Y, epochs=2, batch_size=16, verbose=0, callbacks=[Watch(), *callbacks])

    prune_in_rounds(model, fit, 0.5, rounds=1, rewind_to=6, scope="layer")
    assert seen == [0, found]


def test_wrong_arguments_of_rounds():
    with pytest.raises(TypeError, match="`fit_fn`"):
        prune_in_rounds(mlp(), None, 0.5, scope="layer")
    with pytest.raises(ValueError, match="`rounds`"):
        prune_in_rounds(mlp(), train, 0.5, rounds=0, scope="layer")
    with pytest.raises(ValueError, match="`sparsity`"):
        prune_in_rounds(mlp(), train, 1.5, scope="layer")
    with pytest.raises(ValueError, match="`rewind_to`"):
        prune_in_rounds(mlp(), train, 0.5, rewind_to=-1, scope="layer")


@pytest.mark.parametrize("rewind_to", [None, 0, 3])
def test_a_function_that_forgets_the_callbacks_is_said(rewind_to):
    with pytest.raises(ValueError, match=r"`fit_fn`.*passes its callbacks"):
        prune_in_rounds(
            mlp(),
            lambda model, callbacks: model.fit(X, Y, verbose=0),
            0.5,
            rewind_to=rewind_to,
            scope="layer",
        )


def test_a_function_that_trains_twice():
    def fit(model, callbacks):
        for _ in range(2):
            model.fit(X, Y, batch_size=16, verbose=0, callbacks=callbacks)

    model = mlp()
    prune_in_rounds(model, fit, 0.5, rounds=1, rewind_to=6, scope="layer")
    assert zeros(model)["b/kernel"] == 64


def test_many_rounds_make_no_noise(capfd):
    model = mlp()
    for _ in range(8):
        prune(model, 0.5, scope="layer")
        model.fit(X, Y, batch_size=32, verbose=0, callbacks=[Pruning("keep")])
    assert "retracing" not in capfd.readouterr().err
