"""The bytes of the file that was wished for, and which layers stay in float in it."""

from dataclasses import dataclass

import numpy as np

from kerasopt._checks import bad_value
from kerasopt.export.agreement import compare
from kerasopt.export.convert import Saved
from kerasopt.export.errors import ExportError
from kerasopt.export.fewest import fewest
from kerasopt.export.judging import Judged
from kerasopt.export.partly import ITSELF, Partly
from kerasopt.export.preparing import Prepared
from kerasopt.export.ranking import ranked
from kerasopt.export.verify import file_outputs
from kerasopt.export.wish import Wish
from kerasopt.selection import matching, walk


@dataclass(frozen=True)
class Made:
    """A file that was made.

    Attributes:
        content: Its bytes.
        kept: Paths of the layers that were kept in float.
        notes: What the user should know of it.
    """

    content: bytes
    kept: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def made(prepared: Prepared, saved: Saved, wish: Wish, judged: Judged | None) -> Made:
    """Make a file.

    Args:
        prepared: The model.
        saved: Of which files are made.
        wish: What it shall be like.
        judged: Labelled samples, if there are any.

    Raises:
        ValueError: If layers that shall be kept have no operation in the file.
        ExportError: If it cannot be made.
    """
    if wish.exclude is None:
        return Made(saved.convert(wish.mode, wish.io, wish.sparse))
    parts = Partly(prepared, saved, wish.mode)
    kept = _fewest(prepared, parts, wish, judged) if wish.automatic else chosen(prepared, wish)
    missing = parts.missing(kept)
    if kept and len(missing) == len(kept):
        raise bad_value(
            "exclude",
            "layers that have an operation in the file",
            wish.exclude,
            f"There is no operation of {', '.join(map(repr, kept))} in it. (Nor can layers be told "
            "apart inside a `tf.function`.)",
        )
    also = parts.inseparable(kept)
    notes = []
    if missing:
        notes.append(f"No operation of {', '.join(map(repr, missing))} is in the file.")
    if also:
        notes.append(
            f"{', '.join(map(repr, also))} stayed in float too: TensorFlow keeps all transposed "
            "convolutions, or none."
        )
    if parts.transposed(kept):
        notes.append("The weights of transposed convolutions are int8 all the same.")
    present = tuple(path for path in (*kept, *also) if path not in missing)
    return Made(parts.without(kept, wish.io), present, tuple(notes))


def chosen(prepared: Prepared, wish: Wish) -> tuple[str, ...]:
    """Give the paths of the layers that a user named.

    Raises:
        TypeError, ValueError: If they are no picks, or match nothing.
    """
    found = matching(prepared.model, "exclude", wish.exclude)
    return tuple(path for path, layer in walk(prepared.model) if id(layer) in found)


def check_exclude(prepared: Prepared, wish: Wish, judged: Judged | None) -> None:
    """Say what is wrong with `exclude` before the model is converted.

    Raises:
        TypeError, ValueError: If it names no layers, or there is no accuracy that `"auto"` could go
            by.
    """
    if wish.exclude is None:
        return
    if not wish.automatic:
        chosen(prepared, wish)
    elif judged is not None:
        judged.check_classes()
    elif not any(
        one.dtype.kind == "f" and one.ndim > 1 and one.shape[-1] > 1
        for one in prepared.expected.values()
    ):
        raise bad_value(
            "exclude",
            "layers, where no output is one of classes",
            wish.exclude,
            "Accuracy is what 'auto' goes by; `sensitivity` ranks the layers of any model.",
        )


def _fewest(
    prepared: Prepared, parts: Partly, wish: Wish, judged: Judged | None
) -> tuple[str, ...]:
    layers = tuple(one for one in parts.layers if one != ITSELF)
    kept = fewest(
        layers,
        lambda: [one.layer for one in ranked(prepared, parts, wish.mode) if one.layer in layers],
        lambda some: _drop(parts.without(some), prepared, judged) <= wish.max_accuracy_drop,
        # A weight takes three bytes more in float; of equal ones, fewer layers.
        lambda some: sum(3 * parts.weights(one) + 1 for one in some),
    )
    if kept is None or (kept and len(kept) == len(layers)):
        raise ExportError(
            f"No layer can be quantized to {wish.mode} without a loss of accuracy of more than "
            f"{wish.max_accuracy_drop:.2%}: raise `max_accuracy_drop`, give more samples as "
            "`check`, or use `mode='float16'`."
        )
    return kept


def _drop(file: bytes, prepared: Prepared, judged: Judged | None) -> float:
    """Give the accuracy that a file loses; of one that does not run, all."""
    try:
        if judged is not None:
            return judged.drop(file)
        outputs = file_outputs(file, prepared.signature, prepared.data)
    except (RuntimeError, ValueError):
        return float(np.inf)
    same = [compare(right, outputs[name]).argmax for name, right in prepared.expected.items()]
    return 1.0 - min(one for one in same if one is not None)
