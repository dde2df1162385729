"""What every room asks of Keras's layers: their kinds, einsum equations, and their calls."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import keras

CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
SEPARABLE = (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)
DROPOUTS = (
    keras.layers.AlphaDropout,
    keras.layers.Dropout,
    keras.layers.GaussianDropout,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
)

Call = Callable[..., Any]
"""What a layer computes: its method `call`, without the layer."""

# The forms that `EinsumDense` takes: axes that are left out come first, or last.
_EQUATION = re.compile(r"(\.{3})?([a-zA-Z]+)(\.{3})?,([a-zA-Z]+)->(?:\.{3})?([a-zA-Z]+)(?:\.{3})?")


@dataclass(frozen=True)
class Equation:
    """The equation of an `EinsumDense`, a letter an axis.

    Attributes:
        given: Axes of the input that are named.
        kernel: Axes of the kernel.
        result: Axes of the output that are named.
        dots: Where the axes are that dots stand for: `"first"`, `"last"` or, without dots, `""`.
    """

    given: str
    kernel: str
    result: str
    dots: str = ""

    @classmethod
    def of(cls, equation: str) -> Self | None:
        """Read an equation; `None` if it is of another form than Keras's.

        Example:
        >>> Equation.of("...ab,bc->...ac")
        Equation(given='ab', kernel='bc', result='ac', dots='first')
        >>> Equation.of("ab...,bc->ac...").axis("b", "ab", 4)
        1
        """
        match = _EQUATION.fullmatch(equation)
        if match is None:
            return None
        before, given, after, kernel, result = match.groups()
        return cls(given, kernel, result, "first" if before else "last" if after else "")

    def begin(self, letters: str, rank: int) -> int:
        """Give the first axis that is named of a tensor with such letters."""
        return 0 if self.dots == "last" else rank - len(letters)

    def axis(self, letter: str, letters: str, rank: int) -> int:
        """Give the axis that a letter names of a tensor with such letters."""
        return self.begin(letters, rank) + letters.index(letter)


@contextmanager
def calls_through(layers: Iterable[Any], through: Callable[[Any, Call], Call]) -> Iterator[None]:
    """Have the calls of layers go through a function, as long as the context lasts.

    A `call` that a layer has of its own, beside that of its class, goes through it too and is put
    back. What was compiled before does not notice.

    Args:
        layers: Layers; one that comes twice is taken once.
        through: Given a layer and its `call`, gives what is called in its place.

    Example:
    >>> layer, seen = keras.layers.Dense(2), []
    >>> def watched(layer, call):
    ...     def called(inputs):
    ...         seen.append(inputs.shape)
    ...         return call(inputs)
    ...     return called
    >>> with calls_through([layer], watched):
    ...     _ = layer(keras.ops.ones((3, 4)))
    >>> _ = layer(keras.ops.ones((5, 4)))
    >>> [tuple(shape) for shape in seen]
    [(3, 4)]
    """
    # In the instance's dict: Keras and the backends look at attributes that are set.
    own: list[tuple[dict[str, Any], Any]] = []
    try:
        for layer in {id(layer): layer for layer in layers}.values():
            called, held = through(layer, layer.call), vars(layer)
            own.append((held, held.get("call")))
            held["call"] = called
        yield
    finally:
        for held, call in own:
            if call is None:
                held.pop("call", None)
            else:
                held["call"] = call
