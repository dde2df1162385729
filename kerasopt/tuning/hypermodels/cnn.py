"""Search space of convolutional networks: images."""

from typing import Any

import keras

from kerasopt._core.checks import positive
from kerasopt.tuning.hypermodels.convolutions import Convolutional
from kerasopt.tuning.hypermodels.hyperparameters import input_shape as checked_shape


class HyperCNN(Convolutional):
    """Search space of convolutional networks, for images.

    Each block ends in a pooling that halves the height and the width, and the next one has twice
    the filters, up to `max_filters`.

    | hyperparameter | values | default | when |
    |---|---|---|---|
    | `blocks` | 1 to `max_blocks`, but the longer side stays at least 2 | 3 | |
    | `convolutions`, in each block | 1, 2 | 1 | |
    | `filters`, of the first block | 8, 16, 32, 64, up to `max_filters` | 32 | |
    | `kernel_size` | 3, 5 | 3 | |
    | `batch_normalization`, behind each convolution | yes, no | yes | |
    | `reduction` of the last map | average, max, flatten | average; of a regression flatten | |
    | `units` of a hidden layer | 8, 16, ... `max_units` | 64 | `reduction="flatten"` |
    | `dropout`, before the head | 0 to 0.5 | 0.2 | |
    | `learning_rate` of Adam | 1e-4 to 1e-2 | 1e-3 | |

    Where both sides have 96 pixels or more, the first convolution has strides of 2; before a
    flatten, sides above 8 are averaged down to at most 8: else time and size would explode.

    Args:
        input_shape: Shape of one sample: (height, width, channels), or (height, width) of gray
            images, whose channel axis a `Reshape` layer adds.
        outputs: Integer >= 1: classes, labels or numbers.
        task: `"classification"` (targets are integers from 0; with `outputs=1`, 0 or 1),
            `"multi_label"` or `"regression"`. Defaults to `"classification"`.
        one_hot: Whether the targets of a classification are one-hot. Defaults to `False`.
        rescale: Float > 0 by which a layer in front multiplies the pixels, such as `1 / 255`.
            Defaults to `None`: they are as they should be, about -1 to 1 or 0 to 1.
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
    >>> space = HyperCNN(input_shape=(28, 28), outputs=10, rescale=1 / 255)
    >>> [layer.name for layer in space.build(keras_tuner.HyperParameters()).layers[:5]]
    ['inputs', 'channel', 'rescaling', 'conv_1_1', 'norm_1_1']
    """

    axes = 2
    kernels = (3, 5)
    default_kernel = 3
    largest_flat = 8
    largest_start = 96

    def __init__(
        self,
        input_shape: tuple[int, ...],
        outputs: int,
        task: str = "classification",
        one_hot: bool = False,
        rescale: float | None = None,
        denormalize: Any = None,
        max_blocks: int = 4,
        max_filters: int = 128,
        max_units: int = 256,
    ):
        shape = checked_shape(input_shape, "(height, width, channels) or (height, width)", (2, 3))
        super().__init__(
            shape, outputs, task, one_hot, denormalize, max_blocks, max_filters, max_units
        )
        self.rescale = None if rescale is None else positive("rescale", rescale)

    def _prepared(self, inputs: Any) -> Any:
        x = inputs
        if len(self.input_shape) == 2:
            x = keras.layers.Reshape((*self.input_shape, 1), name="channel")(x)
        if self.rescale is not None:
            x = keras.layers.Rescaling(self.rescale, name="rescaling")(x)
        return x

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal one, as plain data."""
        return {**super().get_config(), "rescale": self.rescale}
