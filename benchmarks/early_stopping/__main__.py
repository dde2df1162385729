"""Which rule to stop by: every rule replayed over recorded runs, and what the callback costs.

    python -m benchmarks.early_stopping [--seeds 5] [--tasks MLP] [--data ../shared]
        [--cache ~/.cache/kerasopt-benchmarks] [--overhead-rounds 24] [--quick]
        [--output benchmarks/results]

Each task is trained once a seed, to the end, and its learning curves are kept as JSON: a second run
only replays. Keras's own callback and every rule then see the same curves, epoch by epoch. Writes
`early_stopping.md` and `early_stopping.png`.
"""

import argparse
import sys
import time
from pathlib import Path

from benchmarks.common.datasets import tasks
from benchmarks.common.environment import Options, command, measured_on
from benchmarks.early_stopping.overhead import longer, overhead
from benchmarks.early_stopping.plot import plot
from benchmarks.early_stopping.record import PROBE, recorded
from benchmarks.early_stopping.replay import VARIANTS
from benchmarks.early_stopping.report import conclusions, figures, overall_table, task_table

OVERHEAD_SAMPLES = 20_000


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = Options(__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--tasks", nargs="*", default=[""], help="parts of their names")
    parser.add_argument("--cache", type=Path, default=Path("~/.cache/kerasopt-benchmarks"))
    parser.add_argument("--overhead-rounds", type=int, default=24, help="0 leaves it out")
    return parser.parse_args()


def head(seconds: dict[str, float], seeds: int) -> list[str]:
    """Give the first lines: when, where, how long, and how to read it."""
    minutes = ", ".join(f"{name} {value / 60:.1f} min" for name, value in seconds.items())
    return [
        "# Early stopping: which rule to take",
        "",
        f"{measured_on()}; {command()}. {minutes}.",
        "",
        f"Each task was trained to the end with {seeds} seeds, which draw the parts of the data, "
        "the initial weights and the order of the samples; every rule was then asked at the end of "
        'each recorded epoch. Rules watch `val_loss` unless they say otherwise; "the metric" is '
        "what the test is judged by, here on the validation part (1 - accuracy, or RMSE).",
        "",
        "- *Epochs*: epochs used, in percent of the full run.",
        "- *Excess*: test error at the weights that the rule leaves in the model, over the least "
        "test error of any epoch of the full run, in percent of that.",
        "- *Weights*: those of the best epoch up to the stop. Rules without a validation set, and "
        "Keras's default, leave those of the last epoch. *Without restoring* is the excess there.",
        "- *Never stopped*: runs that went to their end.",
        "",
        "± is the standard error over the seeds, in the tables of a task beside epochs and test "
        "errors the standard deviation. Choosing the best of many rules by the same runs flatters "
        "it a little. Rules without a validation set could train on the validation part as well, "
        f"which these runs do not show; their gradients are those of {PROBE} training samples, and "
        "they were meant for SGD where these tasks use Adam.",
        "",
    ]


def main() -> None:
    """Record what is missing, replay, measure, write."""
    given = arguments()
    chosen = [
        task
        for task in tasks(given.data, given.quick)
        if any(part.lower() in task.name.lower() for part in given.tasks)
    ]
    runs = [recorded(task, given.seeds, given.data, given.cache.expanduser()) for task in chosen]
    seconds = {"Recording": sum(one["seconds"][0] for seeds in runs for one in seeds)}
    begun = time.perf_counter()
    found = figures(VARIANTS, runs)
    seconds["replay"] = time.perf_counter() - begun
    given.output.mkdir(parents=True, exist_ok=True)
    plot(chosen, VARIANTS, found, given.output / "early_stopping.png")
    begun, cost = time.perf_counter(), []
    if given.overhead_rounds:
        parts = chosen[0].parts(given.data, 0)
        samples = len(parts.train.x) if given.quick else OVERHEAD_SAMPLES
        cost = overhead(chosen[0], longer(parts, samples), given.overhead_rounds)
        seconds["overhead"] = time.perf_counter() - begun
    lines = [
        *head(seconds, given.seeds),
        "## What the figures say",
        "",
        *conclusions(chosen, VARIANTS, found),
        "",
        "![Epochs used against excess error](early_stopping.png)",
        "",
        "## All tasks",
        "",
        "Means over the tasks, sorted by excess; the numbers are those of the plot.",
        "",
        *overall_table(VARIANTS, found),
        "",
        *cost,
        "## Each task",
        "",
    ]
    for at, task in enumerate(chosen):
        lines += task_table(task, at, VARIANTS, found, given.seeds)
    text = "\n".join(lines).rstrip() + "\n"
    print(text)
    (given.output / "early_stopping.md").write_text(text)
    print(f"written to {given.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
