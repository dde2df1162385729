"""What says, once, that a training is about to fill the zeros of a pruned model.

A plain `fit` has no callback that could tell, and a loop of the user's own has no `fit`. But every
optimizer of Keras asks a variable for its constraint, and does so while the step is traced.
"""

import weakref
from collections.abc import Iterable, Sequence
from typing import Any

import keras

from kerasopt import _keras, _kernels
from kerasopt._core import fit_state
from kerasopt._core.checks import warn

Kernel = tuple[str, Any, int]


class Reminder(fit_state.Temporary, keras.constraints.Constraint):
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
        variables: The kernels: the name of each, the variable, and how many zeros it has.
        share: The share of zeros that they have.
        what: What they are zeros of, behind the share.
    """

    def __init__(self, who: str, variables: Sequence[Kernel], share: float, what: str):
        self.who, self.share, self._what = who, share, what
        self._variables = [(name, weakref.ref(one), zeros) for name, one, zeros in variables]

    def say(self) -> None:
        """Say it, and take all of its reminders off; nothing, if the zeros are gone already."""
        left = []
        for name, reference, zeros in self._variables:
            variable = reference()
            if variable is not None and fit_state.take_off(
                variable, "constraint", lambda thing: self._is_mine(thing)
            ):
                left.append((name, variable, zeros))
        if not left or _are_gone(left):
            return
        some = ", ".join(name for name, _, _ in left) if len(left) < len(self._variables) else ""
        warn(
            f"{self.who} left {self.share:.1%} {self._what} of this model, and nothing holds "
            f"{f'those of {some}' if some else 'them'} in this training: they will be filled. "
            'Train with `callbacks=[kerasopt.callbacks.Pruning("keep")]` to keep them.'
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
        variables: The kernels; those without a zero have nothing to lose.
        share: The share of zeros that they have; of 0 nothing is said.
        what: What they are zeros of. Defaults to `"zeros in kernels"`.
    """
    given = list(variables)
    forget(given)
    # A mask that is there belongs to a `fit` that is running.
    free = [one for one in given if not isinstance(one.constraint, fit_state.Temporary)]
    name = f"{model.name}/"
    counted = [(one.path.removeprefix(name), one, _kernels.count_zeros(one)) for one in free]
    found = [(path, one, zeros) for path, one, zeros in counted if zeros]
    if share <= 0.0 or not found:
        return
    note = Note(who, found, share, what)
    for _, one, zeros in found:
        _kernels.note(who, one, zeros)
        one.constraint = Reminder(note, one.constraint)
    _keras.retrace(model)


def forget(variables: Iterable[Any], who: str | None = None) -> float:
    """Take reminders off variables, and give the most zeros that one of them knew of.

    Args:
        variables: The variables, masked ones too.
        who: Of what pruned them. Defaults to `None`: of anything.
    """
    share = 0.0

    def unwanted(thing: Any) -> bool:
        return isinstance(thing, Reminder) and who in (None, thing.note.who)

    for one in variables:
        thing = getattr(one, "constraint", None)
        while isinstance(thing, fit_state.Temporary):
            if isinstance(thing, Reminder) and unwanted(thing):
                share = max(share, thing.note.share)
            thing = thing.inner
        fit_state.take_off(one, "constraint", unwanted)
    return share


def _are_gone(variables: Sequence[Kernel]) -> bool:
    """Tell whether kernels have lost most of their zeros before this training began.

    By `set_weights`, say. While a step is traced they can be read; where it runs as it is written,
    they have had their first update already, and nothing is known.
    """
    import tensorflow as tf

    if not tf.inside_function():
        return False
    with tf.init_scope():
        now = sum(_kernels.count_zeros(one) for _, one, _ in variables)
    return 2 * now < sum(zeros for _, _, zeros in variables)
