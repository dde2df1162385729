"""What the search spaces share whose body is some layers, each with a width of its own."""

from typing import Any

from kerasopt._checks import at_least
from kerasopt.tuning.architectures.architecture import Architecture
from kerasopt.tuning.architectures.moments import normalization
from kerasopt.tuning.architectures.space import count, width


class Layered(Architecture):
    """Base of the search spaces of so many layers with so many units each.

    Args:
        input_shape: Shape of one sample, checked.
        outputs: As in `Architecture`, like `task`, `one_hot` and `denormalize`.
        task: See there.
        one_hot: See there.
        denormalize: See there.
        normalize: The x for training, a dict with `mean` and `variance`, or `None`.
        max_layers: Integer >= 1.
        max_units: Integer >= 16.
    """

    def __init__(
        self, input_shape: tuple[int | None, ...], outputs: int, task: str, one_hot: bool,
        denormalize: Any, normalize: Any, max_layers: int, max_units: int,
    ):  # fmt: skip
        super().__init__(input_shape, outputs, task, one_hot, denormalize)
        self.normalize = normalization("normalize", normalize, input_shape[-1])
        self.max_layers = at_least("max_layers", max_layers, 1)
        self.max_units = at_least("max_units", max_units, 16)

    def _widths(self, hp: Any, layers: int) -> dict[str, Any]:
        """Declare how many layers there are, `layers` by default, and the units of each."""
        values: dict[str, Any] = {"layers": count(hp, "layers", self.max_layers, layers)}
        values["units_1"] = width(hp, "units_1", self.max_units, 64)
        for number in range(2, self.max_layers + 1):
            with hp.conditional_scope("layers", list(range(number, self.max_layers + 1))):
                values[f"units_{number}"] = width(hp, f"units_{number}", self.max_units, 64)
        return values

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal one, as plain data."""
        return {
            **super().get_config(),
            "normalize": self.normalize,
            "max_layers": self.max_layers,
            "max_units": self.max_units,
        }
