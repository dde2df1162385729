"""Criteria, beside the definitions they are named for."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.structured import shrink_plan
from kerasopt.structured.budget.candidates import candidates
from kerasopt.structured.importance.channel_scores import scores_of
from kerasopt.structured.importance.importance import IMPORTANCES
from tests.graph.rewriting import shaken


def network():
    return shaken(keras.Sequential([
        keras.Input((6, 6, 2)),
        layers.Conv2D(8, 3, padding="same", name="conv"),
        layers.BatchNormalization(name="norm"),
        layers.ReLU(name="relu"),
        layers.Flatten(name="flat"),
        layers.Dense(5, activation="relu", name="hidden"),
        layers.Dense(1, name="top"),
    ]))  # fmt: skip


def scores(criterion, model=None, **how):
    model = model or network()
    found = candidates(model)
    return model, scores_of(criterion, found.trace, found.groups, **how)


def batch(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(16, 6, 6, 2)).astype("float32"), rng.normal(size=(16, 1))


def test_norms():
    model, (conv, hidden) = scores("l1")
    kernel = model.get_layer("conv").kernel.numpy()
    np.testing.assert_allclose(conv, np.abs(kernel).sum((0, 1, 2)), rtol=1e-5)
    _, (conv, hidden) = scores("l2", model)
    np.testing.assert_allclose(conv, np.sqrt((kernel**2).sum((0, 1, 2))), rtol=1e-5)
    dense = model.get_layer("hidden").kernel.numpy()
    np.testing.assert_allclose(hidden, np.linalg.norm(dense, axis=0), rtol=1e-5)


def test_the_norm_of_all_weights():
    model, (conv, _) = scores("group")
    kernel = model.get_layer("conv").kernel.numpy()
    rows = model.get_layer("hidden").kernel.numpy().reshape(36, 8, 5)  # flat: the channel is last
    whole = (kernel**2).sum((0, 1, 2)) + (rows**2).sum((0, 2))
    np.testing.assert_allclose(conv, np.sqrt(whole), rtol=1e-5)


def test_the_scale_of_batch_normalization_where_there_is_one():
    model, (conv, hidden) = scores("bn_scale")
    np.testing.assert_allclose(conv, np.abs(model.get_layer("norm").gamma.numpy()), rtol=1e-6)
    assert hidden is None
    plan = shrink_plan(model, pruning_ratio=0.5, importance="bn_scale", round_to=1)
    assert [one.layers for one in plan.groups] == [("conv",)]
    assert plan.left_out["hidden"] == "has no score by 'bn_scale'"


def test_taylor_is_the_change_of_the_loss_to_first_order():
    model = network()
    model.compile("sgd", "mse")
    x, y = batch()
    _, (conv, hidden) = scores("taylor", model, data=(x, y), batches=1)
    loss = lambda: float(model.evaluate(x, y, verbose=0, batch_size=16))  # noqa: E731
    before = loss()
    rows = model.get_layer("hidden").kernel
    value, step = rows.numpy(), 1e-3
    for channel in range(8):
        less = value.reshape(36, 8, 5).copy()
        less[:, channel] *= 1 - step
        rows.assign(less.reshape(value.shape))
        assert conv[channel] == pytest.approx(abs(loss() - before) / step, rel=0.05, abs=2e-3)
    rows.assign(value)
    assert len(hidden) == 5


def test_taylor_of_layers_that_cancel_each_other_is_zero():
    x = keras.Input((5,))
    wide = layers.Dense(4, name="wide")(x)
    a, b = layers.Dense(1, name="a"), layers.Dense(1, name="b")
    model = keras.Model(x, layers.Add()([a(wide), b(wide)]))
    b.kernel.assign(-a.kernel)
    model.compile("sgd", "mse")
    data = np.random.default_rng(0).normal(size=(8, 5)), np.ones((8, 1))
    _, (found,) = scores("taylor", model, data=data, batches=1)
    np.testing.assert_allclose(found, np.zeros(4), atol=1e-6)


def test_activity_is_that_of_what_kernels_take():
    model = network()
    x, _ = batch()
    given = keras.Model(model.inputs, model.get_layer("relu").output).predict(x, verbose=0)
    _, (conv, _) = scores("activation", model, data=x, batches=1)
    np.testing.assert_allclose(conv, np.abs(given).mean((0, 1, 2)), rtol=1e-4)
    _, (conv, hidden) = scores("apoz", model, data=x, batches=1)
    np.testing.assert_allclose(conv, (given > 0).mean((0, 1, 2)), rtol=1e-5)
    dense = keras.Model(model.inputs, model.get_layer("hidden").output).predict(x, verbose=0)
    np.testing.assert_allclose(hidden, (dense > 0).mean(0), atol=1e-6)
    assert "call" not in vars(model.get_layer("hidden"))


def test_activity_where_there_are_masks_and_keywords():
    x, z = keras.Input((6,), dtype="int32"), keras.Input((8,), dtype="int32")
    y = layers.Embedding(9, 12, mask_zero=True, name="a")(x)
    w = layers.Embedding(9, 10, mask_zero=True, name="b")(z)
    attend = layers.MultiHeadAttention(2, 3, name="attend")
    top = layers.Dense(2)(layers.Flatten()(attend(query=y, value=w, key=w)))
    model = keras.Model([x, z], top)
    rng = np.random.default_rng(0)
    given = [rng.integers(0, 9, (16, size)) for size in (6, 8)]
    found = candidates(model)
    values = scores_of("activation", found.trace, found.groups, data=(given,), batches=1)
    names = {group.name: value for group, value in zip(found.groups, values, strict=True)}
    for layer, of in (("a", given[0]), ("b", given[1])):
        vectors = model.get_layer(layer).embeddings.numpy()[of]
        np.testing.assert_allclose(names[layer], np.abs(vectors).mean((0, 1)), rtol=1e-4)


def test_the_geometric_median():
    model, (conv, _) = scores("geometric_median")
    points = model.get_layer("conv").kernel.numpy().reshape(-1, 8).T
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1).sum(1)
    np.testing.assert_allclose(conv, apart, rtol=1e-4)


def test_chance_has_a_seed():
    model = network()
    one, other, third = (scores("random", model, seed=seed)[1] for seed in (0, 0, 1))
    assert np.array_equal(one[0], other[0])
    assert not np.array_equal(one[0], third[0])


def test_a_function_of_ones_own():
    model = network()

    def smallest_bias(group):
        return np.abs(group.matrices("makes")[-1]).sum(1)

    plan = shrink_plan(
        model, pruning_ratio=0.5, importance=smallest_bias, scope="layer", round_to=1
    )
    bias = np.abs(model.get_layer("conv").bias.numpy())
    assert set(plan.groups[0].removed) == set(np.argsort(bias)[:4].tolist())


# Chance, and the distance to others, do not ask for size.
@pytest.mark.parametrize(
    "criterion", sorted({*IMPORTANCES.functions} - {"random", "geometric_median"})
)
def test_each_removes_a_channel_that_is_zero_everywhere(criterion):
    model = network()
    model.compile("sgd", "mse")
    for name, axis in (("conv", -1), ("norm", 0), ("hidden", None)):
        for variable in model.get_layer(name).trainable_variables:
            value = variable.numpy()
            if axis is None and value.ndim == 2:
                value.reshape(36, 8, 5)[:, 3] = 0
            elif axis is not None:
                np.moveaxis(value, axis, 0)[3] = 0
            variable.assign(value)
    plan = shrink_plan(
        model, pruning_ratio={"conv": 0.1}, importance=criterion, data=batch(), round_to=1
    )
    assert plan.groups[0].removed == (3,)
