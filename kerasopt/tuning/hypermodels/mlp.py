"""Search space of multi-layer perceptrons: tables."""

from collections.abc import Mapping
from typing import Any

import keras

from kerasopt.tuning.hypermodels.architecture import MOMENTUM, Layered
from kerasopt.tuning.hypermodels.feature_statistics import normalized
from kerasopt.tuning.hypermodels.hyperparameters import dropout
from kerasopt.tuning.hypermodels.hyperparameters import input_shape as checked_shape


class HyperMLP(Layered):
    """Search space of multi-layer perceptrons, for tables.

    | hyperparameter | values | default | when |
    |---|---|---|---|
    | `layers` | 1 to `max_layers` | 2 | |
    | `units_1`, `units_2`, ... | 8, 16, ... `max_units` | 64 | of that many layers |
    | `activation` | relu, leaky_relu, tanh | relu | |
    | `batch_normalization` | yes, no | no | |
    | `dropout`, after each hidden layer | 0 to 0.5 | 0.2 | |
    | `learning_rate` of Adam | 1e-4 to 1e-2 | 1e-3 | |

    Args:
        input_shape: Shape of one sample, such as (features,). More axes are flattened.
        outputs: Integer >= 1: classes, labels or numbers.
        task: `"classification"` (targets are integers from 0; with `outputs=1`, 0 or 1),
            `"multi_label"` or `"regression"`. Defaults to `"classification"`.
        one_hot: Whether the targets of a classification are one-hot. Defaults to `False`.
        normalize: The x for training, (n, ..., features): puts a layer in front that brings each
            feature to mean 0 and variance 1. Or a dict with `mean` and `variance`. Defaults to
            `None`: x is already about that.
        denormalize: The y for training of a regression, (n,) or (n, outputs): puts a layer behind
            the head that gives numbers of that mean and variance. Defaults to `None`.
        max_layers: Integer >= 1. Defaults to `3`.
        max_units: Integer >= 16. Defaults to `256`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If an argument is out of range.

    Example:
    >>> import keras_tuner
    >>> HyperMLP(input_shape=(4,), outputs=3).build(keras_tuner.HyperParameters()).output_shape
    (None, 3)
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        outputs: int,
        task: str = "classification",
        one_hot: bool = False,
        normalize: Any = None,
        denormalize: Any = None,
        max_layers: int = 3,
        max_units: int = 256,
    ):
        shape = checked_shape(input_shape, "such as (features,)", ranks=())
        super().__init__(
            shape, outputs, task, one_hot, denormalize, normalize, max_layers, max_units
        )

    def _declared(self, hp: Any) -> dict[str, Any]:
        values = self._widths(hp, 2)
        values["activation"] = hp.Choice("activation", ["relu", "leaky_relu", "tanh"])
        values["batch_normalization"] = hp.Boolean("batch_normalization")
        values["dropout"] = dropout(hp)
        return values

    def _prepared(self, inputs: Any) -> Any:
        x = normalized(inputs, self.normalize)
        return keras.layers.Flatten(name="flatten")(x) if len(self.input_shape) > 1 else x

    def _body(self, x: Any, values: Mapping[str, Any]) -> Any:
        normal = values["batch_normalization"]
        for number in range(1, values["layers"] + 1):
            units = values[f"units_{number}"]
            x = keras.layers.Dense(units, use_bias=not normal, name=f"hidden_{number}")(x)
            if normal:
                x = keras.layers.BatchNormalization(momentum=MOMENTUM, name=f"norm_{number}")(x)
            x = keras.layers.Activation(values["activation"], name=f"activation_{number}")(x)
            x = keras.layers.Dropout(values["dropout"], name=f"dropout_{number}")(x)
        return x
