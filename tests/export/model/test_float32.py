import keras
import numpy as np
import pytest

from kerasopt.export import ExportError, to_tflite
from kerasopt.export.model.float32 import as_float32, in_float32

layers = keras.layers


def mixed(policy):
    inputs = keras.Input((8, 8, 3), name="image")
    x = layers.Rescaling(1 / 255, dtype=policy)(inputs)
    x = layers.Conv2D(4, 3, dtype=policy, activation="relu")(x)
    x = layers.BatchNormalization(dtype=policy)(x)
    inner = keras.Sequential(
        [keras.Input((8,), dtype=policy.split("_")[-1]), layers.Dense(8, dtype=policy)],
        name="inner",
    )
    x = inner(layers.Dense(8, dtype=policy)(layers.GlobalAveragePooling2D(dtype=policy)(x)))
    return keras.Model(inputs, layers.Dense(3, dtype="float32", name="out")(x))


def test_a_float32_model_is_itself(dense):
    assert in_float32(dense) is dense
    assert to_tflite(dense).report.copy_db is None


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16"])
def test_exports_as_float32(policy, rng):
    model = mixed(policy)
    model.compile("adam", "mse")
    before = [np.array(w) for w in model.get_weights()]
    x = rng.random((20, 8, 8, 3)).astype("float32") * 255
    exported = to_tflite(model, validation_data=x)
    assert [port.name for port in exported.report.inputs] == ["image"]
    assert [port.name for port in exported.report.outputs] == ["out"]
    assert exported.report.sqnr_db > 80
    # What the copy gains over the model itself: measured 30 to 75 dB, by the policy's bits.
    least = 25 if "bfloat16" in policy else 45
    assert least < exported.report.copy_db < 100
    assert f"{exported.report.copy_db:.1f} dB" in str(exported.report)
    tolerance = 0.05 if "bfloat16" in policy else 0.01
    np.testing.assert_allclose(exported.predict(x), np.asarray(model(x)), atol=tolerance)
    assert any("float32 copy" in note for note in exported.report.notes)
    assert model.dtype_policy.name == "float32" or model.dtype_policy.name == policy
    assert model.layers[1].dtype_policy.name == policy
    assert model.compiled
    for left, right in zip(before, model.get_weights(), strict=True):
        assert np.array_equal(left, right)


@pytest.mark.parametrize("policy", ["mixed_float16", "bfloat16", "float64"])
def test_a_global_policy(policy, rng):
    keras.config.set_dtype_policy(policy)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
            layers.Lambda(lambda x: x * 2),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )
    x = rng.normal(size=(100, 8, 8, 3))
    assert to_tflite(model).report.sqnr_db > 80
    exported = to_tflite(model, None, "int8", calibration=x)
    assert exported.report.sqnr_db > 25
    assert keras.config.dtype_policy().name == policy
    assert model.dtype_policy.name == policy


class Own(keras.Model):
    def __init__(self, units, wrong, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(units, dtype="mixed_float16")

    def call(self, x):
        return self.dense(x)


def test_a_class_that_cannot_be_copied_says_so():
    model = Own(3, wrong=1)
    model(np.ones((1, 4)))
    with pytest.raises(ExportError, match=r"mixed_float16.*no float32 copy.*get_config"):
        to_tflite(model)


def test_only_dtypes_are_replaced():
    config = {
        "name": "float16",
        "dtype": {"class_name": "DTypePolicy", "config": {"name": "mixed_bfloat16"}},
        "layers": [{"output_dtype": "float16", "dtype": "uint8"}, ("float16", 1)],
    }
    assert as_float32(config) == {
        "name": "float16",
        "dtype": {"class_name": "DTypePolicy", "config": {"name": "float32"}},
        "layers": [{"output_dtype": "float32", "dtype": "uint8"}, ("float16", 1)],
    }
