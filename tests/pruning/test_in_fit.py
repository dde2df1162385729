"""Criteria, patterns, scopes and dynamics inside `fit`."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasopt import _keras
from kerasopt.callbacks import EarlyStopping, Pruning
from kerasopt.pruning import NM, DenseEnds, prune
from kerasopt.schedules import OneShot, PolynomialDecay
from tests.pruning.shapes import FITS, mask_matrices
from tests.pruning.small import X, Y, mlp, zeros


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
        scope="layer",
        data=(X, Y),
    )
    history = model.fit(X, Y, epochs=3, batch_size=16, verbose=0, callbacks=[pruning]).history
    masks = pruning.get_state()["masks"]
    assert {path: int((~kept).sum()) for path, kept in masks.items()} == {
        "a/kernel": 96,
        "b/kernel": 64,
    }
    for matrix in mask_matrices(pruning).values():
        if pattern == "weight":
            assert not any(fits(matrix) for fits in FITS.values())
        else:
            assert FITS[pattern](matrix)
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
    prune(model, 0.75, scope="layer")
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
    model.fit(X, Y, batch_size=4, verbose=0, callbacks=[Pruning(Theirs(), scope="layer"), watch])
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
    pruning = Pruning(OneShot(0.75, at=4), exclude="c", momentum=momentum, scope="layer")
    model.fit(X, Y, batch_size=8, verbose=0, callbacks=[pruning])
    kernel = model.get_layer("a").kernel
    gone = np.asarray(kernel) == 0
    for owner, slot in _keras.slots(model.optimizer):
        if owner is kernel:
            assert (np.asarray(slot)[gone] == 0).all() == (momentum == "mask")
            assert (np.asarray(slot)[~gone] != 0).any()
    with pytest.raises(ValueError, match="`momentum`.*'mask'"):
        Pruning(0.5, momentum="masked", scope="layer")


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
    pruning = Pruning(schedule, exclude="c", frequency=2, log_dir=tmp_path, scope="layer")
    smallest = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            kept = pruning.get_state()["masks"]["a/kernel"]
            smallest.append(np.abs(np.asarray(model.get_layer("a").kernel)[kept]).min())

    model.fit(X, Y, batch_size=16, epochs=2, verbose=0, callbacks=[pruning, Watch()])
    found = scalars(tmp_path)
    # Rising in two updates after the one at the first step, at which the sparsity is that of 1.
    assert found["pruning/sparsity/a/kernel"] == [(1, 36 / 192), (2, 72 / 192), (4, 0.75)]
    assert [step for step, _ in found["pruning/churn/b/kernel"]] == [1, 2, 4]
    assert found["pruning/sparsity"][-1] == (4, 0.75)
    # As float32, in which both are exact.
    seen = [(step, float(smallest[step - 1])) for step in (1, 2, 4)]
    assert found["pruning/threshold/a/kernel"] == seen
    assert 0 < seen[0][1] < seen[1][1] < seen[2][1]
    assert Pruning.from_config(pruning.get_config()).log_dir == str(tmp_path)
    with pytest.raises(TypeError, match="`log_dir`"):
        Pruning(0.5, log_dir=3, scope="layer")


def test_what_a_pattern_cannot_express_is_said_before_training():
    with pytest.raises(ValueError, match=r"`schedule`.*at most 0\.5.*NM"):
        Pruning(0.9, pattern="2:4")
    with pytest.raises(ValueError, match="at most 0.75"):
        Pruning(PolynomialDecay(0.0, 0.8), pattern=NM(1, 4))
    with pytest.raises(ValueError, match=r"`scope`.*at most 0\.5.*Received.*'a': 0\.75"):
        Pruning(0.5, pattern="2:4", scope={"a": 0.75})
    with pytest.raises(ValueError, match=r"`scope`.*at most 0\.5"):
        Pruning(0.5, pattern="2:4", scope=DenseEnds({"b": 0.75}))
    Pruning(0.5, pattern="2:4", scope={"a": 0.5})
    Pruning(0.99, pattern="block_4x4")


@pytest.mark.parametrize("scope", [{"d": 0.5}, DenseEnds({"a": 0.5})])
def test_a_scope_that_does_not_fit_is_said_before_training(scope):
    pruning = Pruning(PolynomialDecay(0.0, 0.5, begin=3, end=1.0), scope=scope)
    model, seen = mlp(), []
    watch = keras.callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: seen.append(1))
    with pytest.raises(ValueError, match="`scope`.*a kernel.*The kernels are"):
        model.fit(X, Y, batch_size=8, verbose=0, callbacks=[watch, pruning])
    assert not seen
    assert all(v.constraint is None for v in model.trainable_variables)


def test_kernels_that_blocks_do_not_divide_are_named_once():
    pruning = Pruning(0.5, pattern="block_8x8", exclude="b")
    with pytest.warns(UserWarning, match="does not divide a/kernel, c/kernel: at") as caught:
        mlp().fit(X, Y, epochs=3, verbose=0, callbacks=[pruning])
    assert len([one for one in caught if "divide" in str(one.message)]) == 1
