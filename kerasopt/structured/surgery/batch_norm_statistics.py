"""The statistics of batch normalization, estimated anew."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from kerasopt._layers import Call, calls_through
from kerasopt.pruning.statistics.batches import Batches
from kerasopt.selection import walk


def reestimate(model: Any, data: Any, batches: int = 8) -> None:
    """Give batch normalization the statistics that its inputs have on some data, in place.

    Fewer channels change what the layers behind them get; their moving averages are of the larger
    model (Yu & Huang, 2019, "Universally Slimmable Networks", calls it calibration). Each batch is
    run as in inference, but for batch normalization that trains: its averages are those over all
    batches, and all calls of a layer that is called several times. Frozen layers are left alone.

    Args:
        model: A built model.
        data: As `shrink` takes it.
        batches: How many batches of 32 samples.
    """
    norms = estimated(model)
    if not norms:
        return
    seen: list[list[tuple[Any, Any]]] = [[] for _ in norms]
    with _training(norms, seen):
        for batch in Batches(data).take(batches):
            model(batch[0], training=False)
    for norm, found in zip(norms, seen, strict=True):
        if found:
            means, variances = (np.stack(part) for part in zip(*found, strict=True))
            mean = means.mean(0)
            norm.moving_mean.assign(mean)
            norm.moving_variance.assign((variances + np.square(means - mean)).mean(0))


def estimated(model: Any) -> list[Any]:
    """Give the layers of a model whose statistics `reestimate` sets."""
    return [
        layer
        for _, layer in walk(model)
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
    ]


@contextlib.contextmanager
def _training(norms: Sequence[Any], seen: list[list[tuple[Any, Any]]]) -> Iterator[None]:
    """Let these layers alone train, each on what it gets, and note the statistics of each call."""
    by_norm = {id(norm): found for norm, found in zip(norms, seen, strict=True)}

    def noting(norm: Any, call: Call) -> Call:
        return _noting(norm, call, by_norm[id(norm)])

    before = [norm.momentum for norm in norms]
    try:
        for norm in norms:
            norm.momentum = 0.0
        with calls_through(norms, noting):
            yield
    finally:
        for norm, momentum in zip(norms, before, strict=True):
            norm.momentum = momentum


def _noting(norm: Any, original: Call, found: list[tuple[Any, Any]]) -> Call:
    def call(inputs: Any, training: Any = None, mask: Any = None) -> Any:
        del training
        outputs = original(inputs, training=True, mask=mask)
        mean, variance = norm.moving_mean, norm.moving_variance
        found.append((_read(mean), _read(variance)))
        return outputs

    return call


def _read(variable: Any) -> Any:
    return np.array(keras.ops.convert_to_numpy(variable))
