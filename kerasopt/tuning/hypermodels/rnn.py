"""Search space of recurrent networks: sequences."""

from collections.abc import Mapping
from typing import Any

import keras

from kerasopt.tuning.hypermodels.architecture import Layered
from kerasopt.tuning.hypermodels.feature_statistics import normalized
from kerasopt.tuning.hypermodels.hyperparameters import dropout, width
from kerasopt.tuning.hypermodels.hyperparameters import input_shape as checked_shape

LEAST_STEPS = 8
"""From how many steps on a convolution may halve them."""


class HyperRNN(Layered):
    """Search space of recurrent networks, for sequences.

    | hyperparameter | values | default | when |
    |---|---|---|---|
    | `cell` | lstm, gru | lstm | |
    | `bidirectional` | yes, no | no | |
    | `layers` | 1 to `max_layers` | 1 | |
    | `units_1`, `units_2`, ... | 8, 16, ... `max_units` | 64 | of that many layers |
    | `convolution` in front, which halves the steps | yes, no | no | 8 steps or more, or unknown |
    | `filters` of it (its kernel has 5 steps) | 8, 16, 32, 64 | 32 | `convolution` |
    | `dropout`, after each layer | 0 to 0.5 | 0.2 | |
    | `learning_rate` of Adam, with gradients cut at norm 1 | 1e-4 to 1e-2 | 1e-3 | |

    The layers are those of Keras with their usual arguments, so that they run by cuDNN on a GPU.
    For export know the steps: layers of up to 128 are unrolled.

    Args:
        input_shape: Shape of one sample, (steps, features); steps may be `None`: of any length.
        outputs: Integer >= 1: classes, labels or numbers.
        task: `"classification"` (targets are integers from 0; with `outputs=1`, 0 or 1),
            `"multi_label"` or `"regression"`. Defaults to `"classification"`.
        one_hot: Whether the targets of a classification are one-hot. Defaults to `False`.
        normalize: The x for training, (n, steps, features): puts a layer in front that brings each
            feature to mean 0 and variance 1. Or a dict with `mean` and `variance`. Defaults to
            `None`: x is already about that.
        denormalize: The y for training of a regression, (n,) or (n, outputs): puts a layer behind
            the head that gives numbers of that mean and variance. Defaults to `None`.
        max_layers: Integer >= 1. Defaults to `2`.
        max_units: Integer >= 16, in each direction. Defaults to `128`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If an argument is out of range.

    Example:
    >>> import keras_tuner
    >>> hp = keras_tuner.HyperParameters()
    >>> hp.Fixed("bidirectional", True)
    True
    >>> model = HyperRNN(input_shape=(20, 3), outputs=1, task="regression").build(hp)
    >>> model.get_layer("lstm_1").output.shape
    (None, 128)
    """

    _clipnorm = 1.0

    def __init__(
        self,
        input_shape: tuple[int | None, int],
        outputs: int,
        task: str = "classification",
        one_hot: bool = False,
        normalize: Any = None,
        denormalize: Any = None,
        max_layers: int = 2,
        max_units: int = 128,
    ):
        shape = checked_shape(input_shape, "(steps, features)", (2,), open_first=True)
        super().__init__(
            shape, outputs, task, one_hot, denormalize, normalize, max_layers, max_units
        )

    def _declared(self, hp: Any) -> dict[str, Any]:
        values: dict[str, Any] = {
            "cell": hp.Choice("cell", ["lstm", "gru"]),
            "bidirectional": hp.Boolean("bidirectional"),
            **self._widths(hp, 1),
        }
        steps = self.input_shape[0]
        values["convolution"] = False
        if steps is None or steps >= LEAST_STEPS:
            values["convolution"] = hp.Boolean("convolution")
            with hp.conditional_scope("convolution", [True]):
                values["filters"] = width(hp, "filters", 64, 32)
        values["dropout"] = dropout(hp)
        return values

    def _prepared(self, inputs: Any) -> Any:
        return normalized(inputs, self.normalize)

    def _body(self, x: Any, values: Mapping[str, Any]) -> Any:
        if values["convolution"]:
            front = keras.layers.Conv1D(
                values["filters"], 5, padding="same", activation="relu", name="conv"
            )
            x = keras.layers.MaxPooling1D(2, padding="same", name="pool")(front(x))
        kind = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[values["cell"]]
        for number in range(1, values["layers"] + 1):
            name = f"{values['cell']}_{number}"
            layer = kind(
                values[f"units_{number}"], return_sequences=number < values["layers"], name=name
            )
            if values["bidirectional"]:
                layer = keras.layers.Bidirectional(layer, name=name)
            x = keras.layers.Dropout(values["dropout"], name=f"dropout_{number}")(layer(x))
        return x
