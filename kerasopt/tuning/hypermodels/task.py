"""What a model is for, and what follows: activation of the head, loss, metric, objective."""

from dataclasses import dataclass
from typing import Any

import keras

from kerasopt._core.checks import at_least, bad_value, flag, one_of

TASKS = ("classification", "multi_label", "regression")


@dataclass(frozen=True)
class Task:
    """What a model is for.

    | task | targets | activation, loss | metric | objective |
    |---|---|---|---|---|
    | `"classification"` | integers (n,), 0 to `outputs - 1` | softmax, sparse categorical
      crossentropy | `accuracy` | `val_accuracy`, max |
    | the same, `one_hot` | 0/1 (n, outputs) | softmax, categorical crossentropy | the same | the
      same |
    | the same, `outputs=1` | 0/1 (n,) | sigmoid, binary crossentropy | the same | the same |
    | `"multi_label"` | 0/1 (n, outputs) | sigmoid, binary crossentropy | `binary_accuracy` |
      `val_loss`, min |
    | `"regression"` | floats (n,) or (n, outputs) | linear, mean squared error |
      `mean_absolute_error` | `val_mean_absolute_error`, min |

    Where several labels may hold, most of them usually do not, and a model that never says yes has
    a high accuracy: hence the loss as objective.

    Args:
        name: One of the three above.
        outputs: Integer >= 1: classes, labels or numbers.
        one_hot: Whether the targets of a classification are one-hot. Defaults to `False`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If the task is unknown, `outputs` is below 1, or `one_hot` makes no sense.

    Example:
    >>> Task("classification", 10).loss, Task("regression", 1).objective
    ('sparse_categorical_crossentropy', ('val_mean_absolute_error', 'min'))
    """

    name: str
    outputs: int
    one_hot: bool = False

    def __post_init__(self) -> None:
        one_of("task", self.name, TASKS)
        at_least("outputs", self.outputs, 1)
        if flag("one_hot", self.one_hot) and (self.name != "classification" or self.outputs < 2):
            raise bad_value(
                "one_hot",
                'False, unless `task` is "classification" and `outputs` at least 2',
                self.one_hot,
            )

    @property
    def activation(self) -> str:
        """Activation of the last layer."""
        if self.name == "regression":
            return "linear"
        return "sigmoid" if self.name == "multi_label" or self.outputs == 1 else "softmax"

    @property
    def loss(self) -> str:
        """Loss, by Keras's name."""
        if self.activation == "softmax":
            prefix = "" if self.one_hot else "sparse_"
            return f"{prefix}categorical_crossentropy"
        return "mean_squared_error" if self.activation == "linear" else "binary_crossentropy"

    @property
    def objective(self) -> tuple[str, str]:
        """What a search looks at: its name in the logs, and `"min"` or `"max"`."""
        return {
            "classification": ("val_accuracy", "max"),
            "multi_label": ("val_loss", "min"),
            "regression": ("val_mean_absolute_error", "min"),
        }[self.name]

    def metric(self) -> Any:
        """Give a new metric, whose name does not depend on what Keras makes of the targets."""
        if self.name == "regression":
            return keras.metrics.MeanAbsoluteError(name="mean_absolute_error")
        if self.activation == "sigmoid":
            several = self.name == "multi_label"
            return keras.metrics.BinaryAccuracy(name="binary_accuracy" if several else "accuracy")
        if self.one_hot:
            return keras.metrics.CategoricalAccuracy(name="accuracy")
        return keras.metrics.SparseCategoricalAccuracy(name="accuracy")
