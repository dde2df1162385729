"""The bytes of the file that was wished for, and which layers stay in float in it."""

from collections.abc import Sequence
from dataclasses import dataclass

from kerasopt._core.checks import bad_value
from kerasopt.export.accuracy_control.mixed_precision import ITSELF, Partly
from kerasopt.export.accuracy_control.sensitivity import ranked
from kerasopt.export.accuracy_control.subset_search import Kept, fewest
from kerasopt.export.convert.converter import Saved
from kerasopt.export.errors import ExportError
from kerasopt.export.file.flatbuffer import TFLiteFile, structure
from kerasopt.export.options import Wish
from kerasopt.export.preparation import Prepared
from kerasopt.export.runtime.interpreter import RUNS, SECONDS, time_files
from kerasopt.export.validation.accuracy import Judged
from kerasopt.export.validation.agreement import compare, shortfall
from kerasopt.export.validation.calibration_ranges import limits
from kerasopt.export.validation.fidelity import CLASSES
from kerasopt.export.validation.usefulness import SOUND, verdict
from kerasopt.export.validation.validator import file_outputs
from kerasopt.selection import matching, walk

# Files that are this much larger than the smallest may be preferred because they are faster.
_MARGIN = 0.05
# Only so many are timed.
_FINALISTS = 4
# A weight takes three bytes more in float.
_MORE = 3


@dataclass(frozen=True, eq=False)
class Made(TFLiteFile):
    """A file that was made.

    Attributes:
        kept: Paths of the layers that were kept in float.
        notes: What the user should know of it.
    """

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
    notes: list[str] = []
    if wish.automatic:
        kept, notes = _fewest(prepared, parts, wish, judged)
    else:
        kept = chosen(prepared, wish)
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


def check_exclude(prepared: Prepared, wish: Wish) -> None:
    """Say what is wrong with `exclude` before the model is converted.

    Raises:
        TypeError, ValueError: If it names no layers.
    """
    if wish.exclude is None:
        return
    if not wish.automatic:
        chosen(prepared, wish)


def _fewest(
    prepared: Prepared, parts: Partly, wish: Wish, judged: Judged | None
) -> tuple[Kept, list[str]]:
    layers = tuple(one for one in parts.layers if one != ITSELF)
    passed: dict[frozenset[str], tuple[int, Kept]] = {}

    def enough(some: Kept) -> bool:
        file = parts.without(some)
        if not _is_enough(file, prepared, judged, wish):
            return False
        if len(some) < len(layers):
            passed[frozenset(some)] = len(file), some
        return True

    kept = fewest(
        layers,
        lambda: [one.layer for one in ranked(prepared, parts, wish.mode) if one.layer in layers],
        enough,
        # Of equal ones, fewer layers.
        lambda some: sum(_MORE * parts.weights(one) + 1 for one in some),
    )
    if kept is None or (kept and len(kept) == len(layers)):
        raise ExportError(
            f"No layer can be quantized to {wish.mode} without a loss of accuracy of more than "
            f"{wish.max_accuracy_drop:.2%} (of an output without classes: without a warning of "
            "what it keeps): raise `max_accuracy_drop`, give more samples as `validation_data`, or "
            "use `mode='float16'`."
        )
    if not kept:
        return (), []
    room = _MARGIN * passed[frozenset(kept)][0]
    for one in _beside(layers, kept):
        if _MORE * parts.weights(one) <= room and frozenset((*kept, one)) not in passed:
            enough((*kept, one))
    return _quickest(prepared, parts, wish, sorted(passed.values()))


def _beside(layers: Kept, kept: Kept) -> list[str]:
    """Give layers right before and behind those in float: with them, fewer numbers are turned."""
    places = {layers.index(one) + step for one in kept for step in (-1, 1)}
    return [layers[one] for one in sorted(places) if 0 <= one < len(layers)][:_FINALISTS]


def _quickest(
    prepared: Prepared, parts: Partly, wish: Wish, passed: Sequence[tuple[int, Kept]]
) -> tuple[Kept, list[str]]:
    """Choose among the files that are hardly larger than the smallest: one that is clearly faster.

    Args:
        prepared: The model.
        parts: Of which the files are made.
        wish: What the file shall be like.
        passed: Sizes and layers of files that are accurate enough, the smallest first.

    Returns:
        The layers, and what the user should know.
    """
    most = (1 + _MARGIN) * passed[0][0]
    files: dict[bytes, Kept] = {}
    for _, some in [one for one in passed if one[0] <= most][:_FINALISTS]:
        files.setdefault(parts.without(some, wish.io), some)
    names = list(files.values())
    if len(names) == 1:
        return names[0], []
    timed = time_files(list(files), prepared.sample, 1, SECONDS, RUNS)
    at = timed.quickest()
    if not at:
        return names[0], []
    first, best = (len(list(files)[one]) for one in (0, at))
    return names[at], [
        f"As accurate with fewer bytes ({first:,}, here {best:,}) is the file in which "
        f"{', '.join(map(repr, names[0]))} stay{'s' * (len(names[0]) == 1)} in float; this one is "
        f"{timed.pace(at, 0)}."
    ]


def _is_enough(file: bytes, prepared: Prepared, judged: Judged | None, wish: Wish) -> bool:
    """Tell whether a file is accurate enough; one that does not run is not.

    Of outputs with labels the accuracy or R2 decides, of other classes the arg-max, of all else
    what its entries keep of their variance.
    """
    try:
        if judged is not None and not judged.is_enough(file, wish.max_accuracy_drop):
            return False
        outputs = file_outputs(file, prepared.signature, prepared.data)
    except (RuntimeError, ValueError):
        return False
    holds = limits(structure(file)[0])
    labelled = judged.accurate if judged is not None else ()
    for name, right in prepared.expected.items():
        if name in labelled:
            continue
        found = compare(right, outputs[name], holds.get(name))
        if found.fidelity is not None and found.fidelity.kind in CLASSES:
            if found.argmax is None or 1.0 - found.argmax > wish.max_accuracy_drop:
                return False
            continue
        judged_as = verdict(name, found, wish.least_variance)
        if judged_as.level != SOUND or shortfall(wish.mode, found, wish.least_db):
            return False
    return True
