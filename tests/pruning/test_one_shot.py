"""Pruning at once."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasopt import _keras
from kerasopt.callbacks import EarlyStopping, Pruning
from kerasopt.pruning import NM, Channel, prune, prune_in_rounds, sparsity
from kerasopt.schedules import OneShot, PolynomialDecay
from tests.graph import models

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 3, 64)
X = (RNG.normal(size=(3, 12))[Y] + 0.5 * RNG.normal(size=(64, 12))).astype("float32")


def mlp():
    model = keras.Sequential(
        [
            keras.Input((12,)),
            layers.Dense(16, "relu", name="a"),
            layers.Dense(8, "relu", name="b"),
            layers.Dense(3, name="c"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    return model


def zeros(model):
    return {row.path: row.zeros for row in sparsity(model).rows}


@pytest.mark.parametrize(
    "criterion", ["magnitude", "lamp", "random", "taylor", "snip", "movement", "wanda", np.square]
)
@pytest.mark.parametrize("scope", ["layer", "global", "erk", "dense_ends", {"b": 0.75}])
def test_every_criterion_with_every_scope(criterion, scope):
    model = mlp()
    table = prune(model, 0.5, criterion, scope=scope, data=(X, Y))
    found = zeros(model)
    if scope == "layer":
        assert found == {"a/kernel": 96, "b/kernel": 64, "c/kernel": 12}
    elif scope == "dense_ends":
        assert found == {"a/kernel": 0, "b/kernel": 64, "c/kernel": 0}
    elif isinstance(scope, dict):
        assert found == {"a/kernel": 96, "b/kernel": 96, "c/kernel": 12}
    else:
        assert sum(found.values()) == (192 + 128 + 24) // 2
    assert table.total == sparsity(model).total
    assert all(v.constraint is None for v in model.trainable_variables)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("2:4", {"a/kernel": 96, "b/kernel": 64, "c/kernel": 12}),
        (NM(1, 2), {"a/kernel": 96, "b/kernel": 64, "c/kernel": 12}),
        ("block_4x4", {"a/kernel": 96, "b/kernel": 64, "c/kernel": 12}),
        # Of three channels one and a half would go: two of them stay.
        (Channel(), {"a/kernel": 96, "b/kernel": 64, "c/kernel": 8}),
    ],
)
def test_every_pattern(pattern, expected):
    model = mlp()
    prune(model, 0.5, pattern=pattern)
    assert zeros(model) == expected


def test_a_better_criterion_hurts_less():
    model = mlp()
    model.compile("adam", model.loss)
    model.fit(X, Y, epochs=60, verbose=0)
    dense = model.evaluate(X, Y, verbose=0)
    weights = model.get_weights()
    losses = {}
    for criterion in ("random", "magnitude", "taylor", "wanda"):
        model.set_weights(weights)
        prune(model, 0.5, criterion, data=(X, Y))
        losses[criterion] = model.evaluate(X, Y, verbose=0) - dense
    assert all(losses["random"] > losses[name] for name in ("magnitude", "taylor", "wanda"))


def test_attention_is_grouped_along_its_inputs():
    model = models.scrambled(models.attention())
    prune(model, 0.5, pattern="2:4", include="attend")
    kernel = np.asarray(model.get_layer("attend").query_dense.kernel).reshape(8, -1)
    kept = (kernel != 0).reshape(2, 4, -1).sum(1)
    assert (kept == 2).all()


def test_depthwise_channels_are_those_of_the_input():
    model = models.scrambled(
        keras.Sequential([keras.Input((8, 8, 4)), layers.DepthwiseConv2D(3, name="depth")])
    )
    prune(model, 0.5, pattern="channel")
    kernel = np.asarray(model.layers[0].kernel)
    assert sorted((kernel != 0).sum((0, 1, 3))) == [0, 0, 9, 9]


def test_errors_change_nothing():
    model = mlp()
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"`sparsity`.*at most 0\.5"):
        prune(model, 0.75, pattern="2:4")
    with pytest.raises(ValueError, match="`data`"):
        prune(model, 0.5, "taylor")
    with pytest.raises(ValueError, match=r"`criterion`.*'magnitude'"):
        prune(model, 0.5, "magnitud")
    with pytest.raises(ValueError, match="`scope`.*'b/kernel'|'b'"):
        prune(model, 0.5, scope={"bb": 0.5})
    with pytest.raises(ValueError, match="`sparsity`"):
        prune(model, 1.0)
    model.get_layer("b").kernel.assign(np.full((16, 8), np.nan))
    with pytest.raises(ValueError, match="b/kernel cannot be pruned"):
        prune(model, 0.5)
    for one, other in zip(before[:2], model.get_weights()[:2], strict=True):
        np.testing.assert_array_equal(one, other)
    assert all(v.constraint is None for v in model.trainable_variables)


# In `fit`.


@pytest.mark.parametrize("criterion", ["magnitude", "lamp", "taylor", "movement", "wanda"])
@pytest.mark.parametrize("pattern", ["weight", "2:4", "block_2x2", "channel"])
def test_in_fit(criterion, pattern):
    model = mlp()
    pruning = Pruning(
        PolynomialDecay(0.0, 0.5, end=0.75),
        exclude="c",
        frequency=2,
        criterion=criterion,
        pattern=pattern,
        data=(X, Y),
    )
    history = model.fit(X, Y, epochs=3, batch_size=16, verbose=0, callbacks=[pruning]).history
    masks = pruning.get_state()["masks"]
    assert {path: int((~kept).sum()) for path, kept in masks.items()} == {
        "a/kernel": 96,
        "b/kernel": 64,
    }
    # A weight that has come back begins at zero, and stays there while its gradient is zero.
    assert 0.5 <= history["sparsity"][-1] < 0.55
    again = Pruning.from_config(pruning.get_config())
    assert again.get_config() == pruning.get_config()


def test_named_layers_follow_the_schedule_in_proportion():
    model = mlp()
    schedule = PolynomialDecay(0.0, 0.8, end=1.0, power=1)
    pruning = Pruning(schedule, scope={"b": 0.4}, frequency=1)
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(zeros(model))
    )
    model.fit(X, Y, epochs=2, batch_size=32, verbose=0, callbacks=[pruning, watch])
    assert [one["b/kernel"] for one in seen] == [26, 51]  # 0.2 and 0.4 of 128
    assert [one["a/kernel"] for one in seen] == [77, 154]


def test_zeros_are_kept():
    model = mlp()
    prune(model, 0.75)
    before = {
        name: np.asarray(t) == 0 for name, t in zip("abc", model.get_weights()[::2], strict=True)
    }
    pruning = Pruning("keep")
    history = model.fit(X, Y, epochs=2, verbose=0, callbacks=[pruning]).history
    for name, was in before.items():
        np.testing.assert_array_equal(np.asarray(model.get_layer(name).kernel) == 0, was)
    assert history["sparsity"] == pytest.approx([0.75, 0.75])
    assert Pruning.from_config(pruning.get_config()).keeps
    with pytest.raises(ValueError, match="`schedule`.*'keep'"):
        Pruning("kepp")


def test_a_schedule_with_tfmots_interface():
    class Theirs:
        begin_step, end_step = 2, 7

        def __call__(self, step):
            return self.begin_step <= step <= self.end_step and step % 2 == 0, min(step, 7) / 14

    model = mlp()
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(zeros(model)["b/kernel"])
    )
    model.fit(X, Y, batch_size=4, verbose=0, callbacks=[Pruning(Theirs()), watch])
    # At steps 2, 4, 6, and at 7, its end.
    assert seen[:8] == [0, 18, 18, 37, 37, 55, 64, 64]
    assert seen[-1] == 64


@pytest.mark.parametrize("dynamics", ["rigl", "set"])
def test_connections_move_at_one_sparsity(dynamics):
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            mask = pruning.get_state()["masks"]["b/kernel"]
            seen.append(mask)

    model = mlp()
    pruning = Pruning(
        OneShot(0.75), exclude="c", frequency=2, scope="erk", criterion="random",
        dynamics=dynamics, data=(X, Y),
    )  # fmt: skip
    stopper = EarlyStopping("loss", patience=100)
    model.fit(X, Y, epochs=4, batch_size=16, verbose=0, callbacks=[pruning, Watch(), stopper])
    assert len({int(mask.sum()) for mask in seen}) == 1
    moved = [int((one & ~other).sum()) for one, other in itertools.pairwise(seen)]
    # Every second step of the first twelve, ever fewer; the last one, at step 12, moves none.
    assert [index for index, count in enumerate(moved) if count] == [0, 2, 4, 6, 8]
    assert all(later <= earlier for earlier, later in itertools.pairwise(moved[0:9:2]))
    kernel = np.asarray(model.get_layer("b").kernel)
    assert (kernel[~seen[-1]] == 0).all()
    assert Pruning.from_config(pruning.get_config()).get_config() == pruning.get_config()


def test_dynamics_that_cannot_be():
    with pytest.raises(ValueError, match="`dynamics`.*'weight'"):
        Pruning(0.5, pattern="2:4", dynamics="set")
    with pytest.raises(ValueError, match="`data`.*RigL"):
        mlp().fit(X, Y, verbose=0, callbacks=[Pruning(0.5, dynamics="rigl")])


@pytest.mark.parametrize("momentum", ["keep", "mask"])
def test_momenta_of_pruned_weights(momentum):
    model = mlp()
    model.compile(keras.optimizers.Adam(use_ema=True), model.loss)
    pruning = Pruning(OneShot(0.75, at=4), exclude="c", momentum=momentum)
    model.fit(X, Y, batch_size=8, verbose=0, callbacks=[pruning])
    kernel = model.get_layer("a").kernel
    gone = np.asarray(kernel) == 0
    for owner, slot in _keras.slots(model.optimizer):
        if owner is kernel:
            assert (np.asarray(slot)[gone] == 0).all() == (momentum == "mask")
            assert (np.asarray(slot)[~gone] != 0).any()
    with pytest.raises(ValueError, match="`momentum`.*'mask'"):
        Pruning(0.5, momentum="masked")


def scalars(folder):
    found = {}
    for path in folder.glob("events*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                number = float(tf.make_ndarray(value.tensor))
                found.setdefault(value.tag, []).append((event.step, number))
    return found


def test_what_tensorboard_gets(tmp_path):
    model = mlp()
    schedule = PolynomialDecay(0.0, 0.75, begin=0, end=4, power=1)
    pruning = Pruning(schedule, exclude="c", frequency=2, log_dir=tmp_path)
    model.fit(X, Y, batch_size=16, epochs=2, verbose=0, callbacks=[pruning])
    found = scalars(tmp_path)
    # Rising in two updates after the one at the first step, at which the sparsity is that of 1.
    assert found["pruning/sparsity/a/kernel"] == [(1, 36 / 192), (2, 72 / 192), (4, 0.75)]
    assert [step for step, _ in found["pruning/churn/b/kernel"]] == [1, 2, 4]
    assert found["pruning/sparsity"][-1] == (4, 0.75)
    kernel = np.abs(np.asarray(model.get_layer("a").kernel))
    assert 0 < found["pruning/threshold/a/kernel"][-1][1] <= kernel.max()
    assert Pruning.from_config(pruning.get_config()).log_dir == str(tmp_path)
    with pytest.raises(TypeError, match="`log_dir`"):
        Pruning(0.5, log_dir=3)


# In rounds.


def train(model, callbacks):
    return model.fit(X, Y, epochs=2, batch_size=16, verbose=0, callbacks=callbacks)


def test_rounds_take_the_same_share_of_what_is_left():
    model = mlp()
    rounds = prune_in_rounds(model, train, 0.875, rounds=3, exclude="c")
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

    prune_in_rounds(model, fit, 0.75, rounds=2, exclude="c", rewind_to=step)
    (start, _), (first, steps), (second, _) = seen
    assert steps == step
    for ticket, share in ((first, 0.5), (second, 0.75)):
        assert (ticket == 0).sum() == 128 * share
        if step == 0:
            np.testing.assert_array_equal(ticket, np.where(ticket != 0, start, 0))
    assert ((first != 0) | (second == 0)).all()
    np.testing.assert_array_equal(second, np.where(second != 0, first, 0))
    with pytest.raises(ValueError, match="ended after 8 steps.*rewind_to=50"):
        prune_in_rounds(mlp(), train, 0.5, rewind_to=50)


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

    prune_in_rounds(model, fit, 0.5, rounds=1, rewind_to=6)
    assert seen == [0, found]


def test_wrong_arguments_of_rounds():
    with pytest.raises(TypeError, match="`fit`"):
        prune_in_rounds(mlp(), None, 0.5)
    with pytest.raises(ValueError, match="`rounds`"):
        prune_in_rounds(mlp(), train, 0.5, rounds=0)
    with pytest.raises(ValueError, match="`sparsity`"):
        prune_in_rounds(mlp(), train, 1.5)
    with pytest.raises(ValueError, match="`rewind_to`"):
        prune_in_rounds(mlp(), train, 0.5, rewind_to=-1)


def test_what_a_pattern_cannot_express_is_said_before_training():
    with pytest.raises(ValueError, match=r"`schedule`.*at most 0\.5.*NM"):
        Pruning(0.9, pattern="2:4")
    with pytest.raises(ValueError, match="at most 0.75"):
        Pruning(PolynomialDecay(0.0, 0.8), pattern=NM(1, 4))
    Pruning(0.5, pattern="2:4")
    Pruning(0.99, pattern="block_4x4")


def test_kernels_that_blocks_do_not_divide_are_named_once():
    pruning = Pruning(0.5, pattern="block_8x8", exclude="b")
    with pytest.warns(UserWarning, match="does not divide a/kernel, c/kernel: at") as caught:
        mlp().fit(X, Y, epochs=3, verbose=0, callbacks=[pruning])
    assert len([one for one in caught if "divide" in str(one.message)]) == 1
