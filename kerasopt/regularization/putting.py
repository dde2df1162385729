"""What penalties and constraints have in common: decide for each variable, set, and tell."""

from collections.abc import Callable, Iterable
from typing import Any

from kerasopt import _temporary
from kerasopt._checks import warn
from kerasopt.regularization.assignment import assign
from kerasopt.regularization.living import check_whole
from kerasopt.regularization.train_step import ignores_losses
from kerasopt.selection import Selection, Target, advice, reasons, select

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
    having = [target for target in chosen if _temporary.own(target.variable, what) is not None]
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
