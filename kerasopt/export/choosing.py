"""The bytes of the file that was wished for, and which layers stay in float in it."""

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


def made(
    prepared: Prepared, saved: Saved, wish: Wish, judged: Judged | None
) -> tuple[bytes, tuple[str, ...]]:
    """Make a file.

    Args:
        prepared: The model.
        saved: Of which files are made.
        wish: What it shall be like.
        judged: Labelled samples, if there are any.

    Returns:
        Its bytes, and the paths of the layers that were kept in float.

    Raises:
        ValueError: If layers that shall be kept have no operation in the file.
        ExportError: If it cannot be made.
    """
    if wish.exclude is None:
        return saved.convert(wish.mode, wish.io, wish.sparse), ()
    parts = Partly(prepared.plain, prepared.traced, saved, wish.mode)
    if isinstance(wish.exclude, str) and wish.exclude == "auto":
        kept = _fewest(prepared, parts, wish, judged)
    else:
        kept = chosen(prepared, wish)
        if len(parts.missing(kept)) == len(kept):
            raise bad_value(
                "exclude",
                "layers that have an operation in the file",
                wish.exclude,
                f"The converter leaves no operation of {', '.join(map(repr, kept))}.",
            )
    return parts.without(kept, wish.io), kept


def chosen(prepared: Prepared, wish: Wish) -> tuple[str, ...]:
    """Give the paths of the layers that a user named.

    Raises:
        TypeError, ValueError: If they are no picks, or match nothing.
    """
    found = matching(prepared.model, "exclude", wish.exclude)
    return tuple(path for path, layer in walk(prepared.model) if id(layer) in found)


def _fewest(
    prepared: Prepared, parts: Partly, wish: Wish, judged: Judged | None
) -> tuple[str, ...]:
    def drop(file: bytes) -> float:
        if judged is not None:
            return judged.drop(file)
        outputs = file_outputs(file, prepared.signature, prepared.data)
        same = [compare(right, outputs[name]).argmax for name, right in prepared.expected.items()]
        shares = [one for one in same if one is not None]
        if not shares:
            raise bad_value(
                "exclude",
                "layers, where no output is one of classes",
                wish.exclude,
                "Accuracy is what 'auto' goes by; `sensitivity` ranks the layers of any model.",
            )
        return 1.0 - min(shares)

    order = [one.layer for one in ranked(prepared, parts, wish.mode) if one.layer != ITSELF]
    kept = fewest(order, lambda some: drop(parts.without(some)) <= wish.max_accuracy_drop)
    if kept is None:
        raise ExportError(
            f"Even with all layers in float the accuracy falls by more than "
            f"{wish.max_accuracy_drop:.2%}: raise `max_accuracy_drop`, give more samples as "
            "`check`, or use `mode='float16'`."
        )
    return kept
