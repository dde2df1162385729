"""Runs of all kinds, broken off and resumed, against the same run that was not."""

import json
import random
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasopt._core import files
from kerasopt.callbacks import (
    BackupAndRestore,
    DropoutSchedule,
    EarlyStopping,
    Pruning,
    WeightPenalty,
)
from kerasopt.layers import DropConnect, ScheduledDropout, StochasticDepth
from kerasopt.schedules import OneShot, PolynomialDecay
from kerasopt.stopping import Patience

layers = keras.layers
BOTH = (("epoch", (2, 2)), (3, (1, 6)))


class Crash(keras.callbacks.Callback):
    """Break the run off when a batch of an epoch begins."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.at = (epoch, batch)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise InterruptedError


def mlp(optimizer="adam", dropout=True, **arguments):
    model = keras.Sequential([keras.Input((12,)), layers.Dense(16, "relu")])
    model.add(layers.BatchNormalization())
    model.add(layers.Dropout(0.5) if dropout else layers.Identity())
    model.add(layers.Dense(3, dtype="float32"))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"], **arguments)
    return model


def fit(build, blobs, folder, *callbacks, seed=1, save_freq="epoch", crash=None, **arguments):
    """Train for three epochs of eight batches; give history, model and what was raised."""
    keras.utils.set_random_seed(seed)
    model = build()
    backup = BackupAndRestore(folder, save_freq, **arguments.pop("backup", {}))
    all_callbacks = [backup, *callbacks] + ([Crash(*crash)] if crash else [])
    given = {"x": blobs[0], "y": blobs[1], "batch_size": 32, "epochs": 3, "shuffle": False}
    given |= {"validation_data": (blobs[0][:64], blobs[1][:64]), **arguments}
    try:
        return model.fit(**given, callbacks=all_callbacks, verbose=0), model
    except InterruptedError:
        return None, model


def assert_goes_on(build, blobs, tmp_path, make=list, ways=BOTH, **arguments):
    """Compare runs that are broken off and resumed under other seeds with one that is not.

    `ways` are pairs of `save_freq` and the epoch and batch at which it dies.
    """
    expected, whole = fit(build, blobs, tmp_path / "whole", *make(), **arguments)
    for save_freq, at in ways:
        given = {"save_freq": save_freq, **arguments}
        broken, _ = fit(build, blobs, tmp_path / "broken", *make(), crash=at, **given)
        assert broken is None
        found, resumed = fit(build, blobs, tmp_path / "broken", *make(), seed=99, **given)
        assert found.epoch == expected.epoch
        assert found.history == expected.history
        pairs = [*zip(whole.variables, resumed.variables, strict=True)]
        pairs += zip(whole.optimizer.variables, resumed.optimizer.variables, strict=True)
        for a, b in pairs:
            a, b = keras.ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b)
            assert np.array_equal(a, b), a.shape


# Models and optimizers of all kinds.


class Own(keras.Model):
    """A model with random numbers from nowhere, and two optimizers in a step of its own."""

    def __init__(self):
        super().__init__()
        self.hidden, self.top = layers.Dense(8, "relu"), layers.Dense(3)
        self.second = keras.optimizers.SGD(0.05, momentum=0.9)
        self.loss_mean = keras.metrics.Mean("own_loss")

    @property
    def metrics(self):
        return [self.loss_mean]

    def call(self, x, training=False):
        x = self.hidden(x)
        if training:
            x = x + keras.random.normal(keras.ops.shape(x))
        return self.top(x)

    def train_step(self, data):
        x, y = data
        with tf.GradientTape(persistent=True) as tape:
            losses = keras.losses.sparse_categorical_crossentropy(
                y, self(x, training=True), from_logits=True
            )
            loss = keras.ops.mean(losses)
        for layer, optimizer in ((self.hidden, self.optimizer), (self.top, self.second)):
            variables = layer.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)
        self.loss_mean.update_state(loss)
        return {"last": loss, "mean": self.loss_mean.result()}

    def test_step(self, data):
        return {"quality": keras.ops.mean(self(data[0]))}


def own(built=True):
    model = Own()
    model.compile("adam")
    model(np.zeros((1, 12)))
    if built:
        model.optimizer.build(model.hidden.trainable_variables)
        model.second.build(model.top.trainable_variables)
    return model


def mixed():
    keras.config.set_dtype_policy("mixed_float16")
    return mlp()


def recurrent():
    model = keras.Sequential([keras.Input((12,)), layers.Reshape((4, 3))])
    model.add(layers.LSTM(5, dropout=0.2, recurrent_dropout=0.3))
    model.add(layers.GaussianNoise(0.1))
    model.add(layers.Dense(3))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("rmsprop", loss, metrics=["accuracy"])
    return model


def averaged():
    return mlp(keras.optimizers.Adam(use_ema=True, ema_overwrite_frequency=5))


KINDS = {
    "dropout and batch normalization": mlp,
    "a learning-rate schedule": lambda: mlp(
        keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 30), momentum=0.9)
    ),
    "gradient accumulation": lambda: mlp(keras.optimizers.Adam(gradient_accumulation_steps=3)),
    "moving averages": averaged,
    "loss scaling": mixed,
    "XLA": lambda: mlp(jit_compile=True),
    "several steps an execution": lambda: mlp(steps_per_execution=3),
    "eager": lambda: mlp(run_eagerly=True),
    "a recurrent layer": recurrent,
    "a step of its own": own,
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_ends_like_a_run_that_was_not_broken_off(tmp_path, blobs, kind):
    assert_goes_on(KINDS[kind], blobs, tmp_path, ways=(("epoch", (2, 3)), (3, (1, 6))))


def test_under_a_strategy(tmp_path, blobs, mirrored):
    # Each replica has moving statistics of its own.
    def build():
        with mirrored.scope():
            return mlp()

    assert_goes_on(build, blobs, tmp_path)


# Moments at which it dies.


def test_it_may_die_at_any_batch(tmp_path, blobs):
    ways = [(1, (0, 1)), (1, (0, 7)), (1, (1, 0)), (8, (1, 0)), (8, (1, 3)), (8, (2, 7))]
    assert_goes_on(mlp, blobs, tmp_path, ways=ways)


def test_it_saves_once_in_so_many_batches(tmp_path, blobs):
    found, _ = fit(mlp, blobs, tmp_path, save_freq=5, backup={"delete_checkpoint": False})
    batches = 8 * len(found.epoch)
    newest = max(path.name for path in tmp_path.glob("backup-*.npz"))
    assert newest == f"backup-{batches // 5:08d}.npz"


def test_it_may_die_several_times(tmp_path, blobs):
    expected, whole = fit(mlp, blobs, tmp_path / "whole")
    for seed, at in enumerate([(0, 5), (1, 2), (2, 7)]):
        fit(mlp, blobs, tmp_path / "broken", crash=at, save_freq=2, seed=seed + 1)
    found, resumed = fit(mlp, blobs, tmp_path / "broken", save_freq=2, seed=50)
    assert found.history == expected.history
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        assert np.array_equal(a, b)


# Callbacks.


def test_kerasopts_callbacks_go_on(tmp_path, blobs):
    seen = []

    def make():
        stopper = EarlyStopping(rules=Patience(9), check=2)
        seen.append((stopper, Pruning(0.5, frequency=2)))
        return seen[-1]

    assert_goes_on(mlp, blobs, tmp_path, make)
    whole = seen[0][0]
    for resumed, _ in (seen[2], seen[4]):
        assert resumed.history == whole.history
        states = whole.get_state(), resumed.get_state()
        assert states[0].pop("best_weights") is not None
        states[1].pop("best_weights")
        assert states[0] == states[1]


@pytest.mark.parametrize(
    "arguments",
    [
        {"criterion": "movement", "pattern": "block_4x4"},
        {"dynamics": "rigl", "scope": "erk"},
        {"criterion": "wanda", "momentum": "mask"},
    ],
    ids=lambda arguments: next(iter(arguments.values())),
)
def test_pruning_by_data_goes_on(tmp_path, blobs, arguments):
    def make():
        schedule = OneShot(0.5) if "dynamics" in arguments else PolynomialDecay(0.0, 0.5)
        return [Pruning(schedule, frequency=3, data=blobs, batches=2, **arguments)]

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Pruning: Block")
        assert_goes_on(mlp, blobs, tmp_path, make)


def scheduled():
    x = keras.Input((12,))
    y = ScheduledDropout(0.1)(layers.Dense(16, "relu")(x))
    y = layers.Add()([y, StochasticDepth(0.3)(DropConnect(layers.Dense(16), 0.2)(y))])
    model = keras.Model(x, layers.Dense(3)(y))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def test_penalty_and_dropout_schedules_go_on(tmp_path, blobs):
    seen = []

    def make():
        ramp = PolynomialDecay(0.1, 1.0, begin=0.2, end=0.9, power=1)
        seen.append((WeightPenalty(l2=0.01, schedule=ramp), DropoutSchedule(0.6)))
        return seen[-1]

    assert_goes_on(scheduled, blobs, tmp_path, make)
    states = [[callback.get_state() for callback in made] for made in seen]
    assert states[0] == states[2] == states[4]


def keras_callbacks(tmp_path):
    return [
        keras.callbacks.EarlyStopping(patience=9, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau(patience=1, min_delta=10.0, cooldown=1),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
        keras.callbacks.ModelCheckpoint(
            str(tmp_path / "{epoch}-{batch}.weights.h5"), save_weights_only=True, save_freq=5
        ),
    ]


def test_keras_callbacks_go_on(tmp_path, blobs):
    made = []

    def make():
        folder = tmp_path / f"checkpoints {len(made)}"
        made.append(keras_callbacks(folder))
        return made[-1]

    assert_goes_on(mlp, blobs, tmp_path, make)
    whole = made[0]
    for resumed in (made[2], made[4]):
        assert (whole[0].wait, whole[0].best) == (resumed[0].wait, resumed[0].best)
        assert whole[1].cooldown_counter == resumed[1].cooldown_counter
    written = [
        {path.name for path in (tmp_path / f"checkpoints {index}").iterdir()} for index in range(5)
    ]
    assert written[0] == written[1] | written[2] == written[3] | written[4]


def test_swapped_averages_go_on(tmp_path, blobs):
    assert_goes_on(
        averaged,
        blobs,
        tmp_path,
        lambda: [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)],
        ways=BOTH[:1],
    )


class Counting(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.batches = []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append((batch, logs["loss"]))

    def get_state(self):
        return {"batches": [list(pair) for pair in self.batches]}

    def set_state(self, state):
        self.batches = [tuple(pair) for pair in state["batches"]]


def test_a_callback_of_ones_own_sees_each_batch_once(tmp_path, blobs):
    made = []

    def make():
        made.append(Counting())
        return made[-1:]

    assert_goes_on(mlp, blobs, tmp_path, make, ways=(*BOTH, (5, (2, 1))))
    whole = made[0]
    assert [batch for batch, _ in whole.batches] == list(range(8)) * 3
    assert all(resumed.batches == whole.batches for resumed in made[2::2])


def test_nobody_sees_the_batches_that_are_passed_over(tmp_path, blobs):
    seen = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(("epoch", epoch)),
        on_train_batch_begin=lambda batch, logs: seen.append(("begins", batch)),
        on_train_batch_end=lambda batch, logs: seen.append(("ends", batch)),
    )
    fit(mlp, blobs, tmp_path, crash=(1, 7), save_freq=3)
    fit(mlp, blobs, tmp_path, note, save_freq=3, seed=99)
    # Fifteen batches had been done, and the fifteenth was the last that was saved: 8 + 7.
    assert seen[:3] == [("epoch", 1), ("begins", 7), ("ends", 7)]


def test_a_state_that_is_no_plain_data_is_named(tmp_path, blobs):
    class Bad(Counting):
        def get_state(self):
            return {"model": self.model}

    with pytest.raises(
        TypeError, match=r"At '/callbacks/tests.*Bad 0/state/model' there is Sequential"
    ):
        fit(mlp, blobs, tmp_path, Bad())


def test_two_of_a_kind_in_another_order(tmp_path, blobs):
    def make():
        return EarlyStopping("loss", patience=9), EarlyStopping("val_accuracy", patience=9)

    expected = make()
    fit(mlp, blobs, tmp_path / "whole", *expected)
    fit(mlp, blobs, tmp_path / "broken", *make(), crash=(2, 0))
    found = make()
    fit(mlp, blobs, tmp_path / "broken", *reversed(found))
    assert [one.history for one in found] == [one.history for one in expected]


def test_other_arguments_are_said(tmp_path, blobs):
    fit(mlp, blobs, tmp_path, EarlyStopping(patience=9), crash=(2, 0))
    stopper = EarlyStopping(patience=12)
    with pytest.warns(UserWarning, match="a kerasopt.EarlyStopping goes on with other arguments"):
        fit(mlp, blobs, tmp_path, stopper)
    assert list(stopper.history) == [0, 1, 2]


def test_other_data_are_said(tmp_path, blobs):
    fit(mlp, blobs, tmp_path, crash=(2, 0))
    with pytest.warns(UserWarning, match="an epoch had 8 batches and now has 4"):
        fit(mlp, blobs, tmp_path, batch_size=64)


def test_a_list_of_callbacks_that_is_used_again(tmp_path, blobs):
    class CrashOnce(keras.callbacks.Callback):
        crashed = False

        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1 and not self.crashed:
                self.crashed = True
                raise InterruptedError

    model = mlp()
    callbacks = keras.callbacks.CallbackList(
        [BackupAndRestore(tmp_path), CrashOnce()], add_history=True, model=model, epochs=3
    )
    with pytest.raises(InterruptedError):
        model.fit(*blobs, epochs=3, verbose=0, callbacks=callbacks)
    assert model.fit(*blobs, epochs=3, verbose=0, callbacks=callbacks).epoch == [0, 1, 2]


def test_a_callback_that_is_gone_is_said(tmp_path, blobs):
    fit(mlp, blobs, tmp_path, EarlyStopping(patience=9), crash=(2, 0))
    with pytest.warns(UserWarning, match="a kerasopt.EarlyStopping that this run does not have"):
        fit(mlp, blobs, tmp_path)


# The order of the data.


def dataset(blobs, **shuffle):
    return tf.data.Dataset.from_tensor_slices(blobs).shuffle(256, seed=3, **shuffle).batch(32)


def test_one_iterator_for_all_epochs(tmp_path, blobs):
    # Each epoch begins at another place in the data.
    data = dataset(blobs, reshuffle_each_iteration=False).repeat()
    arguments = {"x": data, "y": None, "batch_size": None, "steps_per_epoch": 5}
    ways = (("epoch", (2, 4)), (3, (1, 4)))
    assert_goes_on(mlp, blobs, tmp_path, ways=ways, **arguments)
    short = {**arguments, "x": dataset(blobs, reshuffle_each_iteration=False)}
    # Eight batches: the second epoch gets three of them.
    assert_goes_on(mlp, blobs, tmp_path, ways=(("epoch", (1, 2)), (3, (1, 2))), **short)


def test_a_generator(tmp_path, blobs):
    def build():
        return mlp(steps_per_execution=1)

    def batches():
        for index in range(1000):
            rows = slice(index % 8 * 32, index % 8 * 32 + 32)
            yield blobs[0][rows], blobs[1][rows]

    arguments = {"y": None, "batch_size": None, "steps_per_epoch": 5}
    expected, _ = fit(build, blobs, tmp_path / "whole", x=batches(), **arguments)
    fit(build, blobs, tmp_path / "broken", x=batches(), crash=(2, 4), save_freq=3, **arguments)
    found, _ = fit(
        build, blobs, tmp_path / "broken", x=batches(), save_freq=3, seed=99, **arguments
    )
    assert found.history == expected.history


def test_a_shuffle_that_is_new_in_each_epoch_begins_anew_as_documented(tmp_path, blobs):
    def train(**arguments):
        # The order depends on the process's seed and on how many operations came before.
        tf.random.set_seed(1)
        data = dataset(blobs)
        return fit(mlp, blobs, x=data, y=None, batch_size=None, **arguments)[0]

    expected = train(folder=tmp_path / "whole")
    train(folder=tmp_path / "broken", crash=(1, 0))
    found = train(folder=tmp_path / "broken")
    assert found.history["loss"][0] == expected.history["loss"][0]
    assert found.history["loss"][1:] != expected.history["loss"][1:]


def test_an_order_that_is_new_in_each_epoch_as_documented(tmp_path, blobs):
    x, y = blobs

    def train(**arguments):
        tf.random.set_seed(1)
        samples = tf.data.Dataset.from_tensor_slices((x, y))
        epochs = tf.data.Dataset.range(1000)
        data = epochs.flat_map(lambda epoch: samples.shuffle(len(x), seed=epoch).batch(32))
        given = {"x": data, "y": None, "batch_size": None, "steps_per_epoch": -(-len(x) // 32)}
        return fit(mlp, blobs, **given, **arguments)[0]

    expected = train(folder=tmp_path / "whole")
    for save_freq, at in BOTH:
        train(folder=tmp_path / "broken", save_freq=save_freq, crash=at)
        found = train(folder=tmp_path / "broken", save_freq=save_freq)
        assert found.history == expected.history


def test_fewer_batches_than_were_seen(tmp_path, blobs):
    fit(mlp, blobs, tmp_path, crash=(1, 7), save_freq=7)
    few = (blobs[0][:96], blobs[1][:96])
    with pytest.raises(ValueError, match=r"had seen 6 batches of epoch 2, but now the data have"):
        fit(mlp, few, tmp_path, save_freq=7)


# What raises in the middle leaves a backup, and a model that can train.


@pytest.mark.parametrize("save_freq", ["epoch", 3])
@pytest.mark.parametrize("hook", ["on_epoch_begin", "on_train_batch_end", "on_epoch_end"])
def test_a_subclass_that_raises_leaves_a_backup_to_go_on_from(hook, save_freq, tmp_path):
    class Raises(BackupAndRestore):
        left = 6 if hook == "on_train_batch_end" else 1

    def raising(self, index, logs=None):
        getattr(BackupAndRestore, hook)(self, index, logs)
        self.left -= 1
        if self.left == -1:
            raise InterruptedError

    setattr(Raises, hook, raising)
    x, y = np.ones((16, 12)), np.zeros(16)
    arguments = {"batch_size": 4, "epochs": 3, "shuffle": False, "verbose": 0}

    def made():
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((12,)), layers.Dense(1)])
        model.compile("adam", "mse")
        return model

    whole = made()
    expected = whole.fit(x, y, **arguments)
    model, callback = made(), Raises(tmp_path / "run", save_freq)
    with pytest.raises(InterruptedError):
        model.fit(x, y, callbacks=[callback], **arguments)
    assert callback.files.paths()
    # The same callback and model, as in a notebook: only what was not saved is trained again.
    found = model.fit(x, y, callbacks=[callback], **arguments)
    assert found.history == expected.history
    for a, b in zip(whole.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(a, b)
    assert model.fit(x, y, **arguments).epoch == [0, 1, 2]


def test_a_callback_that_raises_in_a_resumed_run_does_not_move_the_next_one(tmp_path, blobs):
    class Raises(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            raise InterruptedError

    _, model = fit(mlp, blobs, tmp_path, crash=(2, 0))
    for order in ([BackupAndRestore(tmp_path), Raises()], [Raises(), BackupAndRestore(tmp_path)]):
        with pytest.raises(InterruptedError):
            model.fit(*blobs, epochs=3, verbose=0, callbacks=order)
        assert model.fit(*blobs, epochs=1, verbose=0).epoch == [0]


def test_data_that_break_off_while_batches_are_passed_over_leave_a_model_that_trains(
    tmp_path, blobs
):
    def broken():
        for index in range(8):
            if index == 4:
                raise InterruptedError("no more")
            yield blobs[0][:32], blobs[1][:32]

    _, model = fit(mlp, blobs, tmp_path, crash=(0, 6), save_freq=6)
    before = model.train_function
    with pytest.raises((InterruptedError, tf.errors.OpError), match="no more"):
        model.fit(
            broken(), epochs=1, steps_per_epoch=8, verbose=0,
            callbacks=[BackupAndRestore(tmp_path, 6)],
        )  # fmt: skip
    assert model.train_function == before


# Ends.


def test_a_run_that_had_stopped_does_not_train_on(tmp_path, blobs):
    class LastWords(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            raise InterruptedError

    def make():
        return [EarlyStopping("loss", patience=1, min_delta=10.0)]

    expected, whole = fit(mlp, blobs, tmp_path / "whole", *make())
    fit(mlp, blobs, tmp_path / "broken", LastWords(), *make())
    stopper = make()
    found, resumed = fit(mlp, blobs, tmp_path / "broken", *stopper, seed=99)
    assert found.epoch == expected.epoch == [0, 1]
    assert stopper[0].stopped
    assert stopper[0].reason.startswith("Patience: loss has not improved")
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        assert np.array_equal(a, b)
    assert not (tmp_path / "broken").exists()


def test_the_next_fit_of_the_model_begins_at_the_beginning(tmp_path, blobs):
    fit(mlp, blobs, tmp_path, crash=(2, 0))
    _, model = fit(mlp, blobs, tmp_path)
    history = model.fit(*blobs, epochs=2, verbose=0)
    assert history.epoch == [0, 1]  # Keras's own BackupAndRestore would begin at 2


def test_a_backup_that_is_kept_ends_the_run_at_once(tmp_path, blobs):
    expected, whole = fit(mlp, blobs, tmp_path, backup={"delete_checkpoint": False})
    assert len(list(tmp_path.iterdir())) == 2
    found, again = fit(mlp, blobs, tmp_path, seed=99, backup={"double_checkpoint": False})
    assert found.history == expected.history
    for a, b in zip(whole.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_a_damaged_backup_is_named_and_the_one_before_goes_on(tmp_path, blobs):
    expected, _ = fit(mlp, blobs, tmp_path / "whole")
    fit(mlp, blobs, tmp_path / "broken", crash=(2, 0))
    newest = max((tmp_path / "broken").iterdir())
    newest.write_bytes(newest.read_bytes()[:1000])
    with pytest.warns(UserWarning, match=rf"{newest.name}' is damaged"):
        found, _ = fit(mlp, blobs, tmp_path / "broken", seed=99)
    assert found.history == expected.history


def test_the_generators_of_python_and_numpy_go_on(tmp_path, blobs):
    drawn = []

    class Draw(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            drawn.append((random.random(), np.random.rand()))  # noqa: NPY002

    fit(mlp, blobs, tmp_path / "whole", Draw())
    expected = drawn[:]
    drawn.clear()
    fit(mlp, blobs, tmp_path / "broken", Draw(), crash=(2, 0))
    fit(mlp, blobs, tmp_path / "broken", Draw(), seed=99)
    assert drawn == expected


def test_resuming_is_said_unless_fit_is_silent(tmp_path, blobs, capsys):
    fit(mlp, blobs, tmp_path, crash=(1, 4), save_freq=3)
    assert "Resuming" not in capsys.readouterr().out
    model = mlp()
    model.fit(*blobs, shuffle=False, epochs=2, verbose=2, callbacks=BackupAndRestore(tmp_path, 3))
    assert "Resuming at epoch 2, batch 5, from" in capsys.readouterr().out


def test_keras_own_draws_other_dropout_masks(tmp_path, blobs):
    """What is mended here: this begins to fail when Keras mends it."""

    def train(folder, *callbacks):
        keras.utils.set_random_seed(1)
        model = mlp()
        backup = keras.callbacks.BackupAndRestore(folder)
        try:
            return model.fit(
                *blobs, epochs=3, shuffle=False, verbose=0, callbacks=[backup, *callbacks]
            ).history["loss"]
        except InterruptedError:
            return None

    expected = train(tmp_path / "whole")
    train(tmp_path / "broken", Crash(2, 0))
    assert train(tmp_path / "broken") != expected[2:]


# Wrong use.


def test_another_model(tmp_path, blobs):
    fit(mlp, blobs, tmp_path, crash=(1, 0))
    with pytest.raises(ValueError, match=r"backup-00000001.npz' is of another model"):
        fit(recurrent, blobs, tmp_path)


def test_a_backup_of_another_version(tmp_path, blobs):
    files.save(tmp_path / "backup-00000001.npz", {"format": 99})
    with pytest.raises(ValueError, match=r"backup-00000001.npz' was written by another version"):
        fit(mlp, blobs, tmp_path)


def test_a_model_that_is_not_built(tmp_path, blobs):
    def build():
        model = keras.Sequential([layers.Dense(3)])
        model.compile("sgd", "mse")
        return model

    with pytest.raises(ValueError, match="needs a built model"):
        fit(build, blobs, tmp_path)


def test_a_second_optimizer_that_is_not_built(tmp_path, blobs):
    def build():
        return own(built=False)

    fit(build, blobs, tmp_path / "a", crash=(1, 0))
    with pytest.raises(ValueError, match=r"Call its `build\(variables\)` before `fit`"):
        fit(build, blobs, tmp_path / "a")
    # Within an epoch the first step has built it.
    assert_goes_on(build, blobs, tmp_path, ways=BOTH[1:])


def test_two_backups_in_one_folder(tmp_path, blobs):
    with pytest.raises(ValueError, match="`backup_dir`.*no other callback has"):
        fit(mlp, blobs, tmp_path, BackupAndRestore(tmp_path))
    two, _ = fit(mlp, blobs, tmp_path / "a", BackupAndRestore(tmp_path / "b", 3))
    assert two.epoch == [0, 1, 2]


def test_outside_a_list_of_callbacks(tmp_path):
    backup = BackupAndRestore(tmp_path)
    backup.set_model(mlp())
    with pytest.raises(RuntimeError, match=r"keras.callbacks.CallbackList"):
        backup.on_train_begin()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"save_freq": 0}, ValueError),
        ({"save_freq": "batch"}, ValueError),
        ({"save_freq": 1.5}, ValueError),
        ({"save_freq": False}, ValueError),
        ({"delete_checkpoint": 1}, TypeError),
        ({"double_checkpoint": None}, TypeError),
    ],
)
def test_wrong_arguments(tmp_path, arguments, error):
    with pytest.raises(error, match=f"`{next(iter(arguments))}`"):
        BackupAndRestore(tmp_path, **arguments)


def test_the_configuration_is_plain_data(tmp_path):
    backup = BackupAndRestore(tmp_path, 5, False, False)
    # Positions are those of Keras.
    assert (backup.double_checkpoint, backup.delete_checkpoint) == (False, False)
    again = BackupAndRestore.from_config(json.loads(json.dumps(backup.get_config())))
    assert again.get_config() == backup.get_config()
