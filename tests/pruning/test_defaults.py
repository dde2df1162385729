"""What is pruned, and how layers share it, where the user says nothing of it."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.callbacks import Pruning, WeightPenalty
from kerasopt.pruning import Global, PerLayer, masks, prune, prune_in_rounds, sparsity
from kerasopt.pruning.prunable import is_depthwise
from kerasopt.pruning.statistics.batches import Batches
from kerasopt.regularization import add_penalty
from kerasopt.schedules import Constant
from kerasopt.selection import select
from kerasopt.structured.budget.request import requested
from tests.pruning.small import X, Y, mlp, zeros


def network():
    """One with every kind of depthwise kernel."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 4)),
            layers.Conv2D(4, 3, name="stem"),
            layers.DepthwiseConv2D(3, name="depthwise"),
            layers.SeparableConv2D(4, 3, name="separable"),
            layers.Conv2D(8, 1, groups=4, name="grouped"),
            layers.Conv2D(8, 1, groups=2, name="halves"),
            layers.Flatten(),
            layers.Dense(3, name="top"),
        ]
    )
    model.compile("sgd", "mse")
    return model


DEPTHWISE = ["depthwise/kernel", "separable/depthwise_kernel", "grouped/kernel"]


def test_depthwise_kernels_are_left_out_and_named_unless_they_are_included():
    model = network()
    x, y = np.ones((8, 8, 8, 4)), np.ones((8, 3))
    assert [target.path for target in select(model) if is_depthwise(target)] == DEPTHWISE
    pruning = Pruning(Constant(0.5))
    model.fit(x, y, verbose=0, callbacks=[pruning])
    others = [path for path in zeros(model) if path not in DEPTHWISE]
    assert [target.path for target in pruning.selection] == others
    assert {name for name, why in pruning.selection.left_out.items() if "depthwise" in why} == {
        "depthwise",
        "separable/depthwise_kernel",
        "grouped",
    }
    assert not any(zeros(model)[path] for path in DEPTHWISE)
    assert all(zeros(model)[path] for path in others)
    # One word away: all of them, or one of them.
    table = prune(model, 0.75, include="*")
    assert [row.path for row in table.rows] == list(zeros(model))
    named = network()
    assert [row.path for row in prune(named, 0.5, include="depthwise").rows] == DEPTHWISE[:1]
    # What is there is held, wherever it is.
    keep = Pruning("keep")
    before = zeros(model)
    model.fit(x, y, verbose=0, callbacks=[keep])
    assert zeros(model) == before
    # A dict as scope names layers as well.
    found = prune(network(), 0.5, scope={"depthwise": 0.8, "top": 0.6})
    assert [row.path for row in found.rows] == [others[0], DEPTHWISE[0], *others[1:]]
    alone = keras.Sequential([keras.Input((8, 8, 4)), layers.DepthwiseConv2D(3)])
    assert prune(alone, 0.5).total == 0.5


def test_the_scope_is_all_layers_together_where_weights_may_compete():
    data = {"data": (X, Y)}
    for how in ({}, {"criterion": "lamp"}, {"criterion": "taylor", **data}):
        assert Pruning(0.8, **how).scope == Global(floor=0.1)
    for how in (
        {"pattern": "block_4x4"},
        {"pattern": "channel"},
        {"criterion": "random"},
        {"criterion": "wanda", **data},
        {"criterion": np.abs},
        {"dynamics": "set"},
        {"scope": "layer"},
    ):
        assert Pruning(0.8, **how).scope == PerLayer()
    assert Pruning(0.5, pattern="2:4").scope == PerLayer()
    assert Pruning(0.8, scope="global").scope == Global()
    again = Pruning.from_config(Pruning(0.8).get_config())
    assert again.scope == Global(floor=0.1)


def test_together_the_smallest_go_and_no_layer_is_emptied():
    keras.utils.set_random_seed(0)
    model = mlp()
    small = model.get_layer("b").kernel
    small.assign(small * 1e-6)
    weights = {target.path: target.variable.numpy() for target in select(model)}
    expected = masks(weights, 0.8, scope=Global(floor=0.1))
    assert prune(model, 0.8).total == pytest.approx(0.8, abs=2e-3)
    for path, kept in expected.items():
        value = next(t.variable.numpy() for t in select(model) if t.path == path)
        np.testing.assert_array_equal(value != 0, kept)
    # A tenth of the 26 that would stay by itself, rounded; all others compete.
    assert int(expected["b/kernel"].sum()) == 3
    ranked = np.sort(
        np.abs(np.concatenate([weights["a/kernel"].ravel(), weights["c/kernel"].ravel()]))
    )
    threshold = ranked[-(69 - 3)]
    for path in ("a/kernel", "c/kernel"):
        np.testing.assert_array_equal(expected[path], np.abs(weights[path]) >= threshold)


def test_rounds_take_the_same_defaults():
    keras.utils.set_random_seed(1)
    model = mlp()
    once = keras.models.clone_model(model)
    once.set_weights(model.get_weights())
    model.compile(keras.optimizers.SGD(0.0), model.loss)

    def fit(model, callbacks):
        return model.fit(X, Y, verbose=0, callbacks=callbacks)

    prune_in_rounds(model, fit, 0.8, rounds=2)
    prune(once, 0.8)
    assert zeros(model) == zeros(once)
    assert len({row.sparsity for row in sparsity(model).rows}) == 3


# What is meant is said.


@pytest.mark.parametrize("value", [80, 80.0, "80%", "80 %", "0.8"])
def test_a_percentage_is_an_error_that_offers_the_share(value):
    calls = [
        lambda: Pruning(value),
        lambda: prune(mlp(), value),
        lambda: masks({"a": np.ones(9)}, value),
        lambda: Pruning(0.5, scope={"a": value}),
        lambda: requested(value, None),
        lambda: requested({"a": value}, None),
        lambda: requested(None, value),
    ]
    if value != 80 or isinstance(value, float):  # 80 MACs, an integer, are a limit
        calls.append(lambda: requested(None, {"macs": value}))
    for call in calls:
        with pytest.raises((TypeError, ValueError), match=r"Did you mean 0\.8\?"):
            call()


@pytest.mark.parametrize("value", [1, 1.0, 1.5, -0.5, 100, "half", None, True, np.nan])
def test_where_nothing_can_be_meant_nothing_is_offered(value):
    with pytest.raises((TypeError, ValueError), match="`sparsity`") as caught:
        prune(mlp(), value)
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [(X, Y[:9]), [(X, Y[:9])], ({"a": X, "b": X[:9]}, Y), (X, Y, np.ones(9))],
)
def test_arrays_of_other_lengths_are_named(data):
    with pytest.raises(ValueError, match=r"`data`.*as many samples in each.*64.*9.*own target"):
        Batches(data).take(1)


def test_one_number_is_the_factor_of_the_same_penalty():
    added, held = mlp(), mlp()
    held.set_weights(added.get_weights())
    add_penalty(added, 1e-2)
    callback = WeightPenalty(1e-2)
    held.compile(keras.optimizers.SGD(0.0), held.loss)
    log = held.fit(X, Y, verbose=0, callbacks=[callback]).history
    assert log["weight_penalty"][0] == pytest.approx(float(sum(added.losses)), rel=1e-5)
    assert WeightPenalty(l1=1e-3).get_config()["l2"] == 0.0
