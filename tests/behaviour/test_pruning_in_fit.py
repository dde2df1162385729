"""What `callbacks.Pruning` promises inside `fit`, whatever stands around it."""

import copy
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasopt._core import fit_state
from kerasopt.callbacks import Pruning
from kerasopt.pruning.enforcement.mask_constraint import Mask
from kerasopt.pruning.scopes.scope import number_kept
from kerasopt.schedules import Constant, PolynomialDecay

EPOCHS, BATCH = 3, 32  # 256 samples: 8 steps an epoch, 24 in all


class Watch(keras.callbacks.Callback):
    """Note the zeros of each kernel after every execution of the train function."""

    def __init__(self, at="batch"):
        super().__init__()
        self.at = at
        self.seen = []

    def _look(self):
        self.seen.append([int((w == 0).sum()) for w in self.model.get_weights() if w.ndim > 1])

    def on_train_batch_end(self, batch, logs=None):
        if self.at == "batch":
            self._look()

    def on_epoch_end(self, epoch, logs=None):
        if self.at == "epoch":
            self._look()


def mlp(policy=None):
    return keras.Sequential(
        [
            keras.Input((12,)),
            keras.layers.Dense(20, activation="relu", dtype=policy),
            keras.layers.BatchNormalization(dtype=policy),
            keras.layers.Dense(3, activation="softmax", dtype=policy),
        ]
    )


def compiled(model=None, optimizer="adam", **kwargs):
    model = model or mlp()
    model.compile(optimizer, "sparse_categorical_crossentropy", **kwargs)
    return model


def zeros_at(schedule, step, total=24, sizes=(240, 60)):
    resolved = schedule.resolve(total, 8)
    return [n - number_kept(n, resolved(step)) for n in sizes]


def decay(end=1.0):
    return PolynomialDecay(0.0, 0.8, begin=0, end=end)


def fit(model, data, *callbacks, **kwargs):
    kwargs = {"epochs": EPOCHS, "batch_size": BATCH, "verbose": 0, **kwargs}
    return model.fit(*data, callbacks=list(callbacks), **kwargs)


def test_after_every_step_the_zeros_are_the_schedules_for_callbacks_before_and_after(blobs):
    before, after = Watch(), Watch()
    model = compiled()
    pruning = Pruning(decay(), frequency=1, scope="layer")
    history = fit(model, blobs, before, pruning, after)
    expected = [zeros_at(decay(), step) for step in range(1, 25)]
    assert before.seen == after.seen == expected
    assert expected[-1] == [192, 48]
    assert history.history["sparsity"] == [sum(zeros_at(decay(), k)) / 300 for k in (8, 16, 24)]


@pytest.mark.parametrize("position", ["before", "after"])
def test_a_checkpoint_placed_before_or_after_is_sparse(blobs, tmp_path, position):
    path = tmp_path / "best.keras"
    checkpoint = keras.callbacks.ModelCheckpoint(path, save_freq=24)
    pruning = Pruning(decay(), scope="layer")
    order = (checkpoint, pruning) if position == "before" else (pruning, checkpoint)
    fit(compiled(), blobs, *order)
    kernels = [w for w in keras.models.load_model(path).get_weights() if w.ndim > 1]
    assert [int((w == 0).sum()) for w in kernels] == [192, 48]


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("several", [4, 5], ids=["spe4", "spe5"])
def test_steps_per_execution_and_xla(blobs, jit_compile, several):
    watch = Watch()
    model = compiled(steps_per_execution=several, jit_compile=jit_compile)
    fit(model, blobs, watch, Pruning(decay(), frequency=1, scope="layer"))
    steps = [
        epoch * 8 + min(done, 8)
        for epoch in range(3)
        for done in range(several, 8 + several, several)
    ]
    assert watch.seen == [zeros_at(decay(), step) for step in steps]
    assert watch.seen[-1] == [192, 48]


def test_eager_execution(blobs):
    watch = Watch()
    fit(
        compiled(run_eagerly=True),
        blobs,
        watch,
        Pruning(decay(), frequency=1, scope="layer"),
        epochs=1,
    )
    assert watch.seen == [zeros_at(decay(), step, total=8) for step in range(1, 9)]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16", "float64"])
def test_precisions(blobs, policy):
    watch = Watch()
    fit(compiled(mlp(policy)), blobs, watch, Pruning(decay(), frequency=1, scope="layer"))
    assert watch.seen == [zeros_at(decay(), step) for step in range(1, 25)]


def test_mirrored_strategy_on_two_logical_cpus(blobs, mirrored):
    with mirrored.scope():
        model = compiled(optimizer=keras.optimizers.Adam(use_ema=True))
    assert mirrored.num_replicas_in_sync == 2
    watch = Watch()
    fit(model, blobs, watch, Pruning(decay(), frequency=1, scope="layer"))
    assert watch.seen == [zeros_at(decay(), step) for step in range(1, 25)]
    kernel = model.layers[0].kernel.value
    copies = [value.numpy() for value in mirrored.experimental_local_results(kernel)]
    assert len(copies) == 2
    assert all((value == 0).sum() == 192 for value in copies)


class OwnStep(keras.Model):
    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return {"loss": loss}


def test_a_custom_train_step(blobs):
    inputs = keras.Input((12,))
    hidden = keras.layers.Dense(20, activation="relu")(inputs)
    model = OwnStep(inputs, keras.layers.Dense(3, activation="softmax")(hidden))
    watch = Watch()
    fit(compiled(model), blobs, watch, Pruning(decay(), frequency=1, scope="layer"))
    assert watch.seen == [zeros_at(decay(), step) for step in range(1, 25)]


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(20, activation="relu")
        self.top = keras.layers.Dense(3, activation="softmax")

    def call(self, x):
        return self.top(self.hidden(x))


def test_a_subclassed_model(blobs):
    model = compiled(Subclassed())
    with pytest.raises(ValueError, match="Expected a built model.*call it once on a batch"):
        fit(model, blobs, Pruning(decay(), scope="layer"))
    assert int(model.optimizer.iterations) == 0
    model(blobs[0][:1])
    watch = Watch()
    fit(model, blobs, watch, Pruning(decay(), frequency=1, scope="layer"))
    assert watch.seen == [zeros_at(decay(), step) for step in range(1, 25)]


def test_gradient_accumulation_does_not_slow_the_schedule(blobs):
    watch = Watch()
    model = compiled(optimizer=keras.optimizers.Adam(gradient_accumulation_steps=4))
    fit(model, blobs, watch, Pruning(decay(), frequency=1, scope="layer"))
    assert watch.seen == [zeros_at(decay(), step) for step in range(1, 25)]


def test_a_pretrained_optimizers_counter_does_not_move_the_schedule(blobs):
    model = compiled()
    fit(model, blobs)
    assert int(model.optimizer.iterations) == 24
    watch = Watch()
    fit(model, blobs, watch, Pruning(decay(), frequency=1, scope="layer"))
    assert watch.seen == [zeros_at(decay(), step) for step in range(1, 25)]


@pytest.mark.parametrize("overwrite", [None, 3])
def test_moving_averages_of_the_weights_are_sparse_too(blobs, overwrite):
    optimizer = keras.optimizers.Adam(use_ema=True, ema_overwrite_frequency=overwrite)
    model = compiled(optimizer=optimizer)
    fit(model, blobs, Pruning(decay(), scope="layer"))
    assert [int((w == 0).sum()) for w in model.get_weights() if w.ndim > 1] == [192, 48]


@pytest.mark.parametrize("position", ["before", "after"])
@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_swapped_averages_are_sparse_at_every_epoch(blobs, position, swap_on_epoch, tmp_path):
    model = compiled(optimizer=keras.optimizers.Adam(use_ema=True, ema_momentum=0.9))
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=swap_on_epoch)
    pruning, watch = Pruning(Constant(0.8), scope="layer"), Watch("epoch")
    order = (swap, pruning) if position == "before" else (pruning, swap)
    fit(model, blobs, *order, watch, validation_data=blobs)
    assert watch.seen == [[192, 48]] * 3
    assert [int((w == 0).sum()) for w in model.get_weights() if w.ndim > 1] == [192, 48]


def test_a_run_of_ten_steps_reaches_its_final_sparsity(blobs):
    x, y = blobs
    model = compiled()
    fit(
        model,
        (x[:160], y[:160]),
        Pruning(PolynomialDecay(0, 0.8, begin=2, end=10), scope="layer"),
        epochs=2,
    )
    assert [int((w == 0).sum()) for w in model.get_weights() if w.ndim > 1] == [192, 48]


def test_too_short_a_run_is_said_before_and_after(blobs):
    pruning = Pruning(PolynomialDecay(0, 0.8, begin=0, end=100), scope="layer")
    with pytest.warns(UserWarning, match="Pruning") as caught:
        fit(compiled(), blobs, pruning)
    texts = [str(w.message) for w in caught if "Pruning" in str(w.message)]
    assert len(texts) == 2
    assert "this run ends at step 24" in texts[0]
    assert "will reach 0.449 instead of 0.8" in texts[0]
    assert "training ended after 24 steps" in texts[1]
    assert pruning.sparsity == pytest.approx(0.449, abs=0.003)


def test_a_run_stopped_early_says_that_it_fell_short(blobs):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    with pytest.warns(
        UserWarning, match="ended after 8 steps, before the schedule's end at step 24"
    ):
        fit(compiled(), blobs, Stop(), Pruning(decay(), scope="layer"))


def test_a_run_that_is_long_enough_says_nothing(blobs, recwarn):
    fit(compiled(), blobs, Pruning(decay(), scope="layer"))
    assert not [w for w in recwarn if "Pruning" in str(w.message)]


def dataset(data):
    return tf.data.Dataset.from_tensor_slices(data).batch(BATCH)


def endless(data):
    """A dataset whose length Keras cannot know."""
    return dataset(data).filter(lambda x, y: True)


def test_a_fraction_of_a_run_of_unknown_length_is_an_error(blobs):
    with pytest.raises(ValueError, match=r"`end`.*length of this run is unknown.*give steps"):
        compiled().fit(
            endless(blobs), epochs=2, callbacks=[Pruning(decay(), scope="layer")], verbose=0
        )


def test_steps_in_a_run_of_unknown_length(blobs):
    watch = Watch()
    schedule = PolynomialDecay(0, 0.8, begin=0, end=20)
    compiled().fit(
        endless(blobs),
        epochs=3,
        callbacks=[Pruning(schedule, frequency=1, scope="layer"), watch],
        verbose=0,
    )
    assert watch.seen == [zeros_at(schedule, step) for step in range(1, 25)]


def test_the_users_constraint_is_applied_under_the_mask_and_back_afterwards(blobs):
    own = keras.constraints.MaxNorm(0.1)
    model = compiled(
        keras.Sequential(
            [
                keras.Input((12,)),
                keras.layers.Dense(20, kernel_constraint=own),
                keras.layers.Dense(3),
            ]
        )
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    fit(model, blobs, Pruning(decay(), scope="layer"))
    kernel = model.layers[0].kernel
    assert fit_state.own(kernel, "constraint") is own
    assert fit_state.own(model.layers[1].kernel, "constraint") is None
    assert np.linalg.norm(kernel.numpy(), axis=0).max() < 0.1 + 1e-6
    assert (kernel.numpy() == 0).sum() == 192
    fit(model, blobs, epochs=1)
    assert (kernel.numpy() == 0).sum() < 192


def test_pruned_weights_are_plus_zero(blobs):
    model = compiled()
    fit(model, blobs, Pruning(decay(), scope="layer"))
    kernel = model.layers[0].kernel.numpy()
    assert not np.signbit(kernel[kernel == 0]).any()


def test_one_instance_in_a_second_fit_and_a_deep_copy(blobs):
    pruning = Pruning(decay(), frequency=1, scope="layer")
    expected = [zeros_at(decay(), step) for step in range(1, 25)]
    first, second, third = Watch(), Watch(), Watch()
    fit(compiled(), blobs, pruning, first)
    fit(compiled(), blobs, pruning, second)
    fit(compiled(), blobs, copy.deepcopy(pruning), third)
    assert first.seen == second.seen == third.seen == expected


def test_initial_epoch_goes_on_in_the_schedule(blobs):
    watch = Watch()
    fit(compiled(), blobs, watch, Pruning(decay(), frequency=1, scope="layer"), initial_epoch=2)
    assert watch.seen == [zeros_at(decay(), step) for step in range(17, 25)]


def test_keras_own_backup_goes_on_in_the_schedule(blobs, tmp_path):
    class Crash(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise RuntimeError("power cut")

    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(RuntimeError, match="power cut"):
        fit(compiled(), blobs, backup, Pruning(decay(), frequency=1, scope="layer"), Crash())
    watch = Watch()
    again = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    fit(compiled(), blobs, Pruning(decay(), frequency=1, scope="layer"), again, watch)
    assert watch.seen == [zeros_at(decay(), step) for step in range(17, 25)]


def test_state_is_plain_data_and_goes_on_exactly(blobs):
    whole = compiled()
    fit(whole, blobs, Pruning(decay(), frequency=5, scope="layer"), shuffle=False)

    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                self.kept = (pruning.get_state(), self.model.get_weights())
                self.model.stop_training = True

    keras.utils.set_random_seed(7)
    model, keep = compiled(), Keep()
    pruning = Pruning(decay(), frequency=5, scope="layer")
    with pytest.warns(UserWarning, match="ended after 16 steps"):
        fit(model, blobs, pruning, keep, shuffle=False)
    state, weights = keep.kept
    assert state["step"] == 16
    assert all(isinstance(m, np.ndarray) and m.dtype == bool for m in state["masks"].values())
    model.set_weights(weights)
    other = Pruning.from_config(Pruning(decay(), frequency=5, scope="layer").get_config())
    other.set_state(state)
    fit(model, blobs, other, initial_epoch=2, shuffle=False)
    assert all(
        np.array_equal(a, b) for a, b in zip(whole.get_weights(), model.get_weights(), strict=True)
    )


def unmasked(model):
    """Tell whether there is no mask, and no constraint but a reminder of the zeros."""
    left = [one.constraint for one in model.variables]
    return not any(isinstance(one, Mask) for one in left) and all(
        fit_state.own(one, "constraint") is None for one in model.variables
    )


def test_after_an_exception_release_takes_the_masks_off(blobs):
    class Crash(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("out of memory")

    model, pruning = compiled(), Pruning(Constant(0.5), scope="layer")
    with pytest.raises(RuntimeError, match="out of memory"):
        fit(model, blobs, pruning, Crash())
    assert isinstance(model.layers[0].kernel.constraint, Mask)
    pruning.release()
    assert unmasked(model)
    with pytest.warns(UserWarning, match="they will be filled"):
        fit(model, blobs, epochs=1)
    assert model.layers[0].kernel.constraint is None
    assert (model.layers[0].kernel.numpy() == 0).sum() < 120


def test_a_new_pruning_replaces_masks_left_by_a_broken_run(blobs):
    model = compiled()
    left = Mask(model.layers[0].kernel)
    model.layers[0].kernel.constraint = left
    fit(model, blobs, Pruning(decay(), scope="layer"))
    assert fit_state.own(model.layers[0].kernel, "constraint") is None


def test_two_prunings_share_a_model_but_not_a_kernel(blobs):
    watch = Watch()
    fit(
        compiled(),
        blobs,
        Pruning(Constant(0.5), include="dense", scope="layer"),
        Pruning(Constant(0.9), exclude="dense", scope="layer"),
        watch,
    )
    assert watch.seen[-1] == [120, 54]
    with pytest.raises(ValueError, match="Selected twice: .*kernel"):
        fit(compiled(), blobs, Pruning(0.5, scope="layer"), Pruning(0.9, scope="layer"))


def test_the_saved_model_loads_without_kerasopt(blobs, tmp_path):
    model = compiled()
    fit(model, blobs, Pruning(decay(), scope="layer"))
    model.save(tmp_path / "pruned.keras")
    np.save(tmp_path / "expected.npy", model.predict(blobs[0], verbose=0))
    np.save(tmp_path / "x.npy", blobs[0])
    script = """
import sys, keras, numpy as np
model = keras.models.load_model("pruned.keras")
assert not any(name.startswith("kerasopt") for name in sys.modules)
assert [int((w == 0).sum()) for w in model.get_weights() if w.ndim > 1] == [192, 48]
assert np.allclose(model.predict(np.load("x.npy"), verbose=0), np.load("expected.npy"), atol=1e-6)
"""
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)


def test_nan_weights_are_an_error_that_names_the_layer_before_any_mask_is_written(blobs):
    model = compiled()
    weights = model.get_weights()
    weights[-2][0, 0] = np.nan
    model.set_weights(weights)
    watch = Watch()
    with pytest.raises(ValueError, match=r"dense_1/kernel cannot be pruned: 1 of 60 weights"):
        fit(model, blobs, watch, Pruning(Constant(0.5), scope="layer"))
    assert (model.layers[0].kernel.numpy() == 0).sum() == 0


def zeros(model):
    return [int((w == 0).sum()) for w in model.get_weights() if w.ndim > 1]


def test_a_state_taken_after_fit_goes_on(blobs):
    model, first = compiled(), Pruning(decay(end=16), scope="layer")
    fit(model, blobs, first, epochs=2)
    state = first.get_state()
    assert (state["step"], state["updated"]) == (16, 16)
    assert [int((~m).sum()) for m in state["masks"].values()] == [192, 48]
    watch, second = Watch(), Pruning(decay(end=16), scope="layer")
    second.set_state(state)
    fit(model, blobs, second, watch, initial_epoch=2)
    assert watch.seen == [[192, 48]] * 8


@pytest.mark.parametrize("end", [24, 1.0])
def test_a_state_without_initial_epoch_goes_on_in_the_schedule(blobs, end):
    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.state = first.get_state()

    model, keep, first = compiled(), Keep(), Pruning(decay(end=24), frequency=1, scope="layer")
    with pytest.warns(UserWarning, match="Pruning"):
        fit(model, blobs, keep, first, epochs=2)
    assert keep.state["step"] == 16
    watch, second = Watch(), Pruning(decay(end=end), frequency=1, scope="layer")
    second.set_state(keep.state)
    fit(model, blobs, second, watch, epochs=1)
    assert watch.seen == [zeros_at(decay(), step) for step in range(17, 25)]
    assert second.step == 24


def test_a_state_of_an_equal_model_with_other_automatic_names(blobs):
    first = Pruning(Constant(0.8), scope="layer")
    model = compiled()
    fit(model, blobs, first)
    twin = compiled()  # its layers are dense_2 and dense_3
    assert [layer.name for layer in twin.layers] != [layer.name for layer in model.layers]
    twin.set_weights(model.get_weights())
    second = Pruning(Constant(0.8), scope="layer")
    second.set_state(first.get_state())
    fit(twin, blobs, second, initial_epoch=2)
    assert zeros(twin) == [192, 48]


@pytest.mark.parametrize(
    "masks",
    [
        {"nope/kernel": np.ones((12, 20), bool)},
        {"dense/kernel": np.ones((12, 3), bool), "dense_1/kernel": np.ones((20, 3), bool)},
        {"dense/kernel": np.ones((12, 20), bool)},
    ],
)
def test_a_state_of_another_model_is_an_error_and_leaves_nothing_behind(blobs, masks):
    model, pruning = compiled(), Pruning(decay(), scope="layer")
    pruning.set_state({"step": 8, "updated": 8, "masks": masks})
    with pytest.raises(ValueError, match="`state`. Expected masks for the selected kernels"):
        fit(model, blobs, pruning)
    assert int(model.optimizer.iterations) == 0
    assert all(variable.constraint is None for variable in model.variables)


@pytest.mark.parametrize(
    "state", [{"x": 1}, {"step": 8, "updated": 8, "masks": {}}, {"step": 1.5, "updated": 0}]
)
def test_a_state_of_another_form(state):
    with pytest.raises(ValueError, match="`state`. Expected what `get_state` gave"):
        Pruning(0.5, scope="layer").set_state(state)
    with pytest.raises(TypeError, match="`state`"):
        Pruning(0.5, scope="layer").set_state(None)


def test_the_state_in_the_middle_of_an_epoch_counts_its_batches(blobs):
    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.steps.append(pruning.get_state()["step"])

    look, pruning = Look(), Pruning(decay(), scope="layer")
    look.steps = []
    fit(compiled(), blobs, look, pruning)  # before it in the list
    assert look.steps == [8, 16, 24]


def test_frozen_layers_are_left_out_by_name(blobs):
    model = mlp()
    model.layers[0].trainable = False
    before = model.layers[0].kernel.numpy()
    pruning = Pruning(decay(), scope="layer")
    with pytest.warns(UserWarning, match="leaves out frozen layers: 'dense'"):
        fit(compiled(model), blobs, pruning)
    assert np.array_equal(model.layers[0].kernel.numpy(), before)
    assert (model.layers[2].kernel.numpy() == 0).sum() == 48
    assert pruning.selection.left_out["dense"] == "frozen"
    model.layers[2].trainable = False
    with pytest.raises(ValueError, match="frozen: .*'dense', 'dense_1'"):
        fit(compiled(model), blobs, Pruning(decay(), scope="layer"))


def test_constants_and_tables_are_no_kernels(blobs):
    class Shift(keras.layers.Layer):
        def build(self, shape):
            self.table = self.add_weight(shape=(3, 4), trainable=False, name="table")
            self.lookup = self.add_weight(shape=(3, 4), dtype="int32", initializer="ones", name="l")

        def call(self, x):
            return x + self.table[0, 0]

    model = keras.Sequential([keras.Input((12,)), Shift(), *mlp().layers])
    pruning = Pruning(decay(), scope="layer")
    fit(compiled(model), blobs, pruning)
    assert [target.path for target in pruning.selection] == ["dense/kernel", "dense_1/kernel"]


class Pair(keras.Model):
    """A model without `call`, as GANs are written."""

    def __init__(self):
        super().__init__()
        self.one, self.two = mlp(), mlp()

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, (self.one(x) + self.two(x)) / 2)
        self.optimizer.apply(
            tape.gradient(loss, self.one.trainable_variables), self.one.trainable_variables
        )
        return {"loss": loss}


def test_a_model_without_call(blobs):
    model = compiled(Pair())
    fit(model, blobs, Pruning(decay(), include=model.one, scope="layer"))
    assert zeros(model.one) == [192, 48]
    assert zeros(model.two) == [0, 0]


def test_what_a_broken_run_left_is_gone_whatever_the_next_one_selects(blobs):
    class Crash(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("out of memory")

    model, broken = compiled(), Pruning(Constant(0.8), scope="layer")
    with pytest.raises(RuntimeError, match="out of memory"):
        fit(model, blobs, broken, Crash())
    fit(model, blobs, Pruning(Constant(0.5), include="dense", scope="layer"))
    assert all(fit_state.own(one, "constraint") is None for one in model.variables)
    with pytest.raises(RuntimeError, match="out of memory"):
        fit(model, blobs, broken, Crash())
    fit(compiled(), blobs, broken)  # the same instance on another model
    assert unmasked(model)


def test_two_prunings_of_one_kernel_leave_no_mask_behind(blobs):
    model = compiled()
    with pytest.raises(ValueError, match="Selected twice"):
        fit(model, blobs, Pruning(0.5, scope="layer"), Pruning(0.9, scope="layer"))
    assert all(variable.constraint is None for variable in model.variables)


def test_denser_weights_that_come_in_at_the_end_are_masked(blobs):
    class Older(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            self.model.set_weights([w + 1.0 for w in self.model.get_weights()])

    model = compiled()
    fit(model, blobs, Older(), Pruning(decay(), scope="layer"))
    assert zeros(model) == [192, 48]


def test_unknown_length_with_several_steps_an_execution_is_said(blobs):
    model = compiled(steps_per_execution=3)
    with pytest.warns(UserWarning, match="Pass `steps_per_epoch`"):
        model.fit(endless(blobs), callbacks=[Pruning(Constant(0.5), scope="layer")], verbose=0)


def test_a_further_fit_keeps_the_zeros_with_a_constant(blobs):
    model = compiled()
    fit(model, blobs, Pruning(decay(), scope="layer"))
    pattern = [w == 0 for w in model.get_weights()]
    fit(model, blobs, Pruning(Constant(0.8), scope="layer"))
    after = [w == 0 for w in model.get_weights()]
    assert all(np.array_equal(a, b) for a, b in zip(pattern, after, strict=True) if a.ndim > 1)
