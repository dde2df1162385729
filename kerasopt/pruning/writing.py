"""Writing new masks, and zeroing what they prune, in few calls."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt import _keras
from kerasopt.pruning.constraint import Mask

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
