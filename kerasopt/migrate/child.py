"""Strip a tfmot model, in a process that runs Keras 2. Run as a file: it imports no kerasopt.

    python child.py MODEL FOLDER

Writes FOLDER/model.h5, the plain model, and FOLDER/check.npz, samples and what it makes of them.
"""

import os
import sys
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras

# A layer that Keras 2 does not find by itself in its own files.
UNFOUND = {"SpectralNormalization": tf_keras.layers.SpectralNormalization}


def loaded(path: str) -> tf_keras.Model:
    """Load a model that may hold tfmot's wrappers."""
    with tfmot.sparsity.keras.prune_scope(), tfmot.clustering.keras.cluster_scope():
        return tf_keras.models.load_model(path, UNFOUND, compile=False)


def stripped(model: tf_keras.Model) -> tf_keras.Model:
    """Take tfmot's wrappers off."""
    names = {type(layer).__name__ for layer in model.submodules}
    if "PruneLowMagnitude" in names:
        model = tfmot.sparsity.keras.strip_pruning(model)
    if any(name.startswith("Cluster") for name in names):
        model = tfmot.clustering.keras.strip_clustering(model)
    return model


def samples(model: tf_keras.Model, whole: bool) -> list[np.ndarray]:
    """Make samples of each input: four, or as many as it takes; whole numbers if need be."""
    rng = np.random.default_rng(0)
    found = []
    for one in model.inputs:
        sizes = [one.shape[0] or 4, *(16 if size is None else size for size in one.shape[1:])]
        if one.dtype == "string":
            found.append(rng.choice(np.array(["a", "b c"]), sizes))
        elif whole or one.dtype.is_integer or one.dtype.is_bool:
            found.append(rng.integers(0, 2, sizes).astype(one.dtype.as_numpy_dtype))
        else:
            found.append(rng.normal(size=sizes).astype(one.dtype.as_numpy_dtype))
    return found


def tried(model: tf_keras.Model) -> tuple[list[np.ndarray], Any]:
    """Run the model on samples: on indices, if it does not take all numbers."""
    for whole in (False, True):
        given = samples(model, whole)
        tensors = [tf.constant(one) for one in given]
        try:
            return given, model(tensors if len(given) > 1 else tensors[0], training=False)
        except tf.errors.InvalidArgumentError:
            if whole:
                raise
    raise AssertionError


def main(path: str, folder: str) -> None:
    """Read, strip, write."""
    model = stripped(loaded(path))
    given, outputs = tried(model)
    arrays: dict[str, Any] = {f"input_{number}": array for number, array in enumerate(given)}
    if isinstance(outputs, dict):
        outputs = list(outputs.values())
    results = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    for number, one in enumerate(results):
        # NumPy has no bfloat16 that a file could hold.
        plain = tf.cast(one, tf.float32) if one.dtype == tf.bfloat16 else one
        arrays[f"output_{number}"] = np.asarray(plain)
    np.savez(os.path.join(folder, "check.npz"), **arrays)
    model.save(os.path.join(folder, "model.h5"))


if __name__ == "__main__":
    main(*sys.argv[1:])
