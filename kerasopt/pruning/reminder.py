"""What says, once, that a training is about to fill the zeros of a pruned model.

A plain `fit` has no callback that could tell, and a loop of the user's own has no `fit`. But every
optimizer of Keras asks a variable for its constraint, and does so while the step is traced.
"""

import weakref
from collections.abc import Iterable
from typing import Any

import keras

from kerasopt import _keras, _temporary
from kerasopt._checks import warn


class Reminder(_temporary.Temporary, keras.constraints.Constraint):
    """Change nothing about a variable, and say at its first update that its zeros are not held.

    Args:
        note: What it belongs to.
        inner: The constraint that is there, which goes on working.
    """

    def __init__(self, note: "Note", inner: Any):
        self.note = note
        self.inner = inner

    def __call__(self, w: Any) -> Any:
        """Give `w`, or what the variable's own constraint makes of it."""
        self.note.say()
        return w if self.inner is None else self.inner(w)

    def get_config(self) -> dict[str, Any]:
        """Give nothing: it is of this process and never part of a saved model."""
        return {}


class Note:
    """One pruning of a model: the kernels that have zeros of it, until one of them is trained.

    Args:
        who: What pruned, as `"Pruning"`.
        variables: The kernels.
        share: The share of zeros that they have.
        what: What they are zeros of, behind the share.
    """

    def __init__(self, who: str, variables: Iterable[Any], share: float, what: str):
        self._who, self.share, self._what = who, share, what
        self._variables = [weakref.ref(one) for one in variables]

    def say(self) -> None:
        """Say it, and take all of its reminders off."""
        for one in self._variables:
            variable = one()
            if variable is not None:
                _temporary.take_off(variable, "constraint", lambda thing: self._is_mine(thing))
        warn(
            f"{self._who} left {self.share:.1%} {self._what} of this model, and nothing holds them "
            "in this training: they will be filled. Train with `callbacks=[kerasopt.callbacks."
            'Pruning("keep")]` to keep them.'
        )

    def _is_mine(self, thing: Any) -> bool:
        return isinstance(thing, Reminder) and thing.note is self


def remind(
    model: Any,
    who: str,
    variables: Iterable[Any],
    share: float,
    what: str = "zeros in kernels",
) -> None:
    """Let the next training of these kernels say that it fills their zeros.

    Args:
        model: The model, which is traced again.
        who: What pruned them.
        variables: The kernels.
        share: The share of zeros that they have; of 0 nothing is said.
        what: What they are zeros of. Defaults to `"zeros in kernels"`.
    """
    found = list(variables)
    forget(found)
    # A mask that is there belongs to a `fit` that is running.
    found = [one for one in found if not isinstance(one.constraint, _temporary.Temporary)]
    if share <= 0.0 or not found:
        return
    note = Note(who, found, share, what)
    for one in found:
        one.constraint = Reminder(note, one.constraint)
    _keras.retrace(model)


def forget(variables: Iterable[Any]) -> float:
    """Take reminders off variables, and give the most zeros that one of them knew of."""
    share = 0.0
    for one in variables:
        thing = getattr(one, "constraint", None)
        while isinstance(thing, _temporary.Temporary):
            share = max(share, thing.note.share if isinstance(thing, Reminder) else 0.0)
            thing = thing.inner
        _temporary.take_off(one, "constraint", lambda thing: isinstance(thing, Reminder))
    return share
