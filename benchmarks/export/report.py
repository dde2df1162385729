"""Tables of `benchmarks.export`."""

from collections.abc import Sequence
from typing import Any

from benchmarks.common.tables import table
from benchmarks.export.cost import Memory, Times
from benchmarks.export.matrix import WORSE_DB, Cells, short, summary
from benchmarks.export.paths import LITERT, OURS, PATHS, PLAIN

GOAL = 1.1
TITLES = {
    OURS: "`kerasopt`",
    PLAIN: "`TFLiteConverter.from_keras_model`",
    LITERT: '`model.export(format="litert")`',
}


def matrix_part(cells: Cells) -> list[str]:
    """Give the counts, all that is wrong, and every cell."""
    heads = ["way", "asked", "files", "right", f"right, {WORSE_DB:.0f} dB and more below ours",
             "wrong", "refused", "process ended"]  # fmt: skip
    rows = [[TITLES[row[0]], *row[1:]] for row in summary(cells, PATHS)]
    kinds = list(dict.fromkeys(key[0] for key in cells))
    modes = list(dict.fromkeys(key[1] for key in cells))
    lines = table(heads, rows)
    lines += ["By mode, right / wrong / refused / process ended:", ""]
    by_mode = {mode: summary(cells, PATHS, mode) for mode in modes}
    lines += table(
        ["way", *modes],
        [
            [TITLES[path], *(_counts(by_mode[mode][number]) for mode in modes)]
            for number, path in enumerate(PATHS)
        ],
    )
    lines += ["What is wrong or ends the process:", ""]
    lines += _wrong(cells, modes) or ["- nothing"]
    lines += ["", "Each kind, dB of the lowest output, or what came instead:", ""]
    each = [
        [kind, mode, *(short(cells[kind, mode, path]) for path in PATHS)]
        for kind in kinds
        for mode in modes
    ]
    return lines + table(["kind", "mode", *(TITLES[path] for path in PATHS)], each, 2)


def _counts(row: Sequence[str]) -> str:
    return f"{row[3]} / {row[5]} / {row[6]} / {row[7]}"


def _wrong(cells: Cells, modes: Sequence[str]) -> list[str]:
    by_reason: dict[tuple[str, str, str], list[str]] = {}
    for (kind, mode, path), cell in cells.items():
        if cell.outcome in ("wrong", "crashed"):
            why = cell.why if cell.outcome == "wrong" else f"ends the process ({cell.why})"
            by_reason.setdefault((path, kind, why[:110]), []).append(mode)
    return [
        f"- {TITLES[path]}: {kind}, {', '.join(found) if len(found) < len(modes) else 'all modes'}:"
        f" {why}"
        for (path, kind, why), found in by_reason.items()
    ]


def time_part(found: Sequence[Times]) -> list[str]:
    """Give medians and ratios, and whether the goal is met."""
    rows = []
    for one in found:
        ratio = one.ratio(OURS, PLAIN)
        rows.append(
            [
                one.name,
                one.mode,
                *(f"{one.median(path):.2f}" for path in PATHS),
                f"{ratio:.2f}",
                f"{one.ratio(OURS, LITERT):.2f}",
                str(len(one.seconds[OURS])),
                "met" if ratio <= GOAL else "MISSED",
            ]
        )
    heads = ["model", "mode", *(f"{TITLES[path]}, s" for path in PATHS),
             "ours / `from_keras_model`", "ours / `model.export`", "rounds",
             f"goal {GOAL}"]  # fmt: skip
    return table(heads, rows, 2)


def memory_part(found: Sequence[Memory]) -> list[str]:
    """Give peaks, in MB."""
    rows = []
    for one in found:
        base = next(
            other for other in found if other[:2] == one[:2] and other.path.startswith("model and")
        )
        mb = [one.once, one.once - base.once, one.resident]
        name = f"{TITLES.get(one.path, one.path)}"
        rows.append([one.name, one.mode, name, *(f"{value / 1e6:,.0f}" for value in mb)])
    heads = ["model", "mode", "way", "peak, MB", "beyond the model alone, MB", "RSS added up, MB"]
    return table(heads, rows, 3)


def networks_part(found: dict[str, Any]) -> list[str]:
    """Give a row a network and mode, and what was refused."""
    rows, refused = [], []
    for name, one in found.items():
        floats = one["files"].get("float32", {}).get("ms")
        for mode, file in one["files"].items():
            beside = file["float_ms"] or floats
            stay = ", ".join(f"{count} {op}" for op, count in file["float_ops"].items())
            rows.append(
                [
                    name,
                    mode,
                    f"{file['db']:.0f}",
                    f"{file['argmax']:.0%}",
                    f"{file['bytes'] / 1e6:.2f}",
                    f"{file['ms']:.2f}",
                    f"{beside / file['ms']:.2f}",
                    f"{file['seconds']:.1f}",
                    stay or "none",
                ]
            )
        refused += [f"- {name}, {mode}: {why}" for mode, why in one["refused"].items()]
    heads = ["network", "mode", "dB", "arg-max the same", "MB", "latency, ms",
             "times as fast as float32", "export, s", "stays float"]  # fmt: skip
    lines = table(heads, rows, 2)
    return [*lines, "Refused:", "", *(refused or ["- nothing"]), ""]
