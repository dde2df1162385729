"""Channels masked in `fit`, and removed after it."""

import copy
import itertools

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt._core import fit_state
from kerasopt.callbacks import ChannelPruning, EarlyStopping, Pruning
from kerasopt.distillation import OutputDistiller
from kerasopt.pruning.enforcement.mask_constraint import Mask
from kerasopt.schedules import Constant, Linear, OneShot
from kerasopt.structured import shrink, shrink_plan
from tests.structured.exact import assert_close
from tests.structured.test_shrink import data, network


def sigmoid_network():
    """One in which a channel of zeros is not zero further on."""
    x = keras.Input((8, 8, 3))
    y = layers.Conv2D(32, 3, padding="same", activation="sigmoid", name="a")(x)
    y = layers.BatchNormalization(name="norm")(y)
    y = layers.Conv2D(16, 3, activation="softplus", name="b")(y)
    y = layers.GlobalAveragePooling2D(name="pool")(y)
    return keras.Model(x, layers.Dense(4, activation="softmax", name="top")(y))


def fitted(model, *callbacks, epochs=4, **how):
    if not model.compiled:
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **how)
    x, y = data()
    return model.fit(x, y, batch_size=16, epochs=epochs, verbose=0, callbacks=list(callbacks))


@pytest.mark.parametrize("build", [network, sigmoid_network])
@pytest.mark.parametrize("how", [{}, {"jit_compile": True}, {"steps_per_execution": 3}])
def test_what_is_masked_can_be_removed_and_nothing_changes(build, how):
    keras.utils.set_random_seed(0)
    model = build()
    history = fitted(model, ChannelPruning(0.5), **how)
    shares = history.history["channel_sparsity"]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(0.5, abs=0.03)
    plan = shrink_plan(model, pruning_ratio="masked")
    gone = sum(one.before - one.after for one in plan.groups)
    assert gone / sum(one.before for one in plan.groups) == pytest.approx(0.5, abs=0.03)
    x, _ = data()
    assert_close([model.predict(x, verbose=0)], [plan.apply().predict(x, verbose=0)])
    assert all(fit_state.own(one, "constraint") is None for one in model.variables)


@pytest.mark.parametrize(
    "optimizer", ["sgd", "rmsprop", lambda: keras.optimizers.Adam(use_ema=True, ema_momentum=0.5)]
)
def test_any_optimizer_and_any_loss(optimizer):
    model = sigmoid_network()
    made = optimizer if isinstance(optimizer, str) else optimizer()
    model.compile(made, lambda y, p: keras.ops.mean(keras.ops.square(p), -1))
    fitted(model, ChannelPruning(0.5, scope="layer"))
    assert shrink(model, pruning_ratio="masked").get_layer("a").filters == 16


def test_masks_hold_after_every_step_and_for_every_callback():
    model = network()
    seen = []

    class Look(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            kernel = self.model.get_layer("wide").kernel.numpy()
            taken = self.model.get_layer("back").kernel.numpy()
            columns = ~kernel.any((0, 1, 2))
            seen.append(int(columns.sum()))
            assert np.array_equal(columns, ~taken.any((0, 1, 3)))

    fitted(model, Look(), ChannelPruning(Constant(0.5), scope="layer"), Look())
    assert set(seen) == {32}


def test_the_schedule_is_followed_and_a_channel_that_is_masked_stays_so():
    model = network()
    masked = []

    class Note(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            kernel = self.model.get_layer("hidden").kernel.numpy()
            masked.append(set(np.flatnonzero(~kernel.any(0))))

    for criterion in ("random", "geometric_median", "l1"):
        masked.clear()
        model = network()
        callback = ChannelPruning(
            Linear(0.0, 0.5, begin=0, end=1.0), importance=criterion, scope="layer", seed=None
        )
        fitted(model, callback, Note())
        assert [len(one) for one in masked] == [8, 16, 16, 24] or len(masked[-1]) == 24
        assert all(before <= after for before, after in itertools.pairwise(masked))


@pytest.mark.parametrize("criterion", ["taylor", "activation", "apoz", "bn_scale", "group"])
def test_other_criteria(criterion):
    model = network()
    fitted(model, ChannelPruning(OneShot(0.4, at=4), importance=criterion, data=data(), batches=1))
    plan = shrink_plan(model, pruning_ratio="masked")
    assert any(one.after < one.before for one in plan.groups)


def test_around_a_distiller():
    student, teacher = network(), network()
    distiller = OutputDistiller(teacher, student)
    distiller.compile("adam", "sparse_categorical_crossentropy")
    x, y = data()
    distiller.fit(x, y, epochs=2, verbose=0, callbacks=[ChannelPruning(0.5, scope="layer")])
    assert shrink(student, pruning_ratio="masked").get_layer("wide").filters == 32


def test_a_resumed_run_goes_on_where_it_was():
    model, first = network(), ChannelPruning(Linear(0.0, 0.5, begin=0, end=16), scope="layer")
    fitted(model, first, epochs=2)
    state = first.get_state()
    assert state["step"] == 8
    again = ChannelPruning(Linear(0.0, 0.5, begin=0, end=16), scope="layer")
    again.set_state(state)
    x, y = data()
    model.fit(x, y, batch_size=16, initial_epoch=2, epochs=4, verbose=0, callbacks=[again])
    masked = again.get_state()["gone"]
    for name, before in state["gone"].items():
        assert (masked[name] >= before).all()
    assert again.channel_sparsity == pytest.approx(0.5, abs=0.01)


def test_a_state_of_another_model_is_an_error():
    callback = ChannelPruning(0.5)
    with pytest.raises(ValueError, match="what `get_state` gave"):
        callback.set_state({"step": 1})
    callback.set_state({"step": 0, "updated": -1, "gone": {"other": np.zeros(3, bool)}})
    model = network()
    with pytest.raises(ValueError, match="the channels of the same model"):
        fitted(model, callback)
    assert all(one.constraint is None for one in model.variables)


def test_frozen_layers_are_left_alone():
    model = network()
    model.get_layer("back").trainable = False
    callback = ChannelPruning(0.5, scope="layer")
    fitted(model, callback)
    found = shrink_plan(model, pruning_ratio="masked")
    lost = {one.layers: one.before - one.after for one in found.groups}
    assert lost == {("stem", "back"): 0, ("wide",): 0, ("hidden",): 24}


def test_it_is_made_again_from_its_config_and_copied():
    callback = ChannelPruning(Linear(0.0, 0.5, begin=0, end=8), exclude=["a"], importance="l1")
    again = ChannelPruning.from_config(callback.get_config())
    assert again.get_config() == callback.get_config()
    assert copy.deepcopy(callback).get_config() == callback.get_config()


def test_a_run_that_is_broken_off_leaves_no_masks_after_release():
    model, callback = network(), ChannelPruning(0.5)

    class Break(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise RuntimeError("off")

    with pytest.raises(RuntimeError, match="off"):
        fitted(model, callback, Break())
    callback.release()
    assert not any(isinstance(one.constraint, Mask) for one in model.variables)
    assert all(fit_state.own(one, "constraint") is None for one in model.variables)


def test_early_stopping_waits_for_it():
    model = network()
    stopper = EarlyStopping("loss", patience=0, min_delta=10.0)
    fitted(model, ChannelPruning(Linear(0.0, 0.5, begin=0, end=12)), stopper, epochs=8)
    assert len(model.history.epoch) > 3


def test_what_is_wrong_is_said():
    with pytest.raises(ValueError, match="sparsity"):
        ChannelPruning(1.5)
    with pytest.raises(ValueError, match="one of"):
        ChannelPruning(0.5, importance="size")
    with pytest.raises(ValueError, match="`data`"):
        fitted(network(), ChannelPruning(0.5, importance="taylor"))
    with pytest.raises(ValueError, match="no other pruning"):
        fitted(network(), Pruning(0.5), ChannelPruning(0.5))
    model = network()
    with pytest.warns(UserWarning, match="ends at step"):
        fitted(model, ChannelPruning(Linear(0.0, 0.5, begin=0, end=100)))


def test_channels_whose_makers_alone_are_zero_stay_and_are_named():
    model = sigmoid_network()
    kernel = model.get_layer("a").kernel.numpy()
    kernel[..., :8] = 0.0
    model.get_layer("a").kernel.assign(kernel)
    with pytest.warns(UserWarning, match="Channels of a have kernels of zeros"):
        plan = shrink_plan(model, pruning_ratio="masked")
    assert all(one.after == one.before for one in plan.groups)


def frozen_norms():
    model = keras.Sequential([keras.Input((8, 8, 3))])
    for number, filters in enumerate((16, 32)):
        model.add(layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"conv{number}"))
        model.add(layers.BatchNormalization(trainable=False, name=f"norm{number}"))
        model.add(layers.ReLU())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(24, activation="relu", name="hidden"))
    model.add(layers.Dense(4, activation="softmax", name="top"))
    return model


def test_frozen_normalizations_hinder_nothing():
    keras.utils.set_random_seed(0)
    model = frozen_norms()
    norm = model.get_layer("norm1")
    norm.set_weights([np.linspace(1, 2, 32) * sign for sign in (1, -1, 1, 1)])
    kept = norm.get_weights()
    history = fitted(model, ChannelPruning(0.5))
    plan = shrink_plan(model, pruning_ratio="masked")
    before, after = ([getattr(one, at) for one in plan.groups] for at in ("before", "after"))
    assert 1 - sum(after) / sum(before) == pytest.approx(0.5, abs=0.06)
    assert history.history["channel_sparsity"][-1] == 1 - sum(after) / sum(before)
    for one, other in zip(kept, norm.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    x, _ = data()
    assert_close([model.predict(x, verbose=0)], [plan.apply().predict(x, verbose=0)])


def test_a_later_training_says_that_it_fills_masked_channels():
    model = sigmoid_network()
    fitted(model, ChannelPruning(0.5))
    with pytest.warns(UserWarning, match=r"ChannelPruning left 50.0% channels of zeros"):
        fitted(model, epochs=1)
    # Behind a softplus a channel is taken again; behind a normalization of zeros it stays so.
    whole = {
        one.layers: one.before == one.after
        for one in shrink_plan(model, pruning_ratio="masked").groups
    }
    assert whole == {("a",): False, ("b",): True}


def test_the_share_is_of_all_channels_and_what_is_frozen_is_named():
    model = network()
    model.get_layer("back").trainable = False
    callback = ChannelPruning(0.5, scope="layer")
    with pytest.warns(
        UserWarning, match="stem, back, wide keep all channels.* are frozen"
    ) as caught:
        fitted(model, callback)
    assert [one.filename for one in caught if "frozen" in str(one.message)] == [__file__]
    plan = shrink_plan(model, pruning_ratio="masked")
    gone = sum(one.before - one.after for one in plan.groups)
    assert callback.channel_sparsity == gone / sum(one.before for one in plan.groups)
    few = ChannelPruning(0.5, round_to=32)
    with pytest.warns(
        UserWarning, match=r"masked instead of 0.5: of each layer at least round_to=32"
    ):
        fitted(frozen_norms(), few)
