"""Data in whatever form the user has it, read into samples and checked before it does any harm."""

import inspect
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import keras
import numpy as np

from kerasopt._core.checks import bad_type, bad_value, did_you_mean
from kerasopt.export.data.samples import MOST, Batch, Samples, length, spread
from kerasopt.export.model.signature import Input


def read(argument: str, value: Any, inputs: tuple[Input, ...], most: int = MOST) -> Samples:
    """Read and check data in any of the forms that Keras takes.

    Args:
        argument: Name of the user's argument, for errors.
        value: An array; a list or tuple of arrays, one an input; a dict by input name; or batches
            of these: a `tf.data.Dataset`, a `keras.utils.PyDataset`, any iterable, an iterator or
            a function that gives one. Of a tuple `(x, y)` or `(x, y, weights)` only `x` is taken.
        inputs: The model's inputs.
        most: Most samples taken: of arrays, evenly spread; of batches, the first.

    Raises:
        TypeError: If the data is no numbers.
        ValueError: If it is empty, of a wrong shape, not finite, or for other inputs.
    """
    if _is_arrays(value):
        found = by_name(argument, value, inputs)
        batches = [_checked(argument, _chosen(argument, found, inputs, most), inputs)]
    else:
        batches, count = [], 0
        for element in _elements(argument, value):
            batch = _checked(
                argument, by_name(argument, _unlabelled(element, inputs), inputs), inputs
            )
            batch = {name: array[: most - count] for name, array in batch.items()}
            count += length(batch)
            batches.append(batch)
            if count >= most:
                break
    samples = Samples(argument, tuple(_joined(batch for batch in batches if length(batch))))
    if not len(samples):
        raise bad_value(argument, "at least one sample", value)
    return samples


def by_name(argument: str, value: Any, inputs: tuple[Input, ...]) -> dict[str, Any]:
    """Give the arrays of `value` (an array, a list, a tuple or a dict) by input name.

    Raises:
        ValueError: If there are too many, too few, or others.
    """
    names = [one.name for one in inputs]
    expected = f"data for the inputs {names}" if len(names) > 1 else f"data for input {names[0]!r}"
    if isinstance(value, Mapping):
        found = {}
        for one in inputs:
            key = one.name if one.name in value else one.key
            if key not in value:
                raise bad_value(
                    argument,
                    f"a dict with the keys {names}",
                    sorted(map(str, value)),
                    f"{one.name!r} is missing. {did_you_mean(one.name, map(str, value))}".strip(),
                )
            found[one.name] = value[key]
        return found
    if isinstance(value, (list, tuple)):
        if len(names) > 1 and not inputs[0].ordered:
            raise bad_value(
                argument,
                f"a dict with the keys {names}",
                f"a {type(value).__name__}",
                "A SavedModel does not keep the order of its inputs.",
            )
        if len(value) == len(names) and (len(names) > 1 or _rank(value[0]) >= _least(inputs[0])):
            return dict(zip(names, value, strict=True))
        if len(names) == 1 and isinstance(value, list) and _rank(value) >= 0:
            return {names[0]: np.asarray(value)}
        raise bad_value(
            argument,
            f"{expected}: one array for each, in this order",
            f"a {type(value).__name__} of {len(value)}",
            "Labels are not wanted here." if len(value) == len(names) + 1 else "",
        )
    if len(names) > 1:
        raise bad_value(
            argument,
            f"{expected}: a dict by name, or a list in this order",
            f"one {type(value).__name__}",
        )
    return {names[0]: value}


def coerce(argument: str, value: Any, one: Input, finite: bool = True) -> np.ndarray:
    """Give `value` as an array of the input's type, with the batch axis first.

    As Keras does, a last axis of size 1 is added where it is missing.

    Raises:
        TypeError: If it is no numbers.
        ValueError: If its shape does not fit, or it has NaN or infinity and `finite` is set.
    """
    array = _shaped(argument, value, one)
    if finite and array.dtype.kind == "f" and not np.isfinite(array).all():
        kind = "NaN" if np.isnan(array).any() else "infinity"
        raise bad_value(
            argument,
            f"finite numbers for input {one.name!r}",
            f"an array with {kind}",
            "Remove or replace those samples.",
        )
    with np.errstate(over="ignore", invalid="ignore"):
        cast = array.astype(one.dtype, copy=False)
    if finite and cast.dtype.kind == "f" and not np.isfinite(cast).all():
        raise bad_value(argument, f"numbers that fit {one.dtype}", "larger ones")
    return cast


def _shaped(argument: str, value: Any, one: Input) -> np.ndarray:
    try:
        array = np.asarray(value)
    except Exception as error:  # of whatever object it is
        said = f"{type(value).__name__}, which is no array: {error}"
        raise bad_type(argument, f"numbers for input {one.name!r}", said) from error
    if array.dtype.kind == "V" and "float" in array.dtype.name:  # bfloat16 and its like
        array = array.astype(np.float32)
    if array.dtype.kind not in "biuf":
        raise bad_type(argument, f"numbers for input {one.name!r}", array.dtype.name)
    wanted = (None, *one.shape[1:])
    if fits(array.shape, wanted):
        return array
    if wanted[-1:] == (1,) and fits((*array.shape, 1), wanted):
        return array[..., None]
    advice = ""
    if fits((1, *array.shape), wanted):
        advice = (
            "The batch axis is missing: add it with `x[None]`, or with `dataset.batch(32)` "
            "if this is a `tf.data.Dataset`."
        )
    text = ", ".join("any" if size is None else str(size) for size in wanted[1:])
    expected = f"shape (samples, {text})" if text else "shape (samples,)"
    raise bad_value(argument, f"{expected} for input {one.name!r}", array.shape, advice)


def fits(shape: Iterable[int], wanted: Iterable[int | None]) -> bool:
    """Tell whether a shape has the sizes wanted, `None` being any.

    Example:
    >>> fits((5, 3), (None, 3)), fits((5, 4), (None, 3)), fits((3,), (None, 3))
    (True, False, False)
    """
    shape, wanted = tuple(shape), tuple(wanted)
    return len(shape) == len(wanted) and all(
        want is None or size == want for size, want in zip(shape, wanted, strict=True)
    )


def _rank(value: Any) -> int:
    try:
        return int(np.ndim(value))
    except Exception:  # of whatever object it is
        return -1


def _least(one: Input) -> int:
    return len(one.shape) - (1 if one.shape[-1:] == (1,) else 0)


def _checked(argument: str, batch: dict[str, Any], inputs: tuple[Input, ...]) -> Batch:
    arrays = {one.name: coerce(argument, batch[one.name], one) for one in inputs}
    _check_lengths(argument, arrays)
    return arrays


def _check_lengths(argument: str, arrays: Batch) -> None:
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise bad_value(argument, "as many samples for every input", lengths)


def _chosen(argument: str, found: Batch, inputs: tuple[Input, ...], most: int) -> Batch:
    """Take samples from all over the arrays before anything is copied or cast."""
    arrays = {one.name: _shaped(argument, found[one.name], one) for one in inputs}
    _check_lengths(argument, arrays)
    positions = spread(length(arrays), most)
    return {name: array[positions] for name, array in arrays.items()}


def _is_arrays(value: Any) -> bool:
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        return False  # batches
    if isinstance(value, (Mapping, list, tuple, str, bytes)) or hasattr(value, "__array__"):
        return True
    return not (hasattr(value, "__iter__") or hasattr(value, "__getitem__") or callable(value))


def _elements(argument: str, value: Any) -> Iterator[Any]:
    if isinstance(value, keras.utils.PyDataset):
        count = value.num_batches
        for position in itertools.count() if count is None else range(count):
            yield value[position]
        return
    try:
        if callable(value) and not hasattr(value, "__iter__"):
            inspect.signature(value).bind()
            value = value()
        batches = iter(value)
    except (TypeError, ValueError) as error:  # builtins may have no signature
        expected = "arrays, batches of them, or a function without arguments that gives batches"
        raise bad_type(argument, expected, value, f"{error}.") from error
    yield from batches


def _unlabelled(element: Any, inputs: tuple[Input, ...]) -> Any:
    """Drop the labels of `(x, y)`; a bare tuple of as many arrays as inputs is `x` itself."""
    if not isinstance(element, tuple) or not element:
        return element
    first = element[0]
    bare = len(inputs) > 1 and not isinstance(first, (list, tuple, Mapping))
    return element if bare else first


def _joined(batches: Iterable[Batch]) -> Iterator[Batch]:
    def shapes(batch: Batch) -> tuple[tuple[int, ...], ...]:
        return tuple(array.shape[1:] for array in batch.values())

    for _, group in itertools.groupby(batches, shapes):
        alike = list(group)
        yield {name: np.concatenate([one[name] for one in alike]) for name in alike[0]}


def with_labels(validation_data: Any) -> tuple[Any, Any]:
    """Take `validation_data` apart: x, or `(x, y)` as a tuple.

    Only the outermost tuple is taken apart: batches of `(x, y)` are x, as `read` drops their y.

    Returns:
        x and y, `None` where there is none.

    Raises:
        ValueError: If it is a tuple of another length, or has labels alone.
    """
    if not isinstance(validation_data, tuple):
        return validation_data, None
    if len(validation_data) == 1:
        return validation_data[0], None
    if len(validation_data) != 2:
        raise bad_value(
            "validation_data",
            "x or (x, y)",
            f"a tuple of {len(validation_data)}",
            "Several inputs are a list or a dict; sample weights are not used.",
        )
    x, y = validation_data
    if x is None and y is not None:
        raise bad_value("validation_data", "x or (x, y)", "labels without x")
    return x, y
