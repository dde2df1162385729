"""The tables of `benchmarks.structured`: what each small model is, and what it is worth."""

from collections.abc import Sequence

from benchmarks.common.tables import table
from benchmarks.structured.models import CRITERIA
from benchmarks.structured.numbers import Numbers, shown, whole
from benchmarks.structured.runs import (
    DENSE,
    DISTILLED,
    ITERATIVE,
    LAYER,
    RATIO,
    RECONSTRUCTED,
    SCRATCH,
    UNSTRUCTURED,
    name_of,
)  # fmt: skip
from benchmarks.structured.settings import DEFAULT, DRIVEN, RATIOS, TARGETS

TITLES = {
    DENSE: "dense",
    DEFAULT: f"`{DEFAULT}`",
    DRIVEN: f"`{DRIVEN}`",
    LAYER: f'`{DEFAULT}`, `scope="layer"`',
    DISTILLED: f"`{DEFAULT}`, `OutputDistiller`",
    ITERATIVE: f"`{DEFAULT}`, `reconstruct`, `iterative_shrink`",
    **{how: f"`{how.split()[0]}`, `reconstruct`" for how in RECONSTRUCTED},
    SCRATCH: f"widths of `{DEFAULT}`, from scratch",
    UNSTRUCTURED: "`Pruning`, unstructured",
}
HEADS = ("MACs", "accuracy, %", "less dense", "int8, %", "parameters", "peak, bytes",
         "float32, bytes", "zipped", "int8, bytes", "float32, ms", "times as fast", "int8, ms",
         "times as fast")  # fmt: skip


def sizes(numbers: Numbers, run: str) -> list[str]:
    """Give the row of a run, without its title."""
    macs = numbers.get(run, "macs") / numbers.get(DENSE, "macs")
    return [
        f"{macs.mean():.1%}",
        shown(numbers.accuracy(run)),
        "" if run == DENSE else shown(numbers.less(run), "+.2f"),
        shown(numbers.accuracy(run, "int8")),
        whole(numbers.get(run, "nonzero")),
        whole(numbers.get(run, "peak_bytes")),
        whole(numbers.bytes(run)),
        whole(numbers.bytes(run, what="zipped")),
        whole(numbers.bytes(run, "int8")),
        shown(numbers.ms(run), ".3f"),
        shown(numbers.faster(run)),
        shown(numbers.ms(run, "int8"), ".3f"),
        shown(numbers.faster(run, "int8")),
    ]


def _rows(numbers: Numbers, runs: Sequence[tuple[str, str]]) -> list[list[str]]:
    return [[title, *sizes(numbers, run)] for title, run in runs if numbers.has(run)]


def targets(numbers: Numbers) -> list[str]:
    """Give the table of what stays of the MACs."""
    runs = [
        (f"{at:g}: {TITLES[how]}", name_of((how, at)))
        for at in TARGETS
        for how in (DEFAULT, DRIVEN, *RECONSTRUCTED, ITERATIVE, DISTILLED, SCRATCH, UNSTRUCTURED)
    ]
    heads = ["`budget` of the MACs", *HEADS]
    return table(heads, _rows(numbers, [("dense", DENSE), *runs]))


def ratios(numbers: Numbers) -> list[str]:
    """Give the table of what goes of the channels."""
    runs = [("dense", DENSE), *((f"{at:g}", name_of((RATIO, at))) for at in RATIOS)]
    return table([f"`pruning_ratio` of the channels, `{DEFAULT}`", *HEADS], _rows(numbers, runs))


def criteria(numbers: Numbers) -> list[str]:
    """Give the table of the criteria at half the MACs."""
    base = name_of((DEFAULT, 0.5))
    rows = []
    for how in (*CRITERIA, LAYER, *RECONSTRUCTED):
        run = name_of((how, 0.5))
        if not numbers.has(run):
            continue
        rows.append(
            [
                TITLES.get(how, f"`{how}`"),
                shown(numbers.get(run, "before")),
                shown(numbers.accuracy(run)),
                shown(numbers.less(run), "+.2f"),
                "" if how == DEFAULT else shown(numbers.less(run, base), "+.2f"),
                shown(numbers.accuracy(run, "int8")),
                whole(numbers.get(run, "parameters")),
                whole(numbers.get(run, "peak_bytes")),
                shown(numbers.faster(run)),
                shown(numbers.faster(run, "int8")),
                numbers.widths(run),
            ]
        )
    heads = ["criterion, 0.5 of the MACs", "before fine-tuning, %", "accuracy, %", "less dense",
             f"less `{DEFAULT}`", "int8, %", "parameters", "peak, bytes", "float32, times as fast",
             "int8, times as fast", "channels, first seed"]  # fmt: skip
    return table(heads, rows)
