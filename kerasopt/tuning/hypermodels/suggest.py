"""Which search space suits some data, and why."""

from typing import Any

from kerasopt._core.checks import bad_value
from kerasopt.tuning.hypermodels.architecture import Architecture
from kerasopt.tuning.hypermodels.cnn import HyperCNN
from kerasopt.tuning.hypermodels.inputs import Inputs, read_inputs
from kerasopt.tuning.hypermodels.mlp import HyperMLP
from kerasopt.tuning.hypermodels.rnn import LEAST_STEPS, HyperRNN
from kerasopt.tuning.hypermodels.sequence_cnn import HyperSequenceCNN
from kerasopt.tuning.hypermodels.targets import read_targets


def suggest_hypermodel(x: Any, y: Any, task: str | None = None) -> Architecture:
    """Give a search space that suits data for training, with the reasons in words.

    | x | hypermodel |
    |---|---|
    | (n, height, width, channels) | `HyperCNN` |
    | (n, a, b), both at least 8, and uint8 or a = b | `HyperCNN`: gray images |
    | other (n, steps, features) | `HyperSequenceCNN` with `HyperRNN` as `alternative`; of fewer
      than 8 steps the other way round |
    | (n, features) | `HyperMLP` |

    | y | task |
    |---|---|
    | whole numbers of any type: at most 20 different ones, each twice or more on average; or 0, 1,
      2, ... up to 999, each 10 times or more | classification |
    | 0 and 1, with one 1 in each row | classification, one-hot |
    | other rows of 0 and 1 | multi-label |
    | other numbers, one column or several | regression |

    A `Rescaling` layer is put in for pixels beyond -1 to 1, a `Normalization` layer for features,
    and one behind the head for targets, that are not about 0 and 1 in mean and deviation.
    One-hot columns and columns of mostly zeros keep their zeros: they are not centered.

    Args:
        x: Array of numbers for training, one sample a row.
        y: Array of targets: (n,), (n, 1) or (n, outputs).
        task: `"classification"`, `"multi_label"` or `"regression"` where y could be read in two
            ways. Defaults to `None`: y tells.

    Returns:
        A hypermodel for any tuner of KerasTuner. `reasons` are sentences, `why` is their text, and
        `print` shows all; `objective` is what to search by; `alternative` is another hypermodel
        worth a try, or `None`.

    Raises:
        TypeError: If x or y is no array of numbers: text, objects, a dataset.
        ValueError: If they differ in length, have another shape, hold NaN or infinity, or all
            targets are equal.

    Example:
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(50.0, 20.0, size=(300, 4))
    >>> hypermodel = suggest_hypermodel(x, (x[:, 0] > 50).astype(int))
    >>> hypermodel
    HyperMLP(input_shape=(4,), outputs=2, normalize=...)
    >>> hypermodel.objective.name
    'val_accuracy'
    >>> print(hypermodel.why)
    - x has shape (300, 4), a table of samples and features: a multi-layer perceptron.
    - Means of features lie from ... to ..., standard deviations from ...: a Normalization ...
    - y has 2 different whole numbers from 0 to 1: classification, sparse categorical ...
    - Search by val_accuracy (max).
    """
    inputs = read_inputs(x)
    targets = read_targets(y, task)
    if inputs.samples != len(y):
        raise bad_value("y", f"{inputs.samples} targets, as many as x has samples", len(y))
    common: dict[str, Any] = {
        "input_shape": inputs.shape,
        "outputs": targets.outputs,
        "task": targets.task,
        "one_hot": targets.one_hot,
        "denormalize": targets.denormalize,
    }
    (first, *others), reasons = _candidates(inputs, common)
    search = f"Search by {first.objective.name} ({first.objective.direction})."
    first.reasons = (*inputs.reasons, *targets.reasons, *reasons, search)
    first.alternative = next(iter(others), None)
    return first


def _candidates(
    inputs: Inputs, common: dict[str, Any]
) -> tuple[tuple[Architecture, ...], tuple[str, ...]]:
    """Give the hypermodels, the first one first, and the reasons of that order."""
    if inputs.kind == "image":
        return (HyperCNN(**common, rescale=inputs.rescale),), ()
    if inputs.kind == "table":
        return (HyperMLP(**common, normalize=inputs.normalize),), ()
    convolutional = HyperSequenceCNN(**common, normalize=inputs.normalize)
    recurrent = HyperRNN(**common, normalize=inputs.normalize)
    if inputs.shape[0] < LEAST_STEPS:
        why = "So few steps leave convolutions nothing to pool: a recurrent network first; "
        return (recurrent, convolutional), (f"{why}`alternative` is a convolutional one.",)
    why = (
        "Convolutions see all steps at once, export in every mode, and are mostly as good as "
        "recurrent layers: they come first; `alternative` is a recurrent network."
    )
    return (convolutional, recurrent), (why,)
