"""The distillation loss: how far a student's outputs are from a teacher's, at a temperature."""

from typing import Any

import keras
from keras import ops

from kerasopt._core.checks import bad_type, bad_value, one_of, positive

KINDS = ("softmax", "sigmoid", "linear")

# The smallest normal number, and half the distance from 1 to the number below it. What a
# probability of that type cannot express is not asked of it, and in float16 the gradient of its
# logarithm stays a number.
_FLOORS = {
    "float16": (6.2e-5, 4.9e-4),
    "bfloat16": (1.2e-38, 4.0e-3),
    "float32": (1.2e-38, 6.0e-8),
    "float64": (2.3e-308, 1.2e-16),
}


def distillation_loss(
    student: Any,
    teacher: Any,
    temperature: float = 4.0,
    kind: str = "softmax",
    from_logits: Any = True,
) -> Any:
    r"""Give for each sample how far a student's outputs are from a teacher's.

    | `kind` | outputs are | loss |
    |---|---|---|
    | `"softmax"` | classes of which one is right | $T^2 \sum_i p_i \log(p_i / q_i)$ |
    | `"sigmoid"` | labels each of which may be right | $T^2$ times the mean over the labels of $p \log(p / q) + (1 - p) \log((1 - p) / (1 - q))$ |
    | `"linear"` | values, as in regression | mean of $(s - t)^2$, at no temperature |

    with p the teacher's and q the student's softmax or sigmoid of logits / T (Hinton et al., 2015,
    "Distilling the Knowledge in a Neural Network"; $T^2$ keeps the size of the gradients). Sums and
    means are over the last axis. Logits are found again from probabilities: log p are those of a
    softmax up to a constant that the softmax takes away, log p - log(1 - p) those of a sigmoid.

    Args:
        student: Outputs of the student, of shape `(samples, ..., n)`, or `(samples,)` for labels
            and values.
        teacher: Outputs of the teacher, of the same shape.
        temperature: Float > 0. Higher makes both softer. Defaults to `4.0`.
        kind: `"softmax"`, `"sigmoid"` or `"linear"`. Defaults to `"softmax"`.
        from_logits: Whether outputs are logits, else probabilities; or a pair: the student's, the
            teacher's. Of no meaning for `"linear"`. Defaults to `True`.

    Returns:
        Tensor of shape `(samples, ...)`, float32, or float64 if the outputs are.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `temperature` is not a finite number above 0, or `kind` is none of these.

    Example:
    >>> import numpy as np
    >>> teacher, student = np.array([[2.0, 0.0]]), np.array([[0.0, 0.0]])
    >>> round(float(distillation_loss(student, teacher, temperature=1.0)[0]), 4)
    0.3278
    >>> probabilities = np.exp(teacher) / np.exp(teacher).sum()
    >>> loss = distillation_loss(student, probabilities, 1.0, from_logits=(True, False))
    >>> round(float(loss[0]), 4)
    0.3278
    """  # noqa: E501
    temperature = positive("temperature", temperature)
    one_of("kind", kind, KINDS)
    pair = as_pair(from_logits)
    if "auto" in pair:
        raise bad_value("from_logits", "True, False or a pair of these", from_logits)
    both = [ops.convert_to_tensor(outputs) for outputs in (student, teacher)]
    types = [keras.backend.standardize_dtype(outputs.dtype) for outputs in both]
    dtype = "float64" if "float64" in types else "float32"
    student, teacher = (ops.cast(outputs, dtype) for outputs in both)
    return divergence(student, teacher, temperature, kind, pair, types)


def as_pair(from_logits: Any) -> tuple[Any, Any]:
    """Give what `from_logits` says of the student and of the teacher.

    Raises:
        TypeError: If it is none of True, False, `"auto"` and a pair of these.
    """
    several = isinstance(from_logits, (list, tuple))
    pair = tuple(from_logits) if several else (from_logits, from_logits)
    if len(pair) != 2 or any(not isinstance(one, bool) and one != "auto" for one in pair):
        raise bad_type(
            "from_logits",
            'True, False, "auto" or a pair of these for the student and the teacher',
            from_logits,
        )
    return pair


def divergence(
    student: Any, teacher: Any, temperature: float, kind: str, from_logits: Any, types: Any
) -> Any:
    """Give what `distillation_loss` gives, for tensors and arguments that have been checked.

    Args:
        student: Float tensor.
        teacher: Float tensor.
        temperature: As in `distillation_loss`.
        kind: Likewise.
        from_logits: The pair.
        types: The pair of the names of the types in which the two models gave their outputs.
    """
    if kind == "linear":
        return ops.mean(ops.square(_wide(student) - _wide(teacher)), axis=-1)
    student, teacher = (
        (outputs if logits else _logits(outputs, kind, dtype)) / temperature
        for outputs, logits, dtype in zip((student, teacher), from_logits, types, strict=True)
    )
    if kind == "softmax":
        log_q, log_p = ops.log_softmax(student), ops.log_softmax(teacher)
        return temperature**2 * ops.sum(_relative(log_p, log_q), axis=-1)
    student, teacher = _wide(student), _wide(teacher)
    right = _relative(ops.log_sigmoid(teacher), ops.log_sigmoid(student))
    wrong = _relative(ops.log_sigmoid(-teacher), ops.log_sigmoid(-student))
    return temperature**2 * ops.mean(right + wrong, axis=-1)


def _relative(log_p: Any, log_q: Any) -> Any:
    """Give p log(p / q), which is 0 where p is."""
    p = ops.exp(log_p)
    seen = p > 0.0
    # Chosen before the subtraction: behind it the gradient of inf - inf would already be NaN.
    return p * (ops.where(seen, log_p, 0.0) - ops.where(seen, log_q, 0.0))


def _logits(probabilities: Any, kind: str, dtype: str) -> Any:
    floor, below_one = _FLOORS.get(dtype, _FLOORS["float32"])
    if kind == "softmax":
        return ops.log(ops.maximum(probabilities, floor))
    probabilities = ops.clip(probabilities, floor, 1.0 - below_one)
    return ops.log(probabilities) - ops.log1p(-probabilities)


def _wide(outputs: Any) -> Any:
    """Give outputs with a last axis beside that of the samples."""
    return ops.expand_dims(outputs, axis=-1) if len(outputs.shape) == 1 else outputs
