"""Search space of convolutional networks over time: sequences."""

from typing import Any

from kerasopt.tuning.hypermodels.convolutions import Convolutional
from kerasopt.tuning.hypermodels.feature_statistics import normalization, normalized
from kerasopt.tuning.hypermodels.hyperparameters import input_shape as checked_shape


class HyperSequenceCNN(Convolutional):
    """Search space of convolutional networks over time, for sequences.

    Unlike recurrent ones they see all steps at once and export in every mode, and on sequences of
    numbers they are mostly as good or better (Ismail Fawaz et al., 2019, "Deep Learning for Time
    Series Classification: A Review"). Each block ends in a pooling that halves the steps, and the
    next one has twice the filters, up to `max_filters`.

    | hyperparameter | values | default | when |
    |---|---|---|---|
    | `blocks` | 1 to `max_blocks`, but at least 2 steps stay | 3 | |
    | `convolutions`, in each block | 1, 2 | 1 | |
    | `filters`, of the first block | 8, 16, 32, 64, up to `max_filters` | 32 | |
    | `kernel_size` | 3, 5, 7 | 5 | |
    | `batch_normalization`, behind each convolution | yes, no | yes | |
    | `reduction` over time | average, max, flatten | average; of a regression flatten | flatten:
      known steps |
    | `units` of a hidden layer | 8, 16, ... `max_units` | 64 | `reduction="flatten"` |
    | `dropout`, before the head | 0 to 0.5 | 0.2 | |
    | `learning_rate` of Adam | 1e-4 to 1e-2 | 1e-3 | |

    Of 1024 steps or more the first convolution has strides of 2; before a flatten, more than 64
    steps are averaged down to at most 64.

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
        max_blocks: Integer >= 1. Defaults to `4`.
        max_filters: Integer >= 16, of any block. Defaults to `128`.
        max_units: Integer >= 16. Defaults to `256`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If an argument is out of range.

    Example:
    >>> import keras_tuner
    >>> space = HyperSequenceCNN(input_shape=(128, 6), outputs=5)
    >>> space.build(keras_tuner.HyperParameters()).get_layer("pool_3").output.shape
    (None, 16, 128)
    """

    axes = 1
    kernels = (3, 5, 7)
    default_kernel = 5
    largest_flat = 64
    largest_start = 1024

    def __init__(
        self,
        input_shape: tuple[int | None, int],
        outputs: int,
        task: str = "classification",
        one_hot: bool = False,
        normalize: Any = None,
        denormalize: Any = None,
        max_blocks: int = 4,
        max_filters: int = 128,
        max_units: int = 256,
    ):
        shape = checked_shape(input_shape, "(steps, features)", (2,), open_first=True)
        super().__init__(
            shape, outputs, task, one_hot, denormalize, max_blocks, max_filters, max_units
        )
        self.normalize = normalization("normalize", normalize, shape[-1])

    def _prepared(self, inputs: Any) -> Any:
        return normalized(inputs, self.normalize)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal one, as plain data."""
        return {**super().get_config(), "normalize": self.normalize}
