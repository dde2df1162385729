"""What shrinking a model would do, before anything is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.display import Shown, columns
from kerasopt.dependency.dependency_graph import Trace
from kerasopt.dependency.groups import Group
from kerasopt.profile.cost import Cost, Costs
from kerasopt.selection import reasons
from kerasopt.structured.importance.measurement import read
from kerasopt.structured.surgery.batch_norm_statistics import estimated, reestimate
from kerasopt.structured.surgery.rebuild import Rebuilding


@dataclass(frozen=True)
class PlannedGroup:
    """What would happen to channels that are tied.

    Attributes:
        layers: Paths of the layers that make them.
        before: How many channels there are; heads of attention count as one each.
        after: How many would stay.
        removed: The positions, among the `before` channels, of those that would go.
        is_heads: Whether they are heads of attention.
    """

    layers: tuple[str, ...]
    before: int
    after: int
    removed: tuple[int, ...]
    is_heads: bool = False


class ShrinkPlan(Shown):
    """A plan to remove channels from a model, from `kerasopt.structured.shrink_plan`.

    Attributes:
        model: The model, which never changes.
        groups: A `PlannedGroup` for each set of tied layers that may lose channels.
        before: What the model costs now: `parameters`, `macs`, `peak_bytes`, `weight_bytes`.
        after: What it would cost.
        left_out: Layer -> why none of its channels can go.
        reconstruct: Whether kernels will make up for what goes.
        notes: What is to be known of it: targets out of reach, layers that stay as they are.
    """

    def __init__(
        self,
        trace: Trace,
        groups: Sequence[Group],
        gone: Sequence[NDArray[np.bool_]],
        left_out: Mapping[str, str],
        notes: Sequence[str] = (),
        data: Any = None,
        batches: int = 8,
        reconstruct: bool = False,
    ):
        self.model = trace.graph.model
        self.left_out = dict(left_out)
        self.notes = list(notes)
        costs = Costs(trace, groups)
        self.before: Cost = costs.of()
        self.after: Cost = costs.of([int(mask.sum()) for mask in gone])
        self.groups = [_planned(one, mask) for one, mask in zip(groups, gone, strict=True)]
        self._rebuilding = Rebuilding(trace, groups, gone)
        # What gets other statistics cannot be what the old model has.
        self._copied = data is not None and _has_statistics
        self._rebuilding.check(self._copied)
        self._data, self._batches = data, batches
        self.reconstruct, self._done = reconstruct, False

    def apply(self) -> Any:
        """Build the smaller model.

        Returns:
            A new model of the same class with fewer units and filters and the kept weights. If the
            old one is compiled, so is it, and its optimizer goes on with what it knows of the
            channels that stay. If `data` were given, the statistics of its batch normalization are
            those of the smaller model; with `reconstruct`, kernels make up for what goes.
        """
        self._reconstruct()
        model, _ = self._rebuilding.build(self._copied)
        return self._calibrated(model)

    def masked(self) -> Any:
        """Build a copy of the model, as large as it is, in which nothing takes what would go.

        It gives the outputs of the smaller model.
        """
        self._reconstruct()
        return self._calibrated(self._rebuilding.masked())

    def _calibrated(self, model: Any) -> Any:
        if self._data is not None:
            reestimate(model, self._data, self._batches)
        return model

    def _reconstruct(self) -> None:
        if self.reconstruct and not self._done:
            self._rebuilding.reconstruct(read(self.model, self._data, self._batches))
            self._done = True

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain data."""
        return {
            "groups": [
                {**vars(one), "layers": list(one.layers), "removed": list(one.removed)}
                for one in self.groups
            ],
            "before": vars(self.before),
            "after": vars(self.after),
            "reconstruct": self.reconstruct,
            "left_out": self.left_out,
            "notes": self.notes,
        }

    def _tables(self) -> tuple[list[list[str]], list[list[str]]]:
        rows = [["channels of", "before", "after"]]
        for one in self.groups:
            kind = " (heads)" if one.is_heads else ""
            rows.append([_short(one.layers) + kind, f"{one.before:,}", f"{one.after:,}"])
        costs = [["", "before", "after", "of it"]]
        for name, what in (
            ("parameters", "parameters"),
            ("macs", "MACs"),
            ("peak_bytes", "peak activation, bytes"),
        ):
            old, new = getattr(self.before, name), getattr(self.after, name)
            part = f"{100 * new / old:.1f} %" if old else ""
            costs.append([what, f"{old:,}", f"{new:,}", part])
        return rows, costs

    def parts(self) -> list[Any]:
        """Give the two tables and what there is to say."""
        said = []
        if self.reconstruct:
            said.append("Kernels make up for what goes, by least squares on the data.")
        if self.left_out:
            said.append(f"Left alone: {reasons(self.left_out)}.")
        return [*self._tables(), *said, *(["\n".join(self.notes)] if self.notes else [])]

    def __str__(self) -> str:
        rows, costs = self._tables()
        text = columns(rows, right=[1, 2]) + "\n\n" + columns(costs, right=[1, 2, 3])
        if self.reconstruct:
            text += "\n\nKernels make up for what goes, by least squares on the data."
        if self.left_out:
            text += f"\n\nLeft alone: {reasons(self.left_out)}."
        return "\n".join([text, *(["", *self.notes] if self.notes else [])])

    def __repr__(self) -> str:
        gone = sum(one.before - one.after for one in self.groups)
        whole = sum(one.before for one in self.groups)
        return f"ShrinkPlan({self.model.name!r}: {gone} of {whole} channels go)"


def _has_statistics(model: Any) -> bool:
    return bool(estimated(model))


def _planned(group: Group, mask: NDArray[np.bool_]) -> PlannedGroup:
    return PlannedGroup(
        tuple(group.layers),
        len(group),
        len(group) - int(mask.sum()),
        tuple(int(one) for one in np.flatnonzero(mask)),
        group.is_heads,
    )


def _short(layers: Sequence[str]) -> str:
    if len(layers) <= 3:
        return " + ".join(layers)
    return f"{layers[0]} + {layers[1]} + ... ({len(layers)} layers)"
