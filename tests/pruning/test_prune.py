"""Pruning at once."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt._core import fit_state
from kerasopt.pruning import NM, Channel, prune
from tests.graph import models
from tests.pruning.small import X, Y, mlp, zeros


@pytest.mark.parametrize(
    "criterion", ["magnitude", "lamp", "random", "taylor", "snip", "movement", "wanda", np.square]
)
@pytest.mark.parametrize("scope", ["layer", "global", "erk", "dense_ends", {"b": 0.75}])
def test_every_criterion_with_every_scope(criterion, scope):
    model = mlp()
    table = prune(model, 0.5, criterion=criterion, scope=scope, data=(X, Y))
    kernels = model.get_weights()[::2]
    counted = [int((kernel == 0).sum()) for kernel in kernels]
    found = dict(zip(("a/kernel", "b/kernel", "c/kernel"), counted, strict=True))
    assert [kernel.size for kernel in kernels] == [192, 128, 24]
    if scope == "layer":
        assert found == {"a/kernel": 96, "b/kernel": 64, "c/kernel": 12}
    elif scope == "dense_ends":
        assert found == {"a/kernel": 0, "b/kernel": 64, "c/kernel": 0}
    elif isinstance(scope, dict):
        assert found == {"a/kernel": 96, "b/kernel": 96, "c/kernel": 12}
    else:
        assert sum(found.values()) == (192 + 128 + 24) // 2
    assert {row.path: row.zeros for row in table.rows} == found
    assert table.total == sum(counted) / (192 + 128 + 24)
    assert all(fit_state.own(v, "constraint") is None for v in model.trainable_variables)


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
        prune(model, 0.5, criterion=criterion, data=(X, Y))
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

    def fails(match, *arguments, **options):
        before = model.get_weights()
        with pytest.raises(ValueError, match=match):
            prune(model, *arguments, **options)
        for one, other in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
        assert all(v.constraint is None for v in model.trainable_variables)

    fails(r"`sparsity`.*at most 0\.5", 0.75, pattern="2:4")
    fails("`data`", 0.5, criterion="taylor")
    fails("`criterion`.*'magnitude'", 0.5, criterion="magnitud")
    fails("`scope`.*'bb'.*Did you mean 'b'", 0.5, scope={"bb": 0.5})
    fails("`sparsity`", 1.0)
    # The kernel of the middle layer, so one that comes before and one after it could have changed.
    model.get_layer("b").kernel.assign(np.full((16, 8), np.nan))
    fails("b/kernel cannot be pruned", 0.5)
