"""A model in plain float32: TFLite has no kernels for mixed precision."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from kerasopt.export.errors import ExportError
from kerasopt.selection import walk

_OTHER = ("float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16")


def other_precisions(model: Any) -> list[str]:
    """Give the names of the dtype policies inside `model` that do not compute in float32."""
    policies = {layer.dtype_policy.name for _, layer in [("", model), *walk(model)]}
    return sorted(policies & set(_OTHER))


def in_float32(model: Any) -> Any:
    """Give the model itself if all of it is float32, or else a copy that is, weights copied.

    Args:
        model: A built Keras model. It is not changed.

    Raises:
        ExportError: If the model cannot be copied.

    Example:
    >>> layers = [keras.Input((4,)), keras.layers.Dense(2, dtype="mixed_float16")]
    >>> in_float32(keras.Sequential(layers)).layers[0].compute_dtype
    'float32'
    """
    found = other_precisions(model)
    if not found:
        return model
    try:
        config = copy.deepcopy(keras.saving.serialize_keras_object(model))
        config.pop("compile_config", None)
        classes = {type(layer).__name__: type(layer) for _, layer in [("", model), *walk(model)]}
        with _policy("float32"):
            # The configuration comes from a live object, so there is nothing to be safe from.
            plain = keras.saving.deserialize_keras_object(
                as_float32(config), custom_objects=classes, safe_mode=False
            )
        plain.set_weights([np.asarray(w, dtype=_plain(w)) for w in model.get_weights()])
    except Exception as error:
        raise ExportError(
            f"The model computes in {' and '.join(found)}, which TFLite cannot, and no float32 "
            f"copy of it could be made: {' '.join(str(error).split())[:200]}. Build the model once "
            "more under `keras.config.set_dtype_policy('float32')` (a class of your own needs "
            "`get_config`), call `set_weights(model.get_weights())` on it, and export that."
        ) from error
    if left := other_precisions(plain):
        raise ExportError(
            f"A layer sets its own precision ({' and '.join(left)}) whatever its dtype policy "
            "says. Build the model without that and export it with the same weights."
        )
    return plain


def as_float32(config: Any) -> Any:
    """Give a Keras configuration with every dtype and dtype policy of another precision replaced.

    Example:
    >>> as_float32({"dtype": "mixed_float16", "units": 3})
    {'dtype': 'float32', 'units': 3}
    """
    if isinstance(config, Mapping):
        if config.get("class_name") == "DTypePolicy":
            inner = config.get("config") or {}
            if inner.get("name") in _OTHER:
                return {**config, "config": {**inner, "name": "float32"}}
        return {
            key: "float32"
            if "dtype" in str(key) and value in _OTHER
            else as_float32(value)
            if not isinstance(value, str)
            else value
            for key, value in config.items()
        }
    if isinstance(config, (list, tuple)):
        return type(config)(as_float32(one) for one in config)
    return config


@contextmanager
def _policy(name: str) -> Iterator[None]:
    """Set the global dtype policy, which layers take whose configuration has none, for a while."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _plain(weight: np.ndarray) -> Any:
    """Give float32 for any float (bfloat16 is no NumPy float), and an integer's own type."""
    return weight.dtype if weight.dtype.kind in "biu" else np.float32
