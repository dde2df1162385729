"""tfmot on tf_keras, in a process of its own: a JSON line in, a JSON line out, to the end of input.

`process.py` starts it; it is not for calling by hand. Each question is a dict whose `what` names a
function below, the other entries are its arguments.
"""

import json
import os
import sys
import time
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Without the root, which has kerasopt: these scripts are for environments that may lack it.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras
from pruning.models import MODELS, classifier, compiled, noise, step_ms
from pruning.training import load, train_tfmot, weights_of
from tensorflow_model_optimization.python.core.sparsity.keras import pruning_impl

_models: dict[str, Any] = {}
_updates: dict[int, Any] = {}


def versions() -> dict[str, str]:
    """Tell what runs here."""
    return {"tfmot": tfmot.__version__, "tf_keras": tf_keras.__version__}


def build(name: str, frequencies: dict[str, int], lengths: dict[str, int]) -> bool:
    """Make a model a variant, pruned to 80 % over its steps at its frequency; 0 leaves it plain."""
    _models.clear()
    for variant, frequency in frequencies.items():
        tf_keras.utils.set_random_seed(0)
        model = MODELS[name](tf_keras)
        if frequency:
            decay = tfmot.sparsity.keras.PolynomialDecay(
                0.0, 0.8, begin_step=0, end_step=lengths[variant] - 1, frequency=frequency
            )
            model = tfmot.sparsity.keras.prune_low_magnitude(model, pruning_schedule=decay)
        _models[variant] = compiled(tf_keras, model)
    return True


def timed(variant: str, steps: int) -> float:
    """Give the time of a step of one `fit`, in milliseconds."""
    model = _models[variant]
    pruned = [layer for layer in model.layers if hasattr(layer, "pruning_step")]
    for layer in pruned:
        layer.pruning_step.assign(0)  # the schedule begins anew in each `fit`
    callbacks = [tfmot.sparsity.keras.UpdatePruningStep()] if pruned else []
    return step_ms(tf_keras, model, noise(model.input_shape[1:], steps), steps, callbacks)


def update(side: int, zeros: float, sparsity: float) -> float:
    """Time choosing and writing the mask of a kernel of side x side, in milliseconds."""
    if side not in _updates:
        _updates.clear()
        kernel = tf.Variable(tf.zeros((side, side)), trainable=True)
        mask = tf.Variable(tf.ones((side, side)), trainable=False)
        threshold, wanted = tf.Variable(0.0), tf.Variable(0.0)

        def schedule(step: Any) -> Any:
            return True, wanted.value()

        pruning = pruning_impl.Pruning(
            training_step_fn=lambda: 0,
            pruning_vars=[(kernel, mask, threshold)],
            pruning_schedule=schedule,
            block_size=[1, 1],
            block_pooling_type="AVG",
        )

        @tf.function
        def run() -> Any:
            found = pruning._maybe_update_block_mask(kernel)
            threshold.assign(found[0])
            mask.assign(found[1])
            kernel.assign(kernel * mask)

        _updates[side] = (kernel, wanted, run)
        run()  # traced once
    kernel, wanted, run = _updates[side]
    kernel.assign(kernel_of(side, zeros))
    wanted.assign(sparsity)
    begun = time.perf_counter()
    run()
    return (time.perf_counter() - begun) * 1e3


def kernel_of(side: int, zeros: float) -> Any:
    """Give random weights of which a share is zero already."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(side, side)).astype("float32")
    weights[rng.random(weights.shape) < zeros] = 0.0
    return weights


@lru_cache(1)
def _loaded(path: str) -> Any:
    return load(path)


def train(path: str, job: dict[str, Any]) -> dict[str, Any]:
    """Train one run on the stored arrays of a seed."""
    return train_tfmot(_loaded(path), job)


def tflite(path: str, weights: str) -> dict[str, Any]:
    """Convert the model with stored weights, stripped of what tfmot put in; bytes and zipped."""
    arrays = _loaded(path)
    model = classifier(tf_keras, arrays["x_train"].shape[1:])
    model.set_weights(weights_of(load(weights)))
    model = tfmot.sparsity.keras.prune_low_magnitude(model)
    model = tfmot.sparsity.keras.strip_pruning(model)
    sizes = {}
    for mode in ("float32", "int8"):
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        if mode == "int8":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([x[None]] for x in arrays["x_train"][:256])
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        content = converter.convert()
        sizes[mode] = [len(content), len(zlib.compress(content, 9))]
    return sizes


ANSWERS: dict[str, Callable[..., Any]] = {
    one.__name__: one for one in (versions, build, timed, update, train, tflite)
}

if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    for line in sys.stdin:
        asked = json.loads(line)
        answers.write(f"{json.dumps(ANSWERS[asked.pop('what')](**asked))}\n")
        answers.flush()
