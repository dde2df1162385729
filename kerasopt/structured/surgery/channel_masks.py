"""Masks of channels: on everything that makes, scales or takes them, in the train step."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import bad_value
from kerasopt.dependency.groups import Group
from kerasopt.pruning.enforcement import mask_constraint
from kerasopt.pruning.enforcement.held_masks import Writer
from kerasopt.selection import Target

_CONSTANTS = ("moving_mean", "moving_variance")


class ChannelMasks:
    """One mask for every variable on which channels of some groups stand, all ones at first.

    Args:
        model: The model that trains.
        groups: The groups.
        whole: How many channels the model has beside, of which `share` is.
    """

    def __init__(self, model: Any, groups: Sequence[Group], whole: int):
        self._model = model
        self._groups = groups
        self._whole = whole
        self._at: dict[int, list[tuple[int, Any]]] = defaultdict(list)
        variables: dict[int, Any] = {}
        for number, group in enumerate(groups):
            for stand in group.stands:
                variable = stand.place.variable
                if variable.name in _CONSTANTS or not variable.trainable:
                    continue
                variables[id(variable)] = variable
                self._at[id(variable)].append((number, stand))
        self.variables = list(variables.values())
        targets = [Target(None, variable, variable.path) for variable in self.variables]
        self._masks = mask_constraint.made(model, targets)
        mask_constraint.put_on(model, self._masks)
        self._writer = Writer(self._masks)
        self.gone = [np.zeros(len(group), bool) for group in groups]

    def set(self, gone: Sequence[NDArray[np.bool_]]) -> None:
        """Put masks in force that zero these channels, and zero their weights."""
        self.gone = [mask.copy() for mask in gone]
        self._writer.write(self._kept(variable) for variable in self.variables)

    def _kept(self, variable: Any) -> NDArray[np.bool_]:
        kept = np.ones(tuple(variable.shape), bool)
        for number, stand in self._at[id(variable)]:
            turned = np.moveaxis(kept, stand.place.axis, 0)
            turned[stand.at[self.gone[number]].reshape(-1)] = False
        return kept

    @property
    def share(self) -> float:
        """The share of all channels that are masked, each counted by what it stands for."""
        return self._gone / max(self._whole, 1)

    @property
    def reached(self) -> float:
        """The share of the groups' channels that are masked."""
        return self._gone / max(sum(len(one) * one.grain for one in self._groups), 1)

    @property
    def _gone(self) -> int:
        pairs = zip(self._groups, self.gone, strict=True)
        return sum(int(mask.sum()) * one.grain for one, mask in pairs)

    def hold(self) -> None:
        """Zero the masked weights once more."""
        for mask in self._masks:
            mask.hold()

    def take_off(self) -> None:
        """Give the variables the user's own constraints back."""
        mask_constraint.take_off(self._model, self.variables)


def matching(gone: Mapping[str, Any], groups: Sequence[Group]) -> list[NDArray[np.bool_]]:
    """Give for each group which of its channels are masked, as a state of a run names them.

    Raises:
        ValueError: If they are those of another model.
    """
    found = [np.asarray(gone.get(one.name, ()), bool) for one in groups]
    sizes = [len(one) for one in groups]
    if [len(one) for one in found] != sizes:
        # Keras numbers unnamed layers anew for each model of a process.
        found = [np.asarray(one, bool) for one in gone.values()]
    if [len(one) for one in found] != sizes:
        raise bad_value(
            "state",
            "the channels of the same model with the same `include` and `exclude`",
            sorted(gone),
        )
    return found
