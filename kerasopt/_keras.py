"""Where kerasopt leans on Keras's insides: every private name of Keras stands here, and only here.

`tests/test_keras.py` notices when one of them goes away.
"""

from collections.abc import Iterator
from typing import Any

import keras

BACKEND: str = keras.config.backend()


def require_tensorflow(what: str) -> None:
    """Say at the first use of `what` that it needs TensorFlow under Keras, if another backend runs.

    Args:
        what: Public name of the function or class, as the user knows it.

    Raises:
        RuntimeError: If Keras runs on another backend.
    """
    if keras.config.backend() != "tensorflow":
        raise RuntimeError(
            f"`{what}` needs the TensorFlow backend of Keras, but Keras runs on "
            f"{keras.config.backend()!r}. Set the environment variable KERAS_BACKEND=tensorflow "
            "before Keras is imported. (A model saved as `.keras` loads under any backend, so it "
            "may be trained elsewhere and loaded for this.)"
        )


def sublayers(layer: Any) -> list[Any]:
    """Give the layers directly inside `layer`, whatever kind it is, in the order Keras tracks them.

    Private: `Layer._flatten_layers`. The public `Model.layers` exists for models only, and a
    Bidirectional, a MultiHeadAttention or a user's own composite layer has no public equivalent.
    """
    return list(layer._flatten_layers(include_self=False, recursive=False))


def averages(optimizer: Any) -> Iterator[tuple[Any, Any]]:
    """Give each (variable, its moving average) of an optimizer built with `use_ema=True`.

    Private: `Optimizer._model_variables_moving_average` and `Optimizer._trainable_variables`. Keras
    updates the average inside the step *before* it applies constraints, so an average of masked
    weights is dense unless it is masked too; no public name leads from a variable to its average.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    for one in getattr(inner, "optimizers", [inner]):
        if getattr(one, "use_ema", False) and one.built:
            for variable, average in zip(
                one._trainable_variables, one._model_variables_moving_average, strict=True
            ):
                if average is not None:
                    yield variable, average


def is_functional(model: Any) -> bool:
    """Tell whether `model` is built from a graph of layers (functional style, or a subclass of it).

    Private: the class `keras.src.models.functional.Functional`, reached without naming its module:
    Keras has no public name for it, and a Functional subclass may have any class of its own.
    """
    return isinstance(model, _FUNCTIONAL)


def _functional_class() -> type:
    tensor = keras.Input((1,))
    cls: type = type(keras.Model(tensor, tensor))
    return cls


_FUNCTIONAL = _functional_class()


def steps_per_execution(model: Any) -> int:
    """Give how many batches one call of the train function runs (public since Keras 3.0)."""
    return int(getattr(model, "steps_per_execution", 1) or 1)


def retrace(model: Any) -> None:
    """Make the next batch trace the train step again, so that it sees changed variables.

    A compiled train function that exists ignores a regularizer or constraint set after its first
    batch. Does nothing for a model that has no train function yet.
    """
    if getattr(model, "train_function", None) is not None:
        model.make_train_function(force=True)
