"""What stands beside a pruning: Keras's callbacks that compare epochs, and a later training."""

import pickle
import re
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasopt._core import fit_state
from kerasopt.callbacks import (
    BackupAndRestore,
    ChannelPruning,
    EarlyStopping,
    ModelCheckpoint,
    Pruning,
    ReduceLROnPlateau,
)
from kerasopt.pruning import prune, sparsity
from kerasopt.pruning.collapse import collapsed
from kerasopt.schedules import Constant, PolynomialDecay, Steps
from tests.pruning.small import X, Y, mlp, zeros

WHOLE = {"a/kernel": 154, "b/kernel": 102, "c/kernel": 19}  # zeros at 80 % of each layer


def fit(model, *callbacks, epochs=4, **how):
    """Train for two steps an epoch."""
    return model.fit(X, Y, batch_size=32, epochs=epochs, verbose=0, callbacks=[*callbacks], **how)


def half(end="3 epochs"):
    return Pruning(PolynomialDecay(0.0, 0.8, begin=0, end=end), scope="layer")


def warned(of, *callbacks, **how):
    """Give the warnings of a `fit` that hold a text."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(mlp(), *callbacks, **how)
    return [one for one in caught if of in str(one.message)]


class Grade(keras.callbacks.Callback):
    """Log a metric whose first epoch is the best."""

    def on_epoch_end(self, epoch, logs=None):
        logs["grade"] = float(epoch)


def keras_own(path):
    return [
        keras.callbacks.EarlyStopping("loss", patience=9),
        keras.callbacks.ModelCheckpoint(path, "loss", save_best_only=True),
        keras.callbacks.ReduceLROnPlateau("loss"),
    ]


@pytest.mark.parametrize("place", ["before", "after"])
def test_keras_callbacks_that_compare_epochs_are_named_once(place, tmp_path):
    own = keras_own(tmp_path / "a.keras")
    order = [*own, half()] if place == "before" else [half(), *own]
    [found] = warned("would compare epochs", *order)
    assert found.filename == __file__
    text = str(found.message)
    assert "Pruning changes the model until step 6, in epoch 3" in text
    assert "`EarlyStopping(monitor='loss')`" in text
    assert "`ModelCheckpoint(save_best_only=True, monitor='loss')`" in text
    assert "EarlyStopping and ModelCheckpoint and ReduceLROnPlateau from `kerasopt.callba" in text


def test_what_compares_nothing_or_waits_by_itself_is_not_named(tmp_path):
    path = tmp_path / "a.keras"
    quiet = [
        keras.callbacks.ModelCheckpoint(path),
        keras.callbacks.EarlyStopping("loss", start_from_epoch=2),
        EarlyStopping("loss", patience=1),
        ModelCheckpoint(path, "loss", save_best_only=True),
        ReduceLROnPlateau("loss"),
    ]
    assert not warned("would compare epochs", half(), *quiet)
    # Nothing rises: all epochs are of the same sparsity.
    assert not warned("would compare epochs", Pruning("keep"), *keras_own(path))
    two = [half(), ChannelPruning(0.5, include="a")]
    prunings = [Pruning(0.5, include="c"), two[1]]
    assert len(warned("would compare epochs", *prunings, *keras_own(path))) == 1


@pytest.mark.parametrize("freq", ["epoch", 1])
def test_the_best_of_the_epochs_after_the_schedule_is_saved(freq, tmp_path):
    path = tmp_path / "best.keras"

    class Graded(Grade):
        def on_train_batch_end(self, batch, logs=None):
            logs["grade"] = float(self.model.optimizer.iterations)

    checkpoint = ModelCheckpoint(path, "grade", save_best_only=True, mode="min", save_freq=freq)
    fit(mlp(), Graded(), half(), checkpoint, epochs=5)
    assert checkpoint.best == (2.0 if freq == "epoch" else 6.0)
    assert zeros(keras.models.load_model(path)) == WHOLE


def test_a_checkpoint_without_pruning_is_keras_own(tmp_path):
    paths = tmp_path / "a-{epoch}.keras", tmp_path / "b-{epoch}.keras"
    both = [
        kind(path, "grade", save_best_only=True, mode="max")
        for kind, path in zip(
            (ModelCheckpoint, keras.callbacks.ModelCheckpoint), paths, strict=True
        )
    ]
    fit(mlp(), Grade(), *both, epochs=2)
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "a-1.keras",
        "a-2.keras",
        "b-1.keras",
        "b-2.keras",
    ]
    late = ModelCheckpoint(tmp_path / "c.keras", "grade", save_best_only=True, mode="max")
    with pytest.warns(UserWarning, match="nothing was saved to"):
        fit(mlp(), Grade(), half("9 epochs"), late, epochs=1)
    fit(mlp(), Grade(), half("9 epochs"), ModelCheckpoint(tmp_path / "d.keras"), epochs=1)
    assert not (tmp_path / "c.keras").exists()
    assert (tmp_path / "d.keras").exists()


def test_the_learning_rate_waits_for_the_schedule_and_every_epoch_logs_it():
    how = {"monitor": "grade", "factor": 0.5, "patience": 1, "mode": "min"}
    rates = fit(mlp(), Grade(), half(), ReduceLROnPlateau(**how), epochs=6).history["learning_rate"]
    # Epochs count from the third on; the fourth is no better, and the fifth has half the rate.
    np.testing.assert_allclose(rates, [0.01, 0.01, 0.01, 0.01, 0.005, 0.0025])
    free = [
        fit(mlp(), Grade(), kind(**how), epochs=4).history["learning_rate"]
        for kind in (ReduceLROnPlateau, keras.callbacks.ReduceLROnPlateau)
    ]
    assert free[0] == free[1]


def test_their_state_comes_back(tmp_path):
    plateau = ReduceLROnPlateau("grade", patience=9, mode="min")
    checkpoint = ModelCheckpoint(tmp_path / "a.keras", "grade", save_best_only=True, mode="min")
    fit(mlp(), Grade(), plateau, checkpoint, epochs=3)
    states = plateau.get_state(), checkpoint.get_state()
    assert states[0] == {"best": 0.0, "wait": 2, "cooldown_counter": 0}
    again = ReduceLROnPlateau("grade", patience=9, mode="min")
    other = ModelCheckpoint(tmp_path / "b.keras", "grade", save_best_only=True, mode="min")
    again.set_state(states[0])
    other.set_state(states[1])
    fit(mlp(), Grade(), again, other, epochs=2)
    # The first epoch is as good as the best, not better.
    assert again.wait == 4
    assert not (tmp_path / "b.keras").exists()
    with pytest.raises(ValueError, match="`state`"):
        again.set_state({"best": 1.0})


def test_a_backup_knows_a_plateau_again(tmp_path):
    # Keras turns the sign of `min_delta` at the first comparison.
    class Breaks(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                raise InterruptedError

    def callbacks():
        return [ReduceLROnPlateau("loss"), keras.callbacks.ReduceLROnPlateau("loss")]

    with pytest.raises(InterruptedError):
        fit(mlp(), *callbacks(), BackupAndRestore(tmp_path), Breaks())
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fit(mlp(), *callbacks(), BackupAndRestore(tmp_path))


@pytest.mark.parametrize("kind", [ModelCheckpoint, ReduceLROnPlateau])
def test_a_metric_without_a_direction_is_said_in_the_first_epoch(kind, tmp_path):
    how = (tmp_path / "a.keras", "grade", 0, True) if kind is ModelCheckpoint else ("grade",)
    rows = []
    log = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: rows.append(epoch))
    with pytest.raises(ValueError, match="mode='max'"):
        fit(mlp(), log, Grade(), half(), kind(*how))
    assert rows == [0]


# A collapse.


@pytest.mark.parametrize(
    ("logs", "classes", "entropy", "said"),
    [
        ({"accuracy": [0.9, 0.5, 0.2]}, 10, True, "accuracy fell from 0.9 to 0.2"),
        ({"accuracy": [0.9, 0.5, 0.2], "val_accuracy": [0.8, 0.5, 0.4]}, 10, True, ""),
        ({"out_acc": [0.9, 0.5]}, 2, True, "out_acc fell from 0.9 to 0.5"),
        ({"accuracy": [0.15, 0.1]}, 10, True, ""),  # it never was any good
        ({"accuracy": [0.9]}, 10, True, ""),
        ({"loss": [0.2, 0.3, 1.1]}, None, False, "loss rose from 0.2 to 1.1"),
        ({"loss": [0.2, 0.3, 0.9]}, None, False, ""),
        ({"loss": [0.6, 2.2]}, 10, True, "loss rose from 0.6 to 2.2, that of a guess"),
        ({"loss": [2.2, 2.2]}, 10, True, ""),
        ({"loss": [1e-4, 2e-2]}, 10, True, ""),  # of next to nothing
        ({"loss": [0.2, np.nan]}, None, False, "loss rose from 0.2 to nan"),
        ({"loss": [0.2, 3.0], "val_loss": [0.3, 0.4]}, None, False, ""),
        ({"recall": [0.9, 0.1], "loss": [0.2, 0.3]}, None, False, ""),
    ],
)
def test_what_is_a_collapse(logs, classes, entropy, said):
    epochs = [dict(zip(logs, values, strict=True)) for values in zip(*logs.values(), strict=True)]
    assert collapsed(epochs, classes, entropy) == said


def test_a_collapse_is_said_once_with_what_to_try():
    keras.utils.set_random_seed(0)
    model = mlp()
    model.compile(keras.optimizers.Adam(0.01), model.loss, metrics=["accuracy"])
    fit(model, epochs=20)
    model.compile("sgd", model.loss, metrics=["accuracy"])
    model.optimizer.learning_rate = 0.0
    falls = Pruning(Steps({0: 0.0, "1 epochs": 0.1, "2 epochs": 0.97}), scope="layer", frequency=1)
    with pytest.warns(UserWarning, match="collapsed") as caught:
        fit(model, falls, epochs=4)
    [text] = [str(one.message) for one in caught if "collapsed" in str(one.message)]
    # The epoch in which it ends is half of one and half of the other.
    assert "collapsed at 97%: accuracy fell from 1 to 0." in text
    assert '`scope="global"`' in text
    assert not warned("collapsed", half())


def test_a_schedule_that_does_not_name_its_end_is_waited_for(tmp_path):
    def theirs(step):
        return True, min(step, 4) / 5

    own = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", "loss", save_best_only=True)
    stopper = EarlyStopping("loss", patience=9)
    model = mlp()
    with pytest.warns(UserWarning, match=r"Pruning changes the model until step 4, in epoch 2"):
        fit(model, Pruning(theirs, scope="layer"), own, stopper, epochs=3)
    assert stopper.best_epoch >= 1
    assert list(zeros(model).values()) == list(WHOLE.values())
    stopper = EarlyStopping("loss", patience=9)
    wave = Pruning(lambda step: (True, 0.4 + 0.4 * (step % 2)))
    with pytest.warns(
        UserWarning, match=r"EarlyStopping: only epochs after Pruning count"
    ) as caught:
        fit(mlp(), wave, stopper, epochs=3)
    assert not [one for one in caught if "before the schedule's end" in str(one.message)]


# A later training.


def test_a_plain_fit_after_pruning_says_that_it_fills_the_zeros_once():
    model = mlp()
    fit(model, half())
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.evaluate(X, Y, verbose=0)
        fit(model, Pruning("keep"))
    assert zeros(model) == WHOLE
    assert "remain" not in str(sparsity(model))
    with pytest.warns(UserWarning, match=r'Pruning left 79.9% zeros.*Pruning\("keep"\)') as caught:
        fit(model, epochs=2)
    assert [one.filename for one in caught] == [__file__]
    assert zeros(model) != WHOLE
    said = r"Pruning left 79\.9% zeros in kernels.*of which 1\d\.\d% remain: a later.*keep"
    table = sparsity(model)
    assert re.search(said, str(table))
    assert table.to_dict()["notes"] == list(table.notes)
    assert table.notes[0] in table._repr_markdown_()
    assert all(one.constraint is None for one in model.variables)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fit(model)
    with pytest.warns(UserWarning, match=r'"keep".*zeros that there are.*of which 1\d\.\d% remain'):
        fit(model, Pruning("keep"))
    prune(model, 0.5)
    assert sparsity(model).notes == ()


def test_other_ways_to_train():
    pruned = mlp()
    prune(pruned, 0.5)
    optimizer = keras.optimizers.SGD()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(pruned(X) ** 2)
    kernels = pruned.trainable_variables
    with pytest.warns(UserWarning, match="prune left 50.0% zeros"):
        optimizer.apply(tape.gradient(loss, kernels), kernels)
    prune(pruned, 0.6)
    around = keras.Sequential([pruned, layers.Dense(3)])
    around.compile("sgd", pruned.loss)
    pruned.trainable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fit(around)  # frozen, the zeros stay
    pruned.trainable = True
    around.compile("sgd", pruned.loss)
    with pytest.warns(UserWarning, match="prune left 59.9% zeros"):
        fit(around)


def test_what_is_left_on_the_kernels_hinders_nothing(tmp_path):
    own = keras.constraints.MaxNorm(0.1)
    model = keras.Sequential([keras.Input((12,)), layers.Dense(3, kernel_constraint=own)])
    model.compile("sgd", mlp().loss)
    fit(model, Pruning(Constant(0.5)))
    [kernel, _] = model.trainable_variables
    assert fit_state.own(kernel, "constraint") is own
    model.save(tmp_path / "model.keras")
    copies = [
        keras.models.load_model(tmp_path / "model.keras"),
        pickle.loads(pickle.dumps(model)),
        keras.models.clone_model(model),
    ]
    for copy in copies:
        assert type(copy.layers[0].kernel.constraint) is keras.constraints.MaxNorm
    with pytest.warns(UserWarning, match="Pruning left 50.0% zeros"):
        fit(model, epochs=2)
    assert kernel.constraint is own
    assert np.linalg.norm(kernel, axis=0).max() < 0.1 + 1e-6


def test_nothing_is_said_of_zeros_that_are_gone_or_go_on():
    model = mlp()
    dense = model.get_weights()
    prune(model, 0.5, include="a")
    assert model.layers[1].kernel.constraint is None  # it has no zeros
    model.set_weights(dense)
    rising = PolynomialDecay(0.0, 0.8, begin=0, end=8)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fit(model, epochs=1)
        fit(model, Pruning(rising), epochs=4)
        fit(model, Pruning(rising), epochs=6, initial_epoch=4)


def test_zeros_that_another_pruning_does_not_hold():
    model = mlp()
    fit(model, Pruning(Constant(0.8)))
    with pytest.warns(UserWarning, match=r"nothing holds those of c/kernel in this training"):
        fit(model, Pruning("keep", exclude="c"), epochs=1)
    prune(model, 0.8)
    channels = ChannelPruning(Constant(0.5), include="a", round_to=2)
    with pytest.warns(UserWarning, match="prune left .* nothing holds those of a/kernel, b/kernel"):
        fit(model, Pruning("keep", include="c"), channels)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fit(model, Pruning("keep", include="c"), channels)  # of as many channels
    with pytest.warns(UserWarning, match=r"ChannelPruning: 33.3% of the channels .* begins at 0:"):
        fit(model, ChannelPruning(0.5, include="a", round_to=2))


def test_released_masks_are_spoken_of():
    model, pruning = mlp(), Pruning(Constant(0.5))
    breaks = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fit(model, pruning, breaks)
    pruning.release()
    with pytest.warns(UserWarning, match="Pruning left 50.0% zeros"):
        fit(model, epochs=1)


def test_a_warning_from_a_thread_of_a_strategy_points_at_the_line(mirrored):
    with mirrored.scope():
        model = mlp()
    prune(model, 0.5)
    with pytest.warns(UserWarning, match="prune left 50.0% zeros") as caught:
        fit(model, epochs=1)
    assert [one.filename for one in caught] == [__file__]


def test_less_than_there_is_already_is_said():
    model = mlp()
    prune(model, 0.8, scope="layer")
    with pytest.warns(UserWarning, match=r"had 79.9% zeros already, more than sparsity=0.5 asks"):
        assert prune(model, 0.5, scope="layer").total == pytest.approx(0.8, abs=2e-3)
    with pytest.warns(UserWarning, match=r"79.9% zeros of an earlier pruning, .* begins at 0: "):
        fit(model, Pruning(0.9))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        prune(model, 0.95)
        fit(model, Pruning(Constant(0.95)))
