"""How well predictions fit labels, by the metrics of Keras."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import bad_type, bad_value, warn
from kerasopt._core.logs import scalars
from kerasopt._keras import is_functional
from kerasopt.export.model.signature import signature_of
from kerasopt.export.validation.fidelity import variance_kept

_ACCURACY = ("accuracy", "acc")
_SAID = (*_ACCURACY, "mae", "mean_absolute_error")


def metric_name(labels: NDArray[Any], output: NDArray[Any]) -> str:
    """Name the metric that labels ask for: an accuracy for classes, else the mean absolute error.

    Example:
    >>> metric_name(np.array([0, 2]), np.zeros((2, 3))), metric_name(np.eye(3), np.zeros((3, 3)))
    ('sparse_categorical_accuracy', 'categorical_accuracy')
    >>> metric_name(np.array([0, 1]), np.zeros((2, 1))), metric_name(np.zeros(2), np.zeros((2, 1)))
    ('binary_accuracy', 'mean_absolute_error')
    >>> metric_name(np.array([0.0, 2.0]), np.zeros((2, 3)))
    'sparse_categorical_accuracy'
    """
    whole = labels.dtype.kind in "biu"
    zero_or_one = bool(((labels == 0) | (labels == 1)).all())
    several = output.ndim > 1 and output.shape[-1] > 1
    if several and labels.shape == output.shape and zero_or_one:
        return "categorical_accuracy"
    # Classes are often floats: of a table, or cast like the inputs.
    if several and labels.size == output.size // output.shape[-1]:
        if whole or (labels.dtype.kind == "f" and bool((labels == np.floor(labels)).all())):
            return "sparse_categorical_accuracy"
    elif not several and zero_or_one and (whole or len(np.unique(labels)) > 1):
        return "binary_accuracy"
    return "mean_absolute_error"


def scores(
    outputs: Mapping[str, NDArray[Any]],
    labels: Any,
    metrics: Sequence[Any] = _ACCURACY[:1],
    argument: str = "validation_data",
) -> dict[str, float]:
    """Compute metrics of a model's outputs.

    Args:
        outputs: By output name, the predictions, samples first.
        labels: Array of labels; for several outputs a dict by output name, which may leave some
            out, or a list in their order.
        metrics: Keras's metrics: names, functions or `keras.metrics.Metric`s; `"accuracy"` is the
            one that the labels ask for. Defaults to `("accuracy",)`.
        argument: Name of the user's argument that has the labels, for errors. Defaults to
            `"validation_data"`.

    Returns:
        Dict of metric name (with several outputs `"<output>_<metric>"`) -> value.

    Raises:
        TypeError, ValueError: If labels or metrics are of another form.

    Example:
    >>> scores({"class": np.array([[0.1, 0.9], [0.8, 0.2]])}, np.array([1, 1]))
    {'sparse_categorical_accuracy': 0.5}
    """
    found: dict[str, float] = {}
    for name, right in by_output(outputs, labels, argument).items():
        output = outputs[name]
        if len(right) != len(output):
            expected = f"{len(output)} labels for {name!r}"
            raise bad_value(argument, expected, f"{len(right)} of them")
        for metric in metrics:
            judge = _metric(metric, right, output, argument)
            key = judge.name if len(outputs) == 1 else f"{name}_{judge.name}"
            judge.reset_state()
            judge.update_state(right, output)
            found[key] = float(judge.result())
    return found


def compiled_scores(
    model: Any, outputs: Mapping[str, NDArray[Any]], labels: Any
) -> dict[str, float]:
    """Compute the metrics that a model was compiled with, and leave their states as they are.

    Args:
        model: A Keras model.
        outputs: By output name, predictions of it or of a file.
        labels: As in `scores`.

    Returns:
        Dict of the names that `model.evaluate` has -> value, without losses, and without the
        accuracy and the mean absolute error, which `scores` gives; nothing of a model that was not
        compiled, or where an output has no labels.
    """
    right = by_output(outputs, labels)
    if not getattr(model, "compiled", False) or right.keys() != outputs.keys():
        return {}
    variables = [one for metric in model.metrics for one in metric.variables]
    states = [np.array(keras.ops.convert_to_tensor(one).numpy()) for one in variables]
    functional = is_functional(model)
    names = list(signature_of(model).name_outputs(model.output)) if functional else list(outputs)
    given: list[Any] = [[one[name] for name in names] for one in (right, outputs)]
    if functional:
        given = [keras.tree.pack_sequence_as(model.output, one) for one in given]
    elif len(outputs) == 1:
        given = [one[0] for one in given]
    import tensorflow as tf

    # What TensorFlow raises where shapes do not fit.
    wrong: tuple[type[Exception], ...] = (TypeError, ValueError, tf.errors.InvalidArgumentError)
    try:
        model.reset_metrics()
        found = model.compute_metrics(None, *given)
    except wrong as error:
        said = " ".join(str(error).split())[:200]
        warn(
            "The metrics that the model was compiled with do not take the labels of "
            f"`validation_data`: {said}"
        )
        return {}
    finally:
        for variable, value in zip(variables, states, strict=True):
            variable.assign(value)
    left_out = {f"{name}_" for name in outputs} if len(outputs) > 1 else {""}
    known = {begin + one for begin in left_out for one in _SAID}
    # Losses, and metrics of the model's own, which only its own steps update.
    known |= {metric.name for metric in model.metrics}
    return scalars(
        {
            name: value
            for name, value in found.items()
            if name not in known and not name.endswith("_loss")
        }
    )


def chance(labels: NDArray[Any], output: NDArray[Any]) -> tuple[float, int]:
    """Give the accuracy of always saying the most frequent class, and how many are to be said.

    Example:
    >>> chance(np.array([0, 1, 1, 1]), np.zeros((4, 2))), chance(np.eye(4), np.zeros((4, 4)))
    ((0.75, 4), (0.25, 4))
    """
    counts = _counts(labels, output)
    return float(counts.max() / counts.sum()), int(counts.sum())


def rarest(labels: NDArray[Any], output: NDArray[Any]) -> int:
    """Give how many labels the rarest class has, 0 where labels are numbers and no classes.

    Example:
    >>> rarest(np.array([0, 1, 1, 1]), np.zeros((4, 2))), rarest(np.arange(4.0), np.zeros((4, 1)))
    (1, 0)
    """
    classes = metric_name(labels, output).endswith("accuracy")
    return int(_counts(labels, output).min()) if classes else 0


def _counts(labels: NDArray[Any], output: NDArray[Any]) -> NDArray[np.intp]:
    """Give how many labels each class has that occurs."""
    if metric_name(labels, output) == "categorical_accuracy":
        labels = labels.argmax(-1)
    return np.unique(labels, return_counts=True)[1]


def r2_by_column(labels: NDArray[Any], output: NDArray[Any]) -> NDArray[np.float64] | None:
    """Give R2 of predictions for each entry of the last axis; `None` if shapes do not fit.

    Not a number where labels are constant.

    Example:
    >>> r2_by_column(np.array([1.0, 2.0, 3.0]), np.array([[1.0], [2.0], [4.0]]))
    array([0.5])
    """
    if labels.size != output.size or labels.dtype.kind not in "biuf" or len(labels) < 2:
        return None
    columns = output.shape[-1] if output.ndim > 1 else 1
    right, came = (one.reshape(-1, columns).astype(np.float64) for one in (labels, output))
    return variance_kept(right, came)


def by_output(
    outputs: Mapping[str, Any], labels: Any, argument: str = "validation_data"
) -> dict[str, NDArray[Any]]:
    """Give labels as arrays by output name.

    Raises:
        ValueError: If they are not of these outputs.
    """
    names = list(outputs)
    if isinstance(labels, Mapping):
        for name in labels:
            if name not in names:
                raise bad_value(argument, f"labels of the outputs {names}", name)
        return {name: _array(value, argument) for name, value in labels.items()}
    if len(names) > 1:
        if not isinstance(labels, (list, tuple)) or len(labels) != len(names):
            expected = f"a dict by output name, of {names}"
            raise bad_value(argument, expected, type(labels).__name__)
        return {name: _array(one, argument) for name, one in zip(names, labels, strict=True)}
    return {names[0]: _array(labels, argument)}


def _array(labels: Any, argument: str) -> NDArray[Any]:
    expected = "an array of numbers"
    try:
        found = np.asarray(labels)
    except ValueError as error:  # rows of different lengths
        raise bad_value(argument, expected, type(labels).__name__, f"{error}.") from error
    if found.dtype.kind not in "biuf":
        advice = "Give the number of each class." if found.dtype.kind in "US" else ""
        raise bad_value(argument, expected, f"an array of {found.dtype}", advice)
    return found


def _check_fit(metric: str, labels: NDArray[Any], output: NDArray[Any], argument: str) -> None:
    """Refuse labels that would be compared with what they do not belong to."""
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise bad_value(argument, "finite numbers", "an array with NaN or infinity")
    if metric == "mean_absolute_error" and labels.size != output.size:
        classes = output.shape[-1] if output.ndim > 1 else 1
        raise bad_value(
            argument,
            f"numbers of the output's shape {output.shape}"
            + (f", or one class of {classes} in place of its last axis" if classes > 1 else ""),
            f"an array of shape {labels.shape}",
        )
    if metric == "sparse_categorical_accuracy":
        classes = output.shape[-1]
        if labels.size and not ((labels >= 0) & (labels < classes)).any():
            raise bad_value(
                argument,
                f"classes from 0 to {classes - 1}",
                f"numbers from {labels.min():g} to {labels.max():g}",
            )


def _metric(metric: Any, labels: NDArray[Any], output: NDArray[Any], argument: str) -> Any:
    if metric in _ACCURACY:
        metric = metric_name(labels, output)
        _check_fit(metric, labels, output, argument)
    try:
        found = keras.metrics.get(metric)
    except ValueError as error:
        raise bad_value("metrics", "names of Keras's metrics, functions or metrics", metric) from (
            error
        )
    if isinstance(found, keras.metrics.Metric):
        return found
    if not callable(found):
        raise bad_type("metrics", "names of Keras's metrics, functions or metrics", metric)
    return keras.metrics.MeanMetricWrapper(found, name=getattr(found, "__name__", "metric"))
