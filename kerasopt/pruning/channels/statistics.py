"""The statistics of batch normalization, estimated anew."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from kerasopt.pruning.batches import Batches
from kerasopt.selection import walk


def reestimate(model: Any, data: Any, batches: int = 8) -> None:
    """Give batch normalization the statistics that its inputs have on some data, in place.

    Fewer channels change what the layers behind them get; their moving averages are of the larger
    model (Yu & Huang, 2019, "Universally Slimmable Networks", calls it calibration). Each batch is
    run as in inference, but for batch normalization that trains: its averages are means over the
    batches. Frozen layers are left alone.

    Args:
        model: A built model.
        data: As `shrink` takes it.
        batches: How many batches of 32 samples.
    """
    norms = [
        layer
        for _, layer in walk(model)
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
    ]
    if not norms:
        return
    sums: list[list[Any]] = [[0.0, 0.0] for _ in norms]
    found = Batches(data).take(batches)
    with _training(norms):
        for batch in found:
            model(batch[0], training=False)
            for norm, sum_ in zip(norms, sums, strict=True):
                sum_[0] = sum_[0] + np.asarray(norm.moving_mean)
                sum_[1] = sum_[1] + np.asarray(norm.moving_variance)
    for norm, (mean, variance) in zip(norms, sums, strict=True):
        norm.moving_mean.assign(mean / len(found))
        norm.moving_variance.assign(variance / len(found))


@contextlib.contextmanager
def _training(norms: Sequence[Any]) -> Iterator[None]:
    """Let these layers alone train, each on the batch it gets."""
    before = [(norm, norm.momentum, vars(norm).get("call")) for norm in norms]
    try:
        for norm in norms:
            norm.momentum = 0.0
            norm.call = _trained(norm.call)
        yield
    finally:
        for norm, momentum, call in before:
            norm.momentum = momentum
            if call is None:
                del norm.call
            else:
                norm.call = call


def _trained(original: Any) -> Any:
    def call(inputs: Any, training: Any = None, mask: Any = None) -> Any:
        del training
        return original(inputs, training=True, mask=mask)

    return call
