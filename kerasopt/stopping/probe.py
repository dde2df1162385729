"""Gradients of a model on a probe batch, without a trace in the training."""

from typing import Any

import keras
import numpy as np

from kerasopt import _keras
from kerasopt._core.checks import bad_type, bad_value
from kerasopt.stopping.rules.gradient_rules import GradientMoments

_FORM = "a pair (x, y) of arrays, or of structures of arrays, with as many samples each"
BATCHES = 5


class Probe:
    """A batch of samples at which the gradients of a model are looked at.

    Gradients are those of the loss that is trained, penalties included, in inference mode: dropout
    is off and batch normalization uses its moving statistics, so no state of the training moves.

    Args:
        batch: `(x, y)` or `(x, y, sample_weight)`: arrays with at least ten samples, or structures
            of them as the model takes.

    Raises:
        TypeError: If it is no such pair.
        ValueError: If the numbers of samples differ or are below ten.
    """

    def __init__(self, batch: Any):
        if not isinstance(batch, (tuple, list)) or len(batch) not in (2, 3):
            raise bad_type("probe", _FORM, batch)
        self.batch = keras.tree.map_structure(np.asarray, tuple(batch))
        sizes = [array.shape[0] if array.ndim else 0 for array in keras.tree.flatten(self.batch)]
        if len(set(sizes)) != 1:
            raise bad_value("probe", _FORM, f"{sizes} samples")
        if sizes[0] < 2 * BATCHES:
            raise bad_value("probe", f"at least {2 * BATCHES} samples", f"{sizes[0]} samples")
        self.samples = int(sizes[0])
        self._traced: Any = None
        self._model: Any = None

    def forget(self) -> None:
        """Forget what was traced: the model may be compiled anew before the next run."""
        self._traced = self._model = None

    def look(self, model: Any, needs: set[str]) -> dict[str, Any]:
        """Compute what rules need.

        Args:
            model: The compiled model.
            needs: Of `"sample_gradients"` and `"batch_gradients"`.

        Returns:
            By those names: `GradientMoments`, and an array of shape (5, parameters).
        """
        _keras.require_tensorflow("kerasopt.callbacks.EarlyStopping(probe=...)")
        if self._model is not model:
            self._traced, self._model = _gradient_function(model), model
        # The loss counts the outputs of a model with several in metrics of its own.
        before = [(one, keras.ops.convert_to_numpy(one)) for one in model.metrics_variables]
        found: dict[str, Any] = {}
        if "sample_gradients" in needs:
            found["sample_gradients"] = self._moments()
        if "batch_gradients" in needs:
            parts = np.array_split(np.arange(self.samples), BATCHES)
            rows = [np.asarray(self._traced(self._part(part))) for part in parts]
            found["batch_gradients"] = np.stack(rows)
        for variable, value in before:
            variable.assign(value)
        return found

    def _part(self, rows: Any) -> Any:
        import tensorflow as tf

        return keras.tree.map_structure(lambda array: tf.convert_to_tensor(array[rows]), self.batch)

    def _moments(self) -> GradientMoments:
        """Run over the samples one by one (Welford, 1962): two vectors, however many there are."""
        mean = squares = None
        for index in range(self.samples):
            gradient = np.asarray(self._traced(self._part([index])), float)
            if mean is None or squares is None:
                mean, squares = gradient, np.zeros_like(gradient)
                continue
            off = gradient - mean
            mean += off / (index + 1)
            squares += off * (gradient - mean)
        assert mean is not None
        assert squares is not None
        return GradientMoments(mean, squares / (self.samples - 1), self.samples)


def _gradient_function(model: Any) -> Any:
    import tensorflow as tf

    def gradient(batch: Any) -> Any:
        x, y = batch[0], batch[1]
        weight = batch[2] if len(batch) == 3 else None
        variables = [variable.value for variable in model.trainable_variables]
        with tf.GradientTape() as tape:
            loss = model.compute_loss(
                x=x, y=y, y_pred=model(x, training=False), sample_weight=weight, training=False
            )
        rows = tape.gradient(loss, variables, unconnected_gradients="zero")
        dense = [tf.convert_to_tensor(row) for row in rows]
        return tf.concat([tf.reshape(tf.cast(row, tf.float32), [-1]) for row in dense], 0)

    return tf.function(gradient, reduce_retracing=True)
