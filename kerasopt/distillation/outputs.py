"""What the outputs of a model are: classes, labels or values, as logits or as probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from kerasopt import _keras
from kerasopt._core.checks import bad_value, did_you_mean
from kerasopt.graph.node import Port
from kerasopt.graph.read import read
from kerasopt.selection import has_kernel

_KIND_OF = {"softmax": "softmax", "log_softmax": "softmax", "sigmoid": "sigmoid"}
_LOSSES = {
    "softmax": "CategoricalCrossentropy CategoricalFocalCrossentropy KLDivergence "
    "SparseCategoricalCrossentropy categorical_crossentropy categorical_focal_crossentropy "
    "kl_divergence sparse_categorical_crossentropy",
    "sigmoid": "BinaryCrossentropy BinaryFocalCrossentropy binary_crossentropy "
    "binary_focal_crossentropy",
    "linear": "CosineSimilarity Huber LogCosh MeanAbsoluteError MeanAbsolutePercentageError "
    "MeanSquaredError MeanSquaredLogarithmicError Poisson cosine_similarity huber log_cosh "
    "mean_absolute_error mean_absolute_percentage_error mean_squared_error "
    "mean_squared_logarithmic_error poisson",
}


@dataclass(frozen=True)
class Form:
    """What one output is.

    Attributes:
        kind: `"softmax"`, `"sigmoid"` or `"linear"`.
        from_logits: Whether the student's, and whether the teacher's, are logits.
    """

    kind: str
    from_logits: tuple[bool, bool]


def forms_of(
    student: Any,
    teacher: Any,
    outputs: Any,
    loss: Any,
    kind: Any,
    from_logits: Sequence[Any],
    endings: Sequence[Sequence[str | None] | None],
) -> list[Form]:
    """Find out what each output of a student, and of its teacher, is.

    Args:
        student: The student. If it is compiled, its loss counts where `loss` says nothing.
        teacher: The teacher. If it is compiled, its loss counts.
        outputs: The student's outputs in their structure, symbolic or not.
        loss: The loss with which the student is trained, as `compile` takes it.
        kind: What the user says of the outputs: a word, or a list or dict of words.
        from_logits: What the user says of the student and of the teacher.
        endings: What `endings` says of the two.

    Raises:
        ValueError: If it cannot be known, or what is told contradicts itself.
    """
    paths, flat = zip(*keras.tree.flatten_with_path(outputs), strict=True)
    names = getattr(student, "output_names", None)
    _check_kinds(kind, paths, names)
    kinds = by_output(kind, paths, names)
    own, others = (model.loss if model.compiled else None for model in (student, teacher))
    losses = [by_output(loss, paths, names), by_output(own, paths, names)]
    losses.append(by_output(others, paths, getattr(teacher, "output_names", None)))
    forms = []
    for index, (path, output) in enumerate(zip(paths, flat, strict=True)):
        new, old, teachers = (told_by_loss(one[index], output.shape[-1]) for one in losses)
        ends = [None if one is None else one[index] for one in endings]
        called = f"output {'/'.join(map(str, path))!r}" if path else "the output"
        told = [old if new[0] is None else new, teachers]
        forms.append(_form_of(called, kinds[index], from_logits, ends, told))
    return forms


def told_by_loss(loss: Any, width: int | None) -> tuple[str | None, bool | None]:
    """Give of which kind the outputs are for which a loss is meant, and whether they are logits.

    Args:
        loss: A loss as `compile` takes it for one output.
        width: The length of the last axis.
    """
    if loss in ("crossentropy", "ce"):
        return ("sigmoid" if width == 1 else "softmax"), False
    if isinstance(loss, str):
        try:
            loss = keras.losses.get(loss)
        except ValueError:
            return None, None
    for kind, names in _LOSSES.items():
        for known in (getattr(keras.losses, name) for name in names.split()):
            is_class = isinstance(known, type)
            if loss is known and not is_class:
                return kind, None if kind == "linear" else False
            if is_class and isinstance(loss, known):
                logits = loss.get_config().get("from_logits", False)
                return kind, None if kind == "linear" else bool(logits)
    return None, None


def by_output(value: Any, paths: Sequence[Any], names: Sequence[str] | None) -> list[Any]:
    """Give for each output what an argument of `compile` or `fit` says of it, as Keras reads it.

    Args:
        value: One thing for all outputs, or a list or dict in the outputs' structure or by name.
        paths: The paths of the outputs in their structure.
        names: The outputs' names, where they have any.

    Returns:
        List as long as `paths`, with `None` where nothing is said.
    """
    in_dict = any(path and isinstance(path[0], str) for path in paths)
    if isinstance(value, Mapping) and not in_dict:
        value = [value.get(name) for name in names or ()]
    if isinstance(value, (list, tuple)) and len(paths) == 1 and not paths[0]:
        value = value[0] if len(value) == 1 else None
    if isinstance(value, (list, tuple)) and in_dict and len(value) == len(paths):
        return list(value)
    return [_at(value, path) for path in paths]


def _at(value: Any, path: Any) -> Any:
    for key in path:
        if isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, (list, tuple)):
            value = value[key] if isinstance(key, int) and key < len(value) else None
    return value


def _check_kinds(kind: Any, paths: Sequence[Any], names: Sequence[str] | None) -> None:
    """Make sure that a `kind` given by output names outputs that there are.

    Raises:
        ValueError: If it does not.
    """
    if isinstance(kind, Mapping):
        known = [str(path[0]) for path in paths if path and isinstance(path[0], str)]
        known = known or list(names or ())
        for key in kind:
            if key not in known:
                raise bad_value("kind", f"outputs of {known}", kind, did_you_mean(key, known))
    elif isinstance(kind, (list, tuple)) and len(kind) != len(paths):
        raise bad_value("kind", f"one word for each of {len(paths)} outputs", kind)


def _form_of(
    output: str,
    kind: str | None,
    from_logits: Sequence[Any],
    endings: Sequence[str | None],
    losses: Sequence[tuple[str | None, bool | None]],
) -> Form:
    """Find out what one output is: by what was said, by the last layers, by the losses.

    Args:
        output: What to call the output in messages.
        kind: What the user says, `"auto"` or `None` if nothing.
        from_logits: What the user says of the student and the teacher, `"auto"` if nothing.
        endings: With which activations student and teacher end.
        losses: What `told_by_loss` says of them.

    Raises:
        ValueError: If it cannot be known, or two of these contradict each other.
    """
    found = {_KIND_OF[ending] for ending in endings if ending in _KIND_OF}
    asked = None if kind == "auto" else kind
    if asked != "linear" and len(found | ({asked} if asked else set())) > 1:
        raise bad_value(
            "kind",
            "the kind that the outputs are",
            kind or "auto",
            f"For {output}, the student ends with {endings[0] or 'another layer'}, the teacher "
            f'with {endings[1] or "another layer"}. kind="linear" compares them as values.',
        )
    known = asked or next(iter(found), None) or losses[0][0] or losses[1][0]
    if known is None:
        raise bad_value(
            "kind",
            '"softmax" (one class is right), "sigmoid" (labels) or "linear" (values)',
            kind or "auto",
            f"What {output} is tells neither the last layer nor the loss.",
        )
    if known == "linear":
        return Form(known, (False, False))
    given = zip(("student", "teacher"), from_logits, endings, losses, strict=True)
    student, teacher = (_is_logits(output, known, *one) for one in given)
    return Form(known, (student, teacher))


def _is_logits(
    output: str, kind: str, who: str, asked: Any, ending: str | None, loss: tuple[Any, Any]
) -> bool:
    if ending in _KIND_OF:
        return ending == "log_softmax"
    if isinstance(asked, bool):
        return asked
    told = loss[1] if loss[0] == kind else None
    if ending == "linear" and told is False:
        raise bad_value(
            "from_logits",
            "True or False",
            asked,
            f"For {output}, the {who} ends without {kind}, but its loss is for probabilities: give "
            f"it a {kind}, or the loss `from_logits=True`.",
        )
    if told is None and ending != "linear":
        raise bad_value(
            "from_logits",
            "True (logits), False (probabilities), or a pair of these for student and teacher",
            asked,
            f"Which of them {output} of the {who} is tells neither its last layer nor its loss.",
        )
    return True if told is None else told


_OPERATIONS = {"Softmax": "softmax", "LogSoftmax": "log_softmax", "Sigmoid": "sigmoid"}
_FUNCTIONS = {
    keras.activations.softmax: "softmax",
    keras.activations.log_softmax: "log_softmax",
    keras.activations.sigmoid: "sigmoid",
    keras.activations.linear: "linear",
}
_UNCHANGED = (
    keras.layers.ActivityRegularization,
    keras.layers.Dropout,
    keras.layers.Identity,
)
_RESHAPED = (keras.layers.Flatten, keras.layers.Permute, keras.layers.Reshape)


def endings(model: Any) -> list[str | None] | None:
    """Give for each output with which activation it is made, as far as the graph tells.

    Returns:
        For each output, flat, `"softmax"`, `"log_softmax"`, `"sigmoid"`, `"linear"` (a layer with a
        kernel and no activation) or `None`. `None` for a model that has no graph.

    Raises:
        ValueError: If a softmax is taken over another axis than the last.
    """
    if not _keras.has_graph(model):
        return None
    return [_ending(port) for port in keras.tree.flatten(read(model).outputs)]


def _ending(port: Port) -> str | None:
    node = port.node
    if node.inner is not None:
        return _ending(keras.tree.flatten(node.inner.outputs)[port.index])
    layer = node.layer
    if isinstance(layer, keras.layers.TimeDistributed):
        layer = layer.layer
    kind = _keras.operation_kind(layer)
    name = _activation(layer)
    if name == "softmax":
        _check_axis(layer, port)
    if name is not None and (name != "linear" or has_kernel(layer)):
        return name
    before = {_ending(one) for one in node.data}
    told = before.pop() if len(before) == 1 else None
    if name == "linear" or isinstance(layer, _UNCHANGED) or kind == "Cast":
        return told
    if kind == "Average" and told != "log_softmax":
        return told  # a mean of probabilities is one, a mean of logits too
    if isinstance(layer, _RESHAPED) and told in ("sigmoid", "linear"):
        return told
    return None


def _activation(layer: Any) -> str | None:
    if _keras.operation_kind(layer) in _OPERATIONS:
        return _OPERATIONS[_keras.operation_kind(layer)]
    activation = getattr(layer, "activation", None)
    if isinstance(activation, keras.layers.Layer):
        return _activation(activation)
    return next((name for one, name in _FUNCTIONS.items() if one is activation), None)


def _check_axis(layer: Any, port: Port) -> None:
    axis = getattr(layer, "axis", -1)
    if isinstance(layer, keras.layers.Softmax) or _keras.operation_kind(layer) == "Softmax":
        last = [axis] if isinstance(axis, int) else list(axis)
        if last not in ([-1], [len(port.shape) - 1]):
            raise bad_value(
                "model",
                "models whose classes are along the last axis",
                layer,
                f"{port.node.path!r} is a softmax over axis {axis}.",
            )
