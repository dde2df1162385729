"""What the user should know of an export: what is less than was asked for, and what else."""

from kerasopt.export.convert import CALIBRATED
from kerasopt.export.latency import Latency
from kerasopt.export.preparing import Prepared
from kerasopt.export.schema import Contents

_ENOUGH = 100
# Microseconds differ by chance.
_SLOWER, _SLOWER_MS = 1.2, 0.02


def remarks(prepared: Prepared) -> list[str]:
    """Say what the user should know but need not be warned of."""
    found = ["Exported as a float32 copy."] if prepared.plain is not prepared.model else []
    if prepared.data.source == "random":
        found.append(
            "Compared on random inputs in [0, 1), of an integer input 0 and 1: real samples as "
            "`check` say more."
        )
    return found


def losses(
    mode: str, prepared: Prepared, found: Contents, latency: Latency, floats: Latency | None
) -> list[str]:
    """Say what is less than what was asked for."""
    given = prepared.given
    said = []
    if mode in CALIBRATED and given is not None:
        said += [
            f"Input {name!r} was the same number in all calibration samples; with any other its "
            "range does not fit."
            for name in prepared.constant
        ]
        if len(given) < _ENOUGH:
            said.append(
                f"Calibrated on {len(given)} samples; {_ENOUGH} or more make the ranges reliable."
            )
    if mode in CALIBRATED and found.float_ops:
        names = ", ".join(f"{count} {name}" for name, count in sorted(found.float_ops.items()))
        said.append(f"Not all of the file is {mode}; these operations stay in float: {names}.")
    if mode == "dynamic" and not found.constants.get("INT8"):
        said.append(
            "No weights became int8: TensorFlow leaves those with fewer than 1024 entries in "
            "float, so this file is a float32 file."
        )
    if floats is not None and _is_slower(latency.median_ms, floats.median_ms):
        said.append(
            f"On this machine the {mode} file takes {latency.median_ms:.3g} ms and a float32 file "
            f"{floats.median_ms:.3g} ms: TensorFlow Lite has no fast kernels here for some of its "
            "operations."
        )
    return said


def _is_slower(ms: float, floats: float) -> bool:
    return ms > _SLOWER * floats and ms - floats > _SLOWER_MS
