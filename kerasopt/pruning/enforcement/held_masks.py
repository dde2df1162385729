"""The masks of one run: put on the kernels of a model, chosen, held, taken off."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasopt import _keras
from kerasopt._core.checks import warn
from kerasopt._kernels import numbers
from kerasopt.pruning.criteria import Context, Criterion, Magnitude
from kerasopt.pruning.enforcement import mask_constraint
from kerasopt.pruning.enforcement.mask_constraint import Mask
from kerasopt.pruning.masks.compute import one_by_one
from kerasopt.pruning.masks.dynamics import Dynamics, drop_and_grow
from kerasopt.pruning.masks.kernel_layout import layout_of
from kerasopt.pruning.masks.weight_scores import as_weights, scored
from kerasopt.pruning.patterns import Pattern, Weight
from kerasopt.pruning.scopes import PerLayer, Scope
from kerasopt.selection import Selection

MAGNITUDE, WEIGHT, PER_LAYER = Magnitude(), Weight(), PerLayer()


class Masks:
    """One mask a selected kernel, all ones at first, held inside the train step.

    Args:
        model: The model that trains.
        selection: Its kernels to be masked.
        slots: Whether the optimizer's slots are masked with them. Defaults to `False`.
        lasting: Whether they are put on the kernels, to be held by each step; else weights are
            zeroed once. Defaults to `True`.
    """

    def __init__(self, model: Any, selection: Selection, slots: bool = False, lasting: bool = True):
        self.selection = selection
        self._model = model
        self._masks = mask_constraint.made(model, selection, slots)
        if lasting:
            mask_constraint.put_on(model, self._masks)
        self._writer = Writer(self._masks, compiled=lasting)
        self._layouts = [layout_of(target.layer, target.variable) for target in selection]

    def choose(
        self,
        sparsity: float,
        scope: Scope = PER_LAYER,
        pattern: Pattern = WEIGHT,
        criterion: Criterion = MAGNITUDE,
        share: float = 1.0,
        contexts: Mapping[str, Context] | None = None,
    ) -> None:
        """Choose masks, put them in force, and zero the weights.

        Args:
            sparsity: Float in [0, 1).
            scope: How the kernels share it.
            pattern: In what shape weights go.
            criterion: Which ones go.
            share: How much of its way the schedule has done.
            contexts: What the criterion knows beside the weights, by the path of the kernel.

        Raises:
            ValueError: If a weight is NaN, or a pattern cannot express the sparsity; no mask has
                changed then.
        """
        packed = self._chosen(sparsity, scope, pattern, criterion, share, contexts)
        shapes = [tuple(target.variable.shape) for target in self.selection]
        self.set(_unpacked(bits, shape) for bits, shape in zip(packed, shapes, strict=True))

    def _chosen(
        self,
        sparsity: float,
        scope: Scope,
        pattern: Pattern,
        criterion: Criterion,
        share: float,
        contexts: Mapping[str, Context] | None,
    ) -> list[NDArray[np.uint8]]:
        """Give all masks, a bit a weight, before one is in force: a later kernel may be NaN."""
        weights, patterns, known = {}, {}, {}
        for target, layout in zip(self.selection, self._layouts, strict=True):
            weights[target.path] = layout.view(numbers(target.variable))
            patterns[target.path] = layout.pattern(pattern)
            if contexts is not None:
                shape = tuple(target.variable.shape)
                known[target.path] = contexts[target.path].viewed(layout, shape)
        chosen = one_by_one(weights, sparsity, scope, patterns, criterion, known, share)
        return [
            np.packbits(layout.back(kept, tuple(target.variable.shape)))
            for (_, kept), layout, target in zip(chosen, self._layouts, self.selection, strict=True)
        ]

    def exchange(
        self, dynamics: Dynamics, share: float, contexts: Mapping[str, Context], step: int
    ) -> None:
        """Drop a share of the connections of each kernel, and let as many others grow."""
        changed = []
        for target, mask in zip(self.selection, self._masks, strict=True):
            weights = np.asarray(numbers(target.variable), np.float32)
            kept = keras.ops.convert_to_numpy(mask.mask)
            context = contexts.get(target.path) or Context(name=target.path)
            growth = dynamics.growth(weights, context, step)
            number = round(share * int(np.count_nonzero(kept)))
            changed.append(drop_and_grow(kept, weights, growth, number))
        self.set(changed)

    @property
    def paths(self) -> list[str]:
        """The paths of the kernels."""
        return [target.path for target in self.selection]

    def padded(self, pattern: Pattern) -> list[str]:
        """Name the kernels that a pattern does not divide."""
        return [
            target.path
            for target, layout in zip(self.selection, self._layouts, strict=True)
            if layout.pattern(pattern).padded(layout.view(numbers(target.variable)).shape)
        ]

    def try_out(self, criterion: Criterion) -> None:
        """Score one kernel, so that what cannot be is said before training.

        Raises:
            ValueError: If the criterion raises, or gives something else.
        """
        target, layout = self.selection[0], self._layouts[0]
        weights = layout.view(numbers(target.variable))
        context = Context(name=target.path, outputs=layout.outputs)
        scored(as_weights(weights, target.path), criterion, context)

    def warn_of_edges(self, pattern: Pattern, who: str) -> None:
        """Name, in a warning, the kernels that a pattern does not divide."""
        padded = self.padded(pattern)
        if padded:
            warn(
                f"{who}: {pattern!r} does not divide {', '.join(padded)}: at their edge a block or "
                "group is smaller."
            )

    def keep_zeros(self) -> None:
        """Put masks in force that hold the zeros that the kernels have now."""
        self.set([numbers(target.variable) != 0 for target in self.selection])

    def set(self, arrays: Iterable[NDArray[np.bool_]]) -> None:
        """Put given masks in force, in the order of the selection, and zero the weights."""
        self._writer.write(arrays)

    def hold(self) -> None:
        """Zero the pruned weights once more, after something else has written to them."""
        for mask in self._masks:
            mask.hold()

    def to_arrays(self) -> dict[str, Any]:
        """Give the masks as Boolean arrays by the path of their kernel."""
        return {
            target.path: keras.ops.convert_to_numpy(mask.mask)
            for target, mask in zip(self.selection, self._masks, strict=True)
        }

    def weights(self) -> dict[str, NDArray[Any]]:
        """Give the weights by the path of their kernel, to read."""
        return {t.path: numbers(t.variable) for t in self.selection}

    def sparsity(self) -> float:
        """Count the zeros of the kernels and give their share."""
        zeros = total = 0
        for target in self.selection:
            weights = numbers(target.variable)
            total += weights.size
            zeros += weights.size - int(np.count_nonzero(weights))
        return zeros / max(total, 1)

    def take_off(self) -> None:
        """Give the kernels the user's own constraints back."""
        mask_constraint.take_off(self._model, [mask.variable for mask in self._masks])


def _unpacked(bits: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    return np.unpackbits(bits, count=math.prod(shape)).view(np.bool_).reshape(shape)


# So many weights may be written at once, however small the largest kernel is.
_AT_ONCE = 1 << 20


class Writer:
    """Writes masks by groups, each by one compiled call.

    One call for each of fifty kernels takes four times as long. All kernels in one call would need
    a copy of them all, so a group has at most the weights of the largest kernel, or a million.

    Args:
        masks: What is written to.
        compiled: Whether the calls are compiled, which pays off from the second one on.
    """

    def __init__(self, masks: Sequence[Mask], compiled: bool = True):
        self._groups = [(group, _call(group, compiled)) for group in grouped(masks)]

    def write(self, arrays: Iterable[NDArray[np.bool_]]) -> None:
        """Put masks in force, in the order of those given first, and zero the weights."""
        rest = iter(arrays)
        for group, apply in self._groups:
            apply(list(islice(rest, len(group))))


def grouped(masks: Sequence[Mask]) -> list[list[Mask]]:
    """Put neighbours together, as many as may be written at once."""
    sizes = [int(np.prod(mask.variable.shape)) for mask in masks]
    most = max([_AT_ONCE, *sizes])
    groups: list[list[Mask]] = []
    room = 0
    for mask, size in zip(masks, sizes, strict=True):
        if not groups or size > room:
            groups.append([])
            room = most
        groups[-1].append(mask)
        room -= size
    return groups


def _call(masks: Sequence[Mask], compiled: bool) -> Callable[[list[Any]], None]:
    import tensorflow as tf

    def apply(arrays: list[Any]) -> None:
        for mask, kept in zip(masks, arrays, strict=True):
            mask.mask.assign(kept)
            mask.hold()

    if not compiled or any(len(_keras.replicas(mask.variable)) > 1 for mask in masks):
        return apply  # from outside, a compiled function may not write to replicas
    specs = [tf.TensorSpec(tuple(mask.variable.shape), tf.bool) for mask in masks]
    # Not called as a `tf.function`, which warns where several models are pruned one by one.
    concrete = tf.function(
        lambda *arrays: apply(list(arrays)), jit_compile=True, autograph=False
    ).get_concrete_function(*specs)
    return lambda arrays: concrete(*(tf.constant(one) for one in arrays))
