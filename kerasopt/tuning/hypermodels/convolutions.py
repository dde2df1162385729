"""The search space of convolutional networks, over one axis or two."""

from collections.abc import Mapping
from typing import Any

import keras

from kerasopt._core.checks import at_least
from kerasopt.tuning.hypermodels.architecture import MOMENTUM, Architecture
from kerasopt.tuning.hypermodels.hyperparameters import count, dropout, width


class Convolutional(Architecture):
    """Blocks of convolutions, each ended by a pooling that halves the map; then a reduction.

    A subclass says over which `axes` (1 or 2) and what kernels there are.
    """

    axes: int
    kernels: tuple[int, ...]
    default_kernel: int
    largest_flat: int
    """To how many positions an axis is pooled before a map is flattened."""
    largest_start: int
    """From how many positions the first convolution takes steps of 2."""

    def __init__(
        self, input_shape: tuple[int | None, ...], outputs: int, task: str, one_hot: bool,
        denormalize: Any, max_blocks: int, max_filters: int, max_units: int,
    ):  # fmt: skip
        super().__init__(input_shape, outputs, task, one_hot, denormalize)
        self.max_blocks = at_least("max_blocks", max_blocks, 1)
        self.max_filters = at_least("max_filters", max_filters, 16)
        self.max_units = at_least("max_units", max_units, 16)

    @property
    def _sizes(self) -> tuple[int | None, ...]:
        return self.input_shape[: self.axes]

    @property
    def _stride(self) -> int:
        known = [size for size in self._sizes if size is not None]
        return 2 if known and min(known) >= self.largest_start else 1

    @property
    def _most_blocks(self) -> int:
        """As many as leave two positions on the longest axis."""
        known = [size for size in self._sizes if size is not None]
        if not known:
            return self.max_blocks
        halvings = (max(known) // self._stride).bit_length() - 2
        return min(self.max_blocks, max(1, halvings))

    def _declared(self, hp: Any) -> dict[str, Any]:
        values: dict[str, Any] = {
            "blocks": count(hp, "blocks", self._most_blocks, 3),
            "convolutions": count(hp, "convolutions", 2, 1),
            "filters": width(hp, "filters", min(self.max_filters, 64), 32),
            "kernel_size": hp.Choice(
                "kernel_size", list(self.kernels), default=self.default_kernel
            ),
            "batch_normalization": hp.Boolean("batch_normalization", default=True),
        }
        # A mean over all positions forgets where something was; most regressions need it.
        flat = None not in self._sizes
        values["reduction"] = hp.Choice(
            "reduction",
            ["average", "max", "flatten"] if flat else ["average", "max"],
            default="flatten" if flat and self.task == "regression" else "average",
        )
        if flat:
            with hp.conditional_scope("reduction", ["flatten"]):
                values["units"] = width(hp, "units", self.max_units, 64)
        values["dropout"] = dropout(hp)
        return values

    def _body(self, x: Any, values: Mapping[str, Any]) -> Any:
        for block in range(1, values["blocks"] + 1):
            filters = min(values["filters"] << (block - 1), self.max_filters)
            for number in range(1, values["convolutions"] + 1):
                first = block == number == 1
                x = self._convolution(x, filters, values, f"{block}_{number}", first)
            # "same", because an axis of one position stays one.
            x = self._layer("MaxPooling")(2, padding="same", name=f"pool_{block}")(x)
        x = self._reduced(x, values)
        return keras.layers.Dropout(values["dropout"], name="dropout")(x)

    def _convolution(
        self, x: Any, filters: int, values: Mapping[str, Any], name: str, first: bool
    ) -> Any:
        normal = values["batch_normalization"]
        x = self._layer("Conv")(
            filters,
            values["kernel_size"],
            strides=self._stride if first else 1,
            padding="same",
            use_bias=not normal,
            name=f"conv_{name}",
        )(x)
        if normal:
            x = keras.layers.BatchNormalization(momentum=MOMENTUM, name=f"norm_{name}")(x)
        return keras.layers.ReLU(name=f"relu_{name}")(x)

    def _reduced(self, x: Any, values: Mapping[str, Any]) -> Any:
        if values["reduction"] != "flatten":
            return self._layer(f"Global{values['reduction'].title()}Pooling")(name="reduction")(x)
        size = tuple(-(-size // self.largest_flat) for size in x.shape[1:-1])
        if max(size) > 1:
            x = self._layer("AveragePooling")(size, padding="same", name="shrinking")(x)
        x = keras.layers.Flatten(name="reduction")(x)
        return keras.layers.Dense(values["units"], activation="relu", name="hidden")(x)

    def _layer(self, kind: str) -> Any:
        return getattr(keras.layers, f"{kind}{self.axes}D")

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal one, as plain data."""
        return {
            **super().get_config(),
            "max_blocks": self.max_blocks,
            "max_filters": self.max_filters,
            "max_units": self.max_units,
        }
