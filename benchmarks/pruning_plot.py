"""The plot of `pruning.py`: accuracy over the sparsity, and the difference to tfmot."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from pruning_report import Row, error, percent

# Of Okabe and Ito, which the colour-blind tell apart; markers and lines differ as well.
STYLES = {
    "tfmot": ("#555555", "s", ":"),
    "same": ("#0072B2", "o", "--"),
    "best": ("#D55E00", "^", "-"),
}


def plot(rows: Sequence[Row], dense: float, scope: str, path: Path) -> None:
    """Draw both panels."""
    names = {
        "tfmot": "tfmot",
        "same": "kerasopt, the same settings",
        "best": f'kerasopt, scope="{scope}"',
    }
    figure = Figure(figsize=(10, 4.2), dpi=110)
    left, right = figure.subplots(1, 2)
    places = np.arange(len(rows))
    for number, (key, (colour, marker, line)) in enumerate(STYLES.items()):
        drawn = {
            "color": colour, "marker": marker, "ls": line, "ms": 5, "lw": 1.5, "capsize": 3,
            "label": names[key],
        }  # fmt: skip
        at = places + 0.09 * (number - 1)
        values = [percent(getattr(row, key)) for row in rows]
        left.errorbar(at, [one.mean() for one in values], [*map(error, values)], **drawn)
        if key != "tfmot":
            more = [percent(getattr(row, key)) - percent(row.tfmot) for row in rows]
            right.errorbar(at, [one.mean() for one in more], [*map(error, more)], **drawn)
    left.axhline(dense, color="black", lw=0.8, ls="-.", label="without pruning, Keras 3")
    right.axhline(0.0, color=STYLES["tfmot"][0], lw=1.2, ls=":", label="tfmot")
    left.set_ylabel("test accuracy, %")
    right.set_ylabel("test accuracy less tfmot's, points")
    for axis in (left, right):
        axis.set_xticks(places, [f"{100 * row.sparsity:g} %" for row in rows])
        axis.set_xlabel("sparsity")
        axis.grid(alpha=0.25)
        axis.legend(fontsize=9, frameon=False)
    seeds = len(rows[0].tfmot)
    figure.suptitle(
        f"The same CNN, start and batches; mean ± standard error of {seeds} seeds", fontsize=10
    )
    figure.tight_layout()
    figure.savefig(path)
