"""What a file shall be like: the arguments of an export that are not data."""

import math
from dataclasses import dataclass
from typing import Any

from kerasopt._checks import bad_type, bad_value, meant_share, number, one_of
from kerasopt.export.modes import EXCLUDING, MODES
from kerasopt.export.needs import require_quantizer

IO = ("float32", "int8", "uint8")
"""Types of an int8 file's inputs and outputs."""

_DENSE = ("int16x8", "dynamic_no_depthwise", "weight_only", "int4")


@dataclass(frozen=True)
class Wish:
    """What a file shall be like.

    Attributes:
        mode: Its mode.
        io: Type of its inputs and outputs.
        exclude: Layers that stay in float: as `kerasopt.selection` takes them, `"auto"` or `None`.
        max_accuracy_drop: With `"auto"`, how much accuracy may be lost, in [0, 1].
        sparse: Whether zeros are left out of it.
        least_db: Lowest ratio that is believed, or `None`.
        least_variance: Lowest share of its variance that an entry has to keep, or `None`.
        metadata: What it says about itself, or `None`.

    Raises:
        TypeError: If one is of the wrong type.
        ValueError: If one has a wrong value, or they do not go together.
        ImportError: If the mode needs a package that is not installed.
    """

    mode: str
    io: str = "float32"
    exclude: Any = None
    max_accuracy_drop: float = 0.005
    sparse: bool = False
    least_db: float | None = None
    metadata: dict[str, Any] | None = None
    least_variance: float | None = None

    def __post_init__(self) -> None:
        one_of("mode", self.mode, MODES)
        one_of("io", self.io, IO)
        require_quantizer(self.mode)
        if self.io != "float32" and self.mode != "int8":
            raise bad_value(
                "io",
                f"'float32' in mode {self.mode!r}",
                self.io,
                "Integer io needs mode='int8'.",
            )
        if self.least_db is not None:
            number("least_db", self.least_db)
        if self.least_variance is not None and self.least_variance != -math.inf:
            least = number("least_variance", self.least_variance)
            if not least <= 1:
                raise bad_value("least_variance", "a float up to 1", least)
        drop = number("max_accuracy_drop", self.max_accuracy_drop)
        if not 0 <= drop <= 1:
            raise bad_value("max_accuracy_drop", "a float in [0, 1]", drop, meant_share(drop))
        if isinstance(self.exclude, (list, tuple, set)) and not self.exclude:
            raise bad_value("exclude", "at least one layer, or `None`", self.exclude)
        if self.exclude is not None and not MODES[self.mode].excludes:
            raise bad_value(
                "exclude",
                f"`None` in mode {self.mode!r}",
                self.exclude,
                f"Layers can be kept in float in the modes {list(EXCLUDING)}.",
            )
        if not isinstance(self.sparse, bool):
            raise bad_type("sparse", "a bool", self.sparse)
        if self.sparse and (self.mode in _DENSE or self.exclude is not None):
            raise bad_value(
                "sparse",
                f"`False` with `exclude` and in the modes {', '.join(map(repr, _DENSE))}",
                self.sparse,
            )

    @property
    def lifted(self) -> bool:
        """Whether the user takes on files that are of little use."""
        floor = MODES[self.mode].floor_db
        return self.least_variance is None and self.least_db is not None and self.least_db < floor

    @property
    def automatic(self) -> bool:
        """Whether the layers that stay in float are to be found."""
        return isinstance(self.exclude, str) and self.exclude == "auto"
