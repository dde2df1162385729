"""int8 files in which some layers stay in float, all of one calibration."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from kerasopt.export.convert import Saved, Traced
from kerasopt.export.owners import owners
from kerasopt.export.saved_model import inner_layers
from kerasopt.export.structure import structure

ITSELF = "(the model itself)"
"""Stands for operations outside of all layers."""


class Partly:
    """The operations of a model, and files in which some of them stay in float.

    Args:
        model: The Keras model.
        traced: The same as a TensorFlow function.
        saved: Of which files are made.
        mode: A mode that can exclude layers.

    Attributes:
        layers: Paths of layers that have operations, in the order in which these run; an operation
            of several fused layers is that of the one with the most weights.

    Raises:
        ExportError: If it cannot be calibrated.
    """

    def __init__(self, model: Any, traced: Traced, saved: Saved, mode: str):
        self._saved = saved
        self._mode = mode
        graph = structure(saved.partly(mode))[0]
        self._sizes = {path: _size(layer) for path, layer in inner_layers(model).items()}
        self._owners: list[tuple[tuple[str, ...], list[str]]] = []
        main: dict[str, list[str]] = {}
        for operator, paths in zip(
            graph.operators, owners(graph, traced.scopes, traced.ends), strict=True
        ):
            names = [graph.tensors[one].name for one in operator.outputs]
            self._owners.append((paths, names))
            first = max(paths, key=lambda path: self._sizes.get(path, 0)) if paths else ITSELF
            main.setdefault(first, []).extend(names)
        self._main: Mapping[str, list[str]] = main
        self.layers = tuple(main)

    def without(self, kept: Collection[str], io: str = "float32") -> bytes:
        """Make a file in which every operation of some layers stays in float.

        Args:
            kept: Paths of layers; of fused ones any.
            io: Type of the file's inputs and outputs. Defaults to `"float32"`.

        Raises:
            ExportError: If it cannot be made.
        """
        chosen = set(kept)
        return self._made(
            [n for paths, names in self._owners if chosen & set(paths) for n in names], io
        )

    def grouped(self, kept: Collection[str]) -> bytes:
        """Make a file in which the operations of which some layers are the main one stay in float.

        Args:
            kept: Some of `layers`.
        """
        return self._made([name for layer in kept for name in self._main[layer]], "float32")

    def weights(self, layer: str) -> int:
        """Give how many weights a layer has."""
        return self._sizes.get(layer, 0)

    def missing(self, paths: Collection[str]) -> list[str]:
        """Give those of some layers that have no operation of their own in the file."""
        present = {path for found, _ in self._owners for path in found}
        return [path for path in paths if path not in present]

    def _made(self, names: list[str], io: str) -> bytes:
        return self._saved.partly(self._mode, names, io)


def _size(layer: Any) -> int:
    return sum(int(np.prod(variable.shape)) for variable in layer.weights)
