"""DropBlock: dropout of whole blocks of a feature map."""

from typing import Any

import keras
from keras import ops

from kerasopt._core.checks import at_least, bad_type, bad_value, fraction, one_of
from kerasopt.regularization.layers.random_layer import RandomLayer


@keras.saving.register_keras_serializable(package="kerasopt")
class DropBlock2D(RandomLayer):
    r"""Drop blocks of neighbours in feature maps, where single numbers are told by those around.

    In training each place where a block of b_h x b_w fits into the map of H x W becomes the corner
    of a dropped block with probability

        gamma = rate H W / (b_h b_w (H - b_h + 1) (W - b_w + 1)),

    in each channel on its own, which the authors found better than the same in all. What is kept is
    multiplied by count / kept count, both over the whole tensor, so that ones have a mean of 1
    (Ghiasi et al., 2018, "DropBlock: A regularization method for convolutional networks"). In
    inference nothing changes.

    Blocks may overlap, so the share that is dropped is `rate` at most, on average: with blocks
    of 7 x 7 in maps of 28 x 28 it is 0.094 for a rate of 0.1, and 0.37 for one of 0.5.

    Args:
        rate: Float in [0, 1): about the share of numbers to drop.
        block_size: Integer >= 1, or a pair of them, (height, width). One beyond the size of the map
            counts as the map's. 1 is plain dropout. Defaults to `7`.
        data_format: `"channels_last"` or `"channels_first"`. Defaults to `None`: what
            `keras.config.image_data_format()` says.
        seed: Integer >= 0, or `None` for a random one. Defaults to `None`.
        **kwargs: Those of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `rate` is outside [0, 1), `block_size` below 1, `data_format` another word,
            or the input has not four axes.

    Example:
    >>> import numpy as np
    >>> maps = np.ones((1, 5, 5, 1), "float32")
    >>> dropped = DropBlock2D(0.3, block_size=2, seed=5)(maps, training=True)
    >>> np.not_equal(dropped, 0).astype(int)[0, :, :, 0]
    array([[0, 0, 1, 1, 1],
           [0, 0, 1, 1, 1],
           [1, 1, 1, 1, 1],
           [1, 1, 1, 1, 1],
           [1, 1, 1, 1, 1]])
    """

    def __init__(
        self,
        rate: float,
        block_size: int | tuple[int, int] = 7,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, **kwargs)
        self.rate = fraction("rate", rate)
        self.block_size = _pair(block_size)
        if data_format is None:
            data_format = keras.config.image_data_format()
        self.data_format = one_of("data_format", data_format, ("channels_last", "channels_first"))

    def build(self, input_shape: Any) -> None:
        """Make sure that the input is a batch of feature maps.

        Raises:
            ValueError: If it has not four axes.
        """
        if len(input_shape) != 4:
            axes = "batch, height, width, channels"
            if self.data_format == "channels_first":
                axes = "batch, channels, height, width"
            raise bad_value("input_shape", f"four axes ({axes})", tuple(input_shape))
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def _drop(self, inputs: Any) -> Any:
        if self.rate == 0.0:
            return inputs
        first = self.data_format == "channels_first"
        sizes = ops.shape(inputs)
        batch, height, width, channels = (sizes[i] for i in ((0, 2, 3, 1) if first else range(4)))
        kept = 1.0 - self._blocks(batch, height, width, channels)
        factor = kept * ops.divide_no_nan(1.0, ops.mean(kept))
        if first:
            factor = ops.transpose(factor, (0, 3, 1, 2))
        # As in a plain dropout, an infinite number that is dropped is 0 and not NaN.
        return ops.where(factor > 0.0, inputs * ops.cast(factor, inputs.dtype), 0.0)

    def _blocks(self, batch: Any, height: Any, width: Any, channels: Any) -> Any:
        """Give ones in blocks and zeros elsewhere, as (batch, height, width, channels)."""
        high, wide = self.block_size
        rows, columns = _places(height, high), _places(width, wide)
        numbers = [_float(n) for n in (height, width, rows, columns)]
        # A block beyond the map's size has one place; cut to the map it is the map.
        cut = ops.minimum(numbers[0], high) * ops.minimum(numbers[1], wide)
        gamma = self.rate * numbers[0] * numbers[1] / (cut * numbers[2] * numbers[3])
        corners = ops.cast(self._uniform((batch, rows, columns, channels)) < gamma, "float32")
        corners = ops.pad(corners, ((0, 0), (high - 1, high - 1), (wide - 1, wide - 1), (0, 0)))
        # Two thin pools give what one does, in b_h + b_w steps in place of b_h b_w.
        blocks = corners
        for size in ((high, 1), (1, wide)):
            blocks = ops.max_pool(blocks, size, strides=1, data_format="channels_last")
        return blocks[:, :height, :width]

    def get_config(self) -> dict[str, Any]:
        """Give the arguments as plain data."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "block_size": self.block_size,
            "data_format": self.data_format,
        }


def _places(size: Any, block: int) -> Any:
    # A size that is not known before the batch is there is a tensor.
    places = size - block + 1
    return max(places, 1) if isinstance(size, int) else ops.maximum(places, 1)


def _float(size: Any) -> Any:
    return float(size) if isinstance(size, int) else ops.cast(size, "float32")


def _pair(block_size: Any) -> tuple[int, int]:
    sizes = block_size if isinstance(block_size, (tuple, list)) else (block_size, block_size)
    if len(sizes) != 2:
        raise bad_type("block_size", "an integer >= 1 or a pair of them", block_size)
    return at_least("block_size", sizes[0], 1), at_least("block_size", sizes[1], 1)
