"""Setting regularizers and constraints where training reads them and a saved model finds them."""

from typing import Any

from kerasopt import _keras, _temporary, selection
from kerasopt.regularization.attributes import (
    alike,
    attribute_of,
    can_be_saved,
    fingerprint,
    returns,
    saved_units,
)
from kerasopt.regularization.living import retrace_all
from kerasopt.selection import Selection, Target


def assign(model: Any, targets: Selection, things: list[Any], what: str) -> list[Target]:
    """Set one regularizer or constraint a target, and let the next batch of a model see them.

    Keras reads the variable's attribute in training, and the layer's in a config: one without the
    other is a penalty that does nothing, or one that a saved model has lost. What a callback holds
    on a variable for the time of a `fit` stays on top.

    Args:
        model: The model, compiled or not.
        targets: Variables and the layers that own them.
        things: A regularizer or constraint, or `None` to take it off, for each target.
        what: `"regularizer"` or `"constraint"`.

    Returns:
        The targets whose layer, made again from its config, has another one.
    """
    units = saved_units(model)
    doubtful: dict[int, list[Target]] = {}
    for target, thing in zip(targets, things, strict=True):
        unit = units.get(id(target.layer)) or target.layer
        if not _set(target, thing, what, unit):
            doubtful.setdefault(id(unit), []).append(target)
    lost = []
    for group in doubtful.values():
        unit = units.get(id(group[0].layer)) or group[0].layer
        _set_in_common(unit, what)
        back = returns(unit, [target.variable for target in group], what)
        lost += [target for target, is_back in zip(group, back, strict=True) if not is_back]
    variables = [target.variable for target in targets]
    retrace_all(model, variables, evaluation=what == "regularizer")
    order = {id(target): number for number, target in enumerate(targets)}
    return sorted(lost, key=lambda target: order[id(target)])


def _set(target: Target, thing: Any, what: str, unit: Any) -> bool:
    """Set it in both places; tell whether the config that is saved shows it."""
    attribute = attribute_of(target.layer, target.variable, what)
    _temporary.set_own(target.variable, what, thing)
    if attribute is None or not can_be_saved(thing):
        return False
    old = getattr(target.layer, attribute)
    setattr(target.layer, attribute, None if thing is not None else old)
    before = fingerprint(unit)
    setattr(target.layer, attribute, thing)
    return fingerprint(unit) != before


def _set_in_common(unit: Any, what: str) -> None:
    """Use the one place that attention has for all its kernels, if all have the same now."""
    kernels = [
        variable
        for _, layer in selection.walk(unit)
        for variable in selection.own_variables(layer)
        if selection.is_kernel(layer, variable)
    ]
    things = [_temporary.own(variable, what) for variable in kernels]
    if things and all(can_be_saved(one) and alike(one, things[0]) for one in things):
        _keras.set_in_attention(unit, f"kernel_{what}", things[0])
