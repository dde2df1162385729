"""One training run of `benchmarks.pruning`: of ours in Keras 3, or of tfmot in tf_keras.

Both start from the same weights and see the same batches in the same order.
"""

import time
from pathlib import Path
from typing import Any

from .models import classifier, compiled

Job = dict[str, Any]


def load(path: str | Path) -> dict[str, Any]:
    """Read the arrays of a seed: the parts, the order of the samples, the initial weights."""
    import numpy as np

    with np.load(path) as stored:
        return dict(stored)


def weights_of(arrays: dict[str, Any]) -> list[Any]:
    """Give the weights among stored arrays, in the order of the model."""
    return [arrays[f"w{i}"] for i in range(sum(name[0] == "w" for name in arrays))]


def kernels(weights: list[Any]) -> list[Any]:
    """Give what is pruned: all but the biases."""
    return [one for one in weights if one.ndim > 1]


def batches(arrays: dict[str, Any]) -> Any:
    """Give the batches of all epochs, one after the other."""
    import tensorflow as tf

    x, y = tf.constant(arrays["x_train"]), tf.constant(arrays["y_train"])
    rows = tf.data.Dataset.from_tensor_slices(arrays["order"])
    return rows.map(lambda row: (tf.gather(x, row), tf.gather(y, row))).prefetch(2)


def fit(model: Any, arrays: dict[str, Any], job: Job, callbacks: list[Any]) -> None:
    """Train for the epochs of the job."""
    steps = len(arrays["order"]) // job["epochs"]
    model.fit(
        batches(arrays),
        epochs=job["epochs"],
        steps_per_epoch=steps,
        shuffle=False,
        verbose=0,
        callbacks=callbacks,
    )


def judged(model: Any, arrays: dict[str, Any], job: Job) -> dict[str, Any]:
    """Give the accuracies and the sparsity of each kernel, and store the weights if asked to."""
    import numpy as np

    found: dict[str, Any] = {}
    for part in job["judge"]:
        guesses = model.predict(arrays[f"x_{part}"], batch_size=1_000, verbose=0).argmax(1)
        found[part] = float((guesses == arrays[f"y_{part}"]).mean())
    weights = model.get_weights()
    found["sizes"] = [int(one.size) for one in kernels(weights)]
    found["zeros"] = [int(one.size - np.count_nonzero(one)) for one in kernels(weights)]
    minus = [np.signbit(one) & (one == 0) for one in kernels(weights)]
    found["minus_zeros"] = int(sum(one.sum() for one in minus))
    if job["store"]:
        np.savez(job["store"], **{f"w{i}": one for i, one in enumerate(weights)})
    return found


def train_ours(arrays: dict[str, Any], job: Job) -> dict[str, Any]:
    """Train in Keras 3, with `Pruning` if there is a sparsity."""
    import keras

    from kerasopt.callbacks import Pruning
    from kerasopt.schedules import PolynomialDecay

    begun = time.perf_counter()
    keras.utils.clear_session()
    keras.utils.set_random_seed(job["seed"])
    model = compiled(keras, classifier(keras, arrays["x_train"].shape[1:]), job["learning_rate"])
    model.set_weights(weights_of(arrays))
    callbacks = []
    if job["sparsity"]:
        decay = PolynomialDecay(0.0, job["sparsity"], begin=0, end=job["end"])
        callbacks.append(Pruning(decay, frequency=job["frequency"], scope=job["scope"]))
    fit(model, arrays, job, callbacks)
    return {**judged(model, arrays, job), "seconds": time.perf_counter() - begun}


def train_tfmot(arrays: dict[str, Any], job: Job) -> dict[str, Any]:
    """Train in tf_keras, all layers wrapped by tfmot if there is a sparsity."""
    import tensorflow_model_optimization as tfmot
    import tf_keras

    begun = time.perf_counter()
    tf_keras.utils.set_random_seed(job["seed"])
    tf_keras.backend.clear_session()
    model = classifier(tf_keras, arrays["x_train"].shape[1:])
    model.set_weights(weights_of(arrays))
    callbacks = []
    if job["sparsity"]:
        decay = tfmot.sparsity.keras.PolynomialDecay(
            0.0, job["sparsity"], begin_step=0, end_step=job["end"], frequency=job["frequency"]
        )
        model = tfmot.sparsity.keras.prune_low_magnitude(model, pruning_schedule=decay)
        callbacks.append(tfmot.sparsity.keras.UpdatePruningStep())
    compiled(tf_keras, model, job["learning_rate"])
    fit(model, arrays, job, callbacks)
    if job["sparsity"]:
        model = tfmot.sparsity.keras.strip_pruning(model)
    return {**judged(model, arrays, job), "seconds": time.perf_counter() - begun}
