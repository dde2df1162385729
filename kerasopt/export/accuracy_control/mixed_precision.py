"""Files in which some layers stay in float, all of one calibration."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasopt.export.attribution.owners import owners
from kerasopt.export.convert.converter import Saved
from kerasopt.export.file.flatbuffer import Graph, Operator, structure
from kerasopt.export.options import MODES
from kerasopt.export.preparation import Prepared

ITSELF = "(the model itself)"
"""Stands for operations outside of all layers."""

TRANSPOSED = "TRANSPOSE_CONV"
"""TensorFlow keeps all of these in float, or none: it does not know them by name."""


@dataclass(frozen=True)
class Unit:
    """Operations of which either all stay in float, or none.

    Attributes:
        paths: Of the layers that they belong to.
        names: Of the tensors that they give.
        kinds: Their names.
    """

    paths: frozenset[str]
    names: tuple[str, ...]
    kinds: frozenset[str]


class Partly:
    """The operations of a model, and files in which some of them stay in float.

    Args:
        prepared: The model.
        saved: Of which files are made.
        mode: A mode that can exclude layers.

    Attributes:
        layers: Paths of layers that have operations, in the order in which these run; an operation
            of several fused layers is that of the one with the most weights.

    Raises:
        ExportError: If it cannot be calibrated.
    """

    def __init__(self, prepared: Prepared, saved: Saved, mode: str):
        self._saved = saved
        self._mode = mode
        graphs = structure(saved.partly(mode))
        self._sizes = {path: _size(layer) for path, layer in prepared.layers.items()}
        found = owners(graphs, prepared.traced.origin)
        pairs = [
            (graph, operator, paths)
            for graph, mine in zip(graphs, found, strict=True)
            for operator, paths in zip(graph.operators, mine, strict=True)
        ]
        self._units = units(pairs, MODES[mode].quantizer)
        main: dict[str, list[Unit]] = {}
        for unit in self._units:
            # In the model's order, so that of equal ones it is the first.
            paths = sorted(unit.paths, key=list(self._sizes).index)
            first = max(paths, key=lambda path: self._sizes[path]) if paths else ITSELF
            main.setdefault(first, []).append(unit)
        self._main: Mapping[str, list[Unit]] = main
        self.layers = tuple(main)

    def without(self, kept: Collection[str], io: str = "float32") -> bytes:
        """Make a file in which every operation of some layers stays in float.

        Args:
            kept: Paths of layers; of fused ones any.
            io: Type of the file's inputs and outputs. Defaults to `"float32"`.

        Raises:
            ExportError: If it cannot be made.
        """
        return self._made((unit for unit in self._units if set(kept) & unit.paths), io)

    def grouped(self, kept: Collection[str]) -> bytes:
        """Make a file in which the operations of which some layers are the main one stay in float.

        Args:
            kept: Some of `layers`.
        """
        return self._made((unit for layer in kept for unit in self._main[layer]), "float32")

    def weights(self, layer: str) -> int:
        """Give how many weights a layer has."""
        return self._sizes.get(layer, 0)

    def missing(self, paths: Collection[str]) -> list[str]:
        """Give those of some layers that have no operation in the file, nor have layers in them."""
        present = {path for unit in self._units for path in unit.paths}
        return [
            path
            for path in paths
            if path not in present and not any(one.startswith(f"{path}/") for one in present)
        ]

    def inseparable(self, kept: Collection[str]) -> list[str]:
        """Give the layers that stay in float too, if some do, though they are not fused."""
        if not self.transposed(kept):
            return []
        return [path for path in self.layers if path not in kept and self.transposed([path])]

    def transposed(self, kept: Collection[str]) -> bool:
        """Tell whether some layers have transposed convolutions, in int8."""
        if MODES[self._mode].quantizer:
            return False
        return any(TRANSPOSED in unit.kinds and set(kept) & unit.paths for unit in self._units)

    def _made(self, chosen: Iterable[Unit], io: str) -> bytes:
        found = list(chosen)
        kinds = sorted({kind for unit in found for kind in unit.kinds} & {TRANSPOSED})
        names = [name for unit in found for name in unit.names]
        return self._saved.partly(self._mode, names, io, kinds)


def units(operations: Iterable[tuple[Graph, Operator, tuple[str, ...]]], share: bool) -> list[Unit]:
    """Put operations together that cannot be told apart when a file is made.

    Args:
        operations: Graph, operation, and paths of its layers.
        share: Whether those that read the same weights are such.
    """
    groups: dict[Any, list[tuple[Graph, Operator, tuple[str, ...]]]] = {}
    for number, (graph, operator, paths) in enumerate(operations):
        key: Any = number
        if not share and operator.name == TRANSPOSED:
            key = TRANSPOSED
        if share:
            weights = [
                one
                for one in operator.inputs
                if one >= 0 and graph.tensors[one].stored and len(graph.tensors[one].shape) > 1
            ]
            key = (id(graph), weights[0]) if weights else number
        groups.setdefault(key, []).append((graph, operator, paths))
    return [
        Unit(
            paths=frozenset(path for _, _, paths in group for path in paths),
            names=tuple(
                graph.tensors[one].name for graph, operator, _ in group for one in operator.outputs
            ),
            kinds=frozenset(operator.name for _, operator, _ in group),
        )
        for group in groups.values()
    ]


def _size(layer: Any) -> int:
    return sum(int(np.prod(variable.shape)) for variable in layer.weights)
