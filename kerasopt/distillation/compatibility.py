"""Whether two models take the same inputs and give outputs of the same shapes."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasopt import _keras
from kerasopt._core.checks import bad_value


def inputs_of(model: Any) -> Any:
    """Give the symbolic inputs of a model in their structure, `None` if it has no graph."""
    if not _keras.has_graph(model):
        return None
    return model.inputs[0] if isinstance(model, keras.Sequential) else model.input


def outputs_of(model: Any, inputs: Any) -> Any:
    """Give the symbolic outputs of a model in their structure, `None` if they cannot be known yet.

    Args:
        model: The model.
        inputs: The symbolic inputs of another one, for a model that has no graph.
    """
    if _keras.has_graph(model):
        return model.outputs[0] if isinstance(model, keras.Sequential) else model.output
    if inputs is None:
        return None
    try:
        return model.compute_output_spec(inputs)
    except Exception:
        # Code that only runs on numbers. What it gives is checked before the first step.
        return None


def check_inputs(student: Any, teacher: Any) -> None:
    """Make sure that two models can be given the same data.

    Models without a graph say themselves, when they are called, what they cannot take.

    Raises:
        ValueError: If the structures or shapes of their inputs differ.
    """
    theirs, others = inputs_of(student), inputs_of(teacher)
    if theirs is None or others is None:
        return
    one, other = _entries(theirs), _entries(others)
    if isinstance(theirs, dict) != isinstance(others, dict):
        # Keras hands a dict to a model with a list of inputs by their names.
        one, other = _by_name(theirs), _by_name(others)
    if one.keys() != other.keys() or not all(_fit(one[key], other[key]) for key in one):
        raise bad_value(
            "teacher",
            "a model that takes the inputs of the student",
            teacher,
            f"The student {student.name!r} takes {shown(theirs)}, the teacher {teacher.name!r} "
            f"takes {shown(others)}.",
        )


def _entries(inputs: Any) -> dict[Any, Any]:
    return {path: tuple(tensor.shape) for path, tensor in keras.tree.flatten_with_path(inputs)}


def _by_name(inputs: Any) -> dict[Any, Any]:
    if isinstance(inputs, dict):
        return {key: tuple(tensor.shape) for key, tensor in inputs.items()}
    return {tensor.name: tuple(tensor.shape) for tensor in keras.tree.flatten(inputs)}


def _fit(one: Sequence[int | None], other: Sequence[int | None]) -> bool:
    longer, shorter = sorted((one[1:], other[1:]), key=len, reverse=True)
    if len(longer) == len(shorter) + 1 and longer[-1] == 1:
        longer = longer[:-1]  # Keras takes off, and puts on, a last axis of one
    return len(longer) == len(shorter) and all(
        a == b or a is None or b is None for a, b in zip(longer, shorter, strict=True)
    )


def check_outputs(student: Any, teacher: Any, theirs: Any, others: Any) -> None:
    """Make sure that the outputs of two models can be compared, one with one.

    Args:
        student: The student.
        teacher: The teacher.
        theirs: The student's outputs.
        others: The teacher's.

    Raises:
        ValueError: If their structures or shapes differ.
    """
    one, other = (keras.tree.flatten_with_path(outputs) for outputs in (theirs, others))
    same = [path for path, _ in one] == [path for path, _ in other] and all(
        len(a.shape) == len(b.shape)
        and all(m == n or None in (m, n) for m, n in zip(a.shape[1:], b.shape[1:], strict=True))
        for (_, a), (_, b) in zip(one, other, strict=True)
    )
    if not same:
        raise bad_value(
            "teacher",
            "a model whose outputs have the shapes of the student's",
            teacher,
            f"The student {student.name!r} gives {shown(theirs)}, the teacher {teacher.name!r} "
            f"gives {shown(others)}.",
        )


def shown(tensors: Any) -> str:
    """Give the shapes of tensors, in the tensors' structure, for a message."""
    if isinstance(tensors, dict):
        return f"{{{', '.join(f'{key!r}: {shown(one)}' for key, one in tensors.items())}}}"
    if isinstance(tensors, (list, tuple)):
        return f"[{', '.join(map(shown, tensors))}]"
    return str(tuple(tensors.shape))
