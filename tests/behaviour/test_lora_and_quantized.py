"""Layers whose kernel is not what they compute with: LoRA, and after `model.quantize`."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.batch_norm import fold_batch_norm
from kerasopt.callbacks import Pruning, WeightPenalty
from kerasopt.profile import count
from kerasopt.pruning import prune, sparsity
from kerasopt.regularization import add_constraint, add_penalty, insert_dropout, penalties
from kerasopt.selection import has_kernel, select
from kerasopt.structured import shrink_plan

X = np.random.default_rng(0).normal(size=(32, 16)).astype("float32")
TOKENS = np.arange(10).reshape(2, 5)


def dense(lora=False):
    model = keras.Sequential(
        [
            keras.Input((16,)),
            layers.Dense(32, activation="relu", name="hidden"),
            layers.Dense(4, name="top"),
        ]
    )
    if lora:
        model.get_layer("hidden").enable_lora(4)
    model.compile("adam", "mse")
    return model


def attention():
    x = keras.Input((5,), dtype="int32")
    h = layers.Embedding(20, 16, name="emb")(x)
    h = layers.MultiHeadAttention(2, 8, name="mha")(h, h)
    h = layers.EinsumDense("abc,cd->abd", (None, 16), name="ein")(h)
    h = layers.GlobalAveragePooling1D()(h)
    h = layers.Dense(32, activation="relu", name="d1")(h)
    return keras.Model(x, layers.Dense(4, name="top")(h))


def quantized(mode, make=attention):
    model = make()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras, of the layers that it does not quantize
        model.quantize(mode)
    return model


def test_factors_are_left_out_of_pruning_with_the_reason():
    model = dense(lora=True)
    factors = [np.array(v) for v in (model.layers[0].lora_kernel_a, model.layers[0].lora_kernel_b)]
    with pytest.warns(UserWarning, match=r"Pruning leaves out hidden \(has LoRA: its kernel is "
                      r"frozen.*Merge LoRA first") as caught:  # fmt: skip
        history = model.fit(X, X[:, :4], epochs=2, verbose=0, callbacks=[Pruning(0.5)])
    assert len([one for one in caught if "LoRA" in str(one.message)]) == 1
    assert history.history["sparsity"][-1] == pytest.approx(0.5)
    assert np.mean(np.array(model.get_layer("top").kernel) == 0) == 0.5
    assert np.count_nonzero(model.layers[0].lora_kernel_a) == factors[0].size
    assert select(model).left_out["hidden"].startswith("has LoRA")
    assert "left out: hidden (has LoRA" in str(sparsity(model))


def test_where_nothing_is_left_the_error_says_what_to_do():
    model = dense(lora=True)
    model.get_layer("top").enable_lora(2)
    for what in (lambda: prune(model, 0.5), lambda: add_penalty(model, 0.01)):
        with pytest.raises(ValueError, match="hidden: has LoRA.*Merge LoRA first"):
            what()


def test_the_way_to_merge_that_the_message_names(tmp_path):
    model = dense(lora=True)
    model.fit(X, X[:, :4], verbose=0)
    model.save_weights(tmp_path / "w.weights.h5")
    plain = dense()
    plain.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_allclose(plain(X), model(X), rtol=1e-5, atol=1e-5)
    assert prune(plain, 0.5, include="hidden").total == 0.5
    assert np.mean(np.array(plain.get_layer("hidden").kernel) == 0) == 0.5


def test_penalties_and_constraints_leave_them_out():
    model = dense(lora=True)
    with pytest.warns(UserWarning, match="no penalty: hidden .has LoRA"):
        add_penalty(model, 0.01)
    with pytest.warns(UserWarning, match="no constraint: hidden .has LoRA"):
        add_constraint(model, keras.constraints.MaxNorm(1.0))
    with pytest.warns(UserWarning, match="WeightPenalty leaves out hidden .has LoRA"):
        model.fit(X, X[:, :4], verbose=0, callbacks=[WeightPenalty(l2=0.01)])
    assert [target.path for target in add_penalty(model, 0.01, variables="all", include="hidden")]
    assert "lora_kernel_a" in str(penalties(model))


def test_rewrites_keep_the_factors():
    model = dense(lora=True)
    model.layers[0].lora_kernel_b.assign(np.ones((4, 32)))
    new = insert_dropout(model, 0.3)
    assert new.layers[0].lora_enabled
    assert [layer.name for layer in new.layers] == ["hidden", "hidden_dropout", "top"]
    np.testing.assert_allclose(new(X), model(X), rtol=1e-6)
    with pytest.raises(ValueError, match="LoRA"):
        shrink_plan(model, pruning_ratio=0.5)
    inside = attention()
    inside.get_layer("mha").query_dense.enable_lora(2)
    new = insert_dropout(inside, 0.3, after="d1")
    assert [v.name for v in new.trainable_weights] == [v.name for v in inside.trainable_weights]
    np.testing.assert_allclose(new(TOKENS), inside(TOKENS), rtol=1e-6)


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_quantized_models_say_so(mode):
    model = quantized(mode)
    with pytest.raises(ValueError, match=f"quantized to {mode}.*before `quantize`"):
        prune(model, 0.5)
    with pytest.raises(ValueError, match=f"d1: quantized to {mode}"):
        add_penalty(model, 0.01)
    with pytest.raises(ValueError, match="quantized"):
        shrink_plan(model, pruning_ratio=0.5)
    counted = count(model)
    assert counted.not_counted == ("emb", "mha", "ein", "d1", "top")
    assert counted.macs == 0
    assert counted.parameters == model.count_params()
    assert has_kernel(model.get_layer("d1"))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        new = insert_dropout(model, 0.2)
    np.testing.assert_allclose(new(TOKENS), model(TOKENS), rtol=1e-6)
    assert sum("dropout" in layer.name for layer in new.layers) == 2  # behind the mean, and d1


def test_batch_normalization_is_not_folded_into_them():
    def with_norm():
        first = [keras.Input((16,)), layers.Dense(8, name="hidden"), layers.BatchNormalization()]
        return keras.Sequential([*first, layers.Dense(2, name="top")])

    with pytest.warns(UserWarning, match="quantized or has LoRA"):
        fold_batch_norm(quantized("int8", with_norm))
