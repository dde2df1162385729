"""What the user should know of an export: what is less than was asked for, and what else."""

from collections import Counter
from collections.abc import Iterator

from kerasopt._kernels import filled
from kerasopt.export.file.flatbuffer import EDGES, Contents
from kerasopt.export.options import CALIBRATED, MODES, Wish
from kerasopt.export.preparation import Prepared
from kerasopt.export.report.report import Report
from kerasopt.export.validation.usefulness import POSITIONS

_ENOUGH = 100


def remarks(wish: Wish, prepared: Prepared) -> list[str]:
    """Say what the user should know but need not be warned of.

    Args:
        wish: What was asked for.
        prepared: The model and its data.
    """
    found = ["Exported as a float32 copy."] if prepared.plain is not prepared.model else []
    if prepared.data.source == "random":
        found.append(
            "Compared on random inputs in [0, 1), of an integer input 0 and 1: real samples as "
            "`validation_data` say more."
        )
    elif _positions(prepared) < POSITIONS:
        found.append(
            f"Compared on {len(prepared.data)} sample{'s' * (len(prepared.data) > 1)}: {POSITIONS} "
            "or more tell whether the file is of use."
        )
    return [*found, *([] if wish.sparse else _filled(prepared)), *prepared.notes]


def _filled(prepared: Prepared) -> list[str]:
    said = filled(getattr(prepared.model, "weights", ()))
    return [said] if said else []


def _positions(prepared: Prepared) -> int:
    """Give on how many values each entry of an output is judged, of several outputs the fewest."""
    sizes = (
        one.size // (max(one.shape[-1], 1) if one.ndim > 1 else 1)
        for one in prepared.expected.values()
    )
    return min(sizes)


def losses(wish: Wish, prepared: Prepared, report: Report, found: Contents) -> list[str]:
    """Say what is less than what was asked for.

    Args:
        wish: What was asked for.
        prepared: The model and its data.
        report: What the file is.
        found: What stands in it.
    """
    return [
        *(_filled(prepared) if wish.sparse else ()),
        *_calibration(prepared, wish.mode),
        *_left_in_float(wish, report, found),
        *_size(report),
        *slowness(report),
    ]


def _calibration(prepared: Prepared, mode: str) -> Iterator[str]:
    given = prepared.given
    if mode not in CALIBRATED or given is None:
        return
    for name in prepared.constant:
        yield (
            f"Input {name!r} was the same number in all calibration samples; with any other its "
            "range does not fit."
        )
    if len(given) < _ENOUGH:
        yield f"Calibrated on {len(given)} samples; {_ENOUGH} or more make the ranges reliable."


def _left_in_float(wish: Wish, report: Report, found: Contents) -> Iterator[str]:
    mode = wish.mode
    unasked = _float_ops(report) if report.excluded else found.float_ops
    if mode in CALIBRATED and unasked:
        names = ", ".join(f"{count} {name}" for name, count in sorted(unasked.items()))
        yield f"Not all of the file is {mode}; these operations stay in float: {names}."
    for port in (*report.inputs, *report.outputs) if report.excluded else ():
        if wish.io != "float32" and port.dtype == "float32":
            yield f"{port.name!r} stays {port.dtype}: the layer beside it was kept in float."
    few = mode == "dynamic" or MODES[mode].quantizer
    if few and not any(found.constants.get(kind) for kind in ("INT8", "INT4")):
        why = ": TensorFlow leaves those with fewer than 1024 entries in float"
        yield (
            f"No weights were quantized{why if mode == 'dynamic' else ''}, so this file is a "
            "float32 file."
        )


def _size(report: Report) -> Iterator[str]:
    size, dense = report.cost.file_bytes, report.dense_bytes
    if dense is not None and size >= dense:
        yield (
            f"The sparse file is not smaller: {size:,} bytes, and {dense:,} with its zeros. The "
            "encoding pays from about two thirds of zeros."
        )


def slowness(report: Report) -> Iterator[str]:
    """Say that a file is slower than a float32 file, if the spread of the times allows it."""
    if report.float_latency is None or report.pace is None or not report.pace.slower:
        return
    turns = sum(report.ops.get(one, 0) for one in EDGES)
    why = "TensorFlow Lite has no fast kernels here for some of its operations"
    if report.excluded and turns:
        why += (
            f", and what goes into the layers that stay in float and out of them is turned by "
            f"{turns} operations; `exclude=None` or `mode='float16'` may be faster"
        )
    yield (
        f"On this machine the {report.mode} file takes {report.cost.latency.median_ms:.3g} ms and "
        f"a float32 file {report.float_latency.median_ms:.3g} ms: {why}."
    )


def _float_ops(report: Report) -> Counter[str]:
    """Count the operations in float that are of no layer that was to be kept in float."""
    return Counter(
        one.name
        for one in report.operations
        if one.dtype == "FLOAT32"
        and one.name not in EDGES
        and not set(one.layers) & set(report.excluded)
    )
