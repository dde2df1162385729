"""Setting regularizers where training reads them and where a saved model finds them again."""

from typing import Any

from kerasopt import _keras, selection
from kerasopt.regularization.attributes import (
    can_be_saved,
    fingerprint,
    regularizer_attribute,
    returns,
    saved_units,
)
from kerasopt.selection import Selection, Target


def set_penalties(model: Any, targets: Selection, penalties: list[Any]) -> list[Target]:
    """Set one regularizer a target, and let the next batch of `model` see them.

    Keras reads the variable's attribute in training, and the layer's in a config: one without the
    other is a penalty that does nothing, or one that a saved model has lost.

    Args:
        model: The model, compiled or not.
        targets: Variables and the layers that own them.
        penalties: A regularizer, or `None` to take it off, for each target.

    Returns:
        The targets whose layer, made again from its config, has another regularizer.
    """
    units = saved_units(model)
    doubtful: dict[int, list[Target]] = {}
    for target, penalty in zip(targets, penalties, strict=True):
        unit = units.get(id(target.layer)) or target.layer
        if not _set(target, penalty, unit):
            doubtful.setdefault(id(unit), []).append(target)
    lost = []
    for group in doubtful.values():
        unit = units.get(id(group[0].layer)) or group[0].layer
        _set_in_common(unit, group)
        back = returns(unit, [target.variable for target in group])
        lost += [target for target, is_back in zip(group, back, strict=True) if not is_back]
    _keras.retrace(model, evaluation=True)
    order = {id(target): number for number, target in enumerate(targets)}
    return sorted(lost, key=lambda target: order[id(target)])


def _set(target: Target, penalty: Any, unit: Any) -> bool:
    """Set a regularizer in both places; tell whether the config that is saved shows it."""
    attribute = regularizer_attribute(target.layer, target.variable)
    target.variable.regularizer = penalty
    if attribute is None or not can_be_saved(penalty):
        return False
    old = getattr(target.layer, attribute)
    setattr(target.layer, attribute, None if penalty is not None else old)
    before = fingerprint(unit)
    setattr(target.layer, attribute, penalty)
    return fingerprint(unit) != before


def _set_in_common(unit: Any, targets: list[Target]) -> None:
    """Use the one regularizer that attention has for all its kernels, if all have the same now."""
    kernels = [
        variable
        for _, layer in selection.walk(unit)
        for variable in selection.own_variables(layer)
        if selection.is_kernel(layer, variable)
    ]
    penalties = [variable.regularizer for variable in kernels]
    mine = {id(target.variable) for target in targets}
    whole = bool(kernels) and all(id(variable) in mine for variable in kernels)
    if whole and all(can_be_saved(p) and _config(p) == _config(penalties[0]) for p in penalties):
        _keras.set_attention_regularizer(unit, penalties[0])


def _config(penalty: Any) -> Any:
    return None if penalty is None else penalty.get_config()
