"""Setting regularizers and constraints where training reads them and a saved model finds them."""

from collections.abc import Callable, Iterable
from typing import Any

from kerasopt import _keras, selection
from kerasopt._core import fit_state
from kerasopt._core.checks import warn
from kerasopt.regularization.compiled_models import check_whole, retrace_all
from kerasopt.regularization.config_attributes import (
    alike,
    attribute_of,
    can_be_saved,
    fingerprint,
    returns,
    saved_units,
)
from kerasopt.regularization.train_step import ignores_losses
from kerasopt.selection import Selection, Target, advice, reasons, select


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
    fit_state.set_own(target.variable, what, thing)
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
    things = [fit_state.own(variable, what) for variable in kernels]
    if things and all(can_be_saved(one) and alike(one, things[0]) for one in things):
        _keras.set_in_attention(unit, f"kernel_{what}", things[0])


_WORDS = {"regularizer": "penalty", "constraint": "constraint"}


def put_on(
    model: Any,
    what: str,
    decide: Callable[[Target], Any],
    include: Any,
    exclude: Any,
    variables: str,
) -> Selection:
    """Give each selected variable the regularizer or constraint that `decide` gives for it.

    Args:
        model: The model.
        what: `"regularizer"` or `"constraint"`.
        decide: Function from a target to what it shall have; what it raises comes before any
            change.
        include: As in `kerasopt.selection.select`.
        exclude: Likewise.
        variables: Likewise.

    Warns:
        UserWarning: Naming frozen layers, and those for which a saved model has lost it; or that a
            penalty has no effect in the model's own `train_step`.
    """
    check_whole(model, f"add_{_WORDS[what]}")
    selection = select(model, include, exclude, variables)
    give(model, selection, [decide(target) for target in selection], what)
    if what == "regularizer" and ignores_losses(model):
        _warn(
            f"The penalty has no effect in `fit`: the `train_step` of {type(model).__name__!r} "
            "neither reads `self.losses` nor calls `compute_loss`. Add `sum(self.losses)` to the "
            "loss there."
        )
    return selection


def give(model: Any, selection: Selection, things: list[Any], what: str) -> None:
    """Give each variable of a selection its regularizer or constraint.

    Warns:
        UserWarning: As `put_on`.
    """
    word = _WORDS[what]
    forgotten = assign(model, selection, things, what)
    trained = {id(variable) for variable in model.trainable_variables}
    frozen = [target for target in selection if id(target.variable) not in trained]
    if frozen:
        _warn(
            f"A {word} does nothing on frozen layers: {names(frozen)}. It begins to act when they "
            "are made trainable and the model is compiled again."
        )
    passed_over = [path for path, why in selection.left_out.items() if why == "frozen"]
    if passed_over:
        _warn(
            f"Frozen layers have nothing trainable and get no {word}: "
            f"{', '.join(map(repr, passed_over))}."
        )
    altered = {path: why for path, why in selection.left_out.items() if advice({path: why})}
    if altered:
        _warn(f"These get no {word}: {reasons(altered)}. {advice(altered)}")
    if forgotten:
        _warn(
            f"The {word} on {names(forgotten)} works now, but no config has a place for it: add "
            "it again to a model that was saved and loaded, or cloned."
        )


def take_off(model: Any, what: str, include: Any, exclude: Any, variables: str) -> Selection:
    """Take the regularizers or constraints off the selected variables, and give those that had one.

    Warns:
        UserWarning: Naming layers that will have it again in a saved or cloned model.
    """
    word = _WORDS[what]
    check_whole(model, f"remove_{word}")
    chosen = select(model, include, exclude, variables)
    having = [target for target in chosen if fit_state.own(target.variable, what) is not None]
    selection = Selection(having, chosen.left_out)
    remembered = assign(model, selection, [None] * len(selection), what)
    if remembered:
        _warn(
            f"{names(remembered)} has no {word} now, but a model that is saved and loaded, or "
            "cloned, may have it again, where it is made by code that no config shows."
        )
    return selection


def names(targets: Iterable[Target]) -> str:
    """Give the names of the targets' layers, each once."""
    return ", ".join(dict.fromkeys(repr(target.name) for target in targets))


def _warn(message: str) -> None:
    warn(message)
