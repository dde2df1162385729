"""The plot of `benchmarks.structured`: accuracy over the latency."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from benchmarks.structured.numbers import Array, Numbers, error
from benchmarks.structured.runs import DENSE, RECONSTRUCTED, SCRATCH, UNSTRUCTURED, name_of
from benchmarks.structured.settings import DEFAULT, TARGETS

# Of Okabe and Ito, which the colour-blind tell apart; markers and lines differ as well.
STYLES = {
    DEFAULT: ("#0072B2", "o", "-", f"{DEFAULT}, fine-tuned"),
    RECONSTRUCTED[0]: ("#009E73", "^", "-.", f"{DEFAULT}, reconstructed, fine-tuned"),
    SCRATCH: ("#D55E00", "s", "--", "the same widths, from scratch"),
    UNSTRUCTURED: ("#777777", "x", ":", "unstructured, as many weights"),
}


def plot(record: dict[str, Any], path: Path) -> None:
    """Draw a panel a model: lines from dense to what has the fewest MACs."""
    kinds = list(record["runs"])
    figure = Figure(figsize=(6.4 * len(kinds), 4.8), dpi=110)
    for axis, kind in zip(np.atleast_1d(figure.subplots(1, len(kinds))), kinds, strict=True):
        numbers = Numbers(record, kind)
        for how, (colour, marker, line, label) in STYLES.items():
            runs = [name_of((how, at)) for at in TARGETS]
            runs = [DENSE, *(run for run in runs if numbers.has(run))]
            for mode, face in (("float32", colour), ("int8", "white")):
                x = [numbers.ms(run, mode) for run in runs]
                y = [numbers.accuracy(run, mode) for run in runs]
                axis.errorbar(
                    *(_means(one) for one in (x, y)), [*map(error, y)], [*map(error, x)],
                    color=colour, marker=marker, ls=line, mfc=face, ms=6, lw=1.2, capsize=2,
                    label=label if mode == "float32" else None,
                )  # fmt: skip
        for mode, face in (("float32", "black"), ("int8", "white")):
            x, y = _means([numbers.ms(DENSE, mode)]), _means([numbers.accuracy(DENSE, mode)])
            axis.plot(x, y, color="black", marker="D", mfc=face, ms=8, ls="", zorder=5,
                      label="dense" if mode == "float32" else None)  # fmt: skip
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_xlabel("latency of the file, ms, one thread")
        axis.set_ylabel("test accuracy, %")
        axis.set_title(f"{kind}: filled float32, hollow int8", fontsize=10)
        axis.grid(alpha=0.25, which="both")
        axis.legend(fontsize=8, frameon=False)
    figure.suptitle(
        f"{record['data']}; {', '.join(f'{at:g}' for at in TARGETS)} of the MACs; mean ± standard "
        f"error over {len(numbers.seeds)} seeds",
        fontsize=10,
    )
    figure.tight_layout()
    figure.savefig(path)


def _means(values: list[Array]) -> list[float]:
    return [float(one.mean()) for one in values]
