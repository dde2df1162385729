"""What to put into a model that overfits a small data set, and what it costs.

    python -m benchmarks.regularization [--seeds 5] [--tasks CNN MLP] [--data ../shared]
        [--cache ~/.cache/kerasopt-benchmarks] [--rounds 24] [--steps 40] [--quick]
        [--output benchmarks/results]

Every variant goes into the same model by kerasopt's own functions. Its strength is chosen once, on
seeds of its own, by the validation accuracy; then it is trained on every seed with early stopping.
Runs are kept as JSON: a second call only reads them. Then the cost is measured. Writes
`regularization.md` and `regularization.png`.
"""

import argparse
import sys
import time
from pathlib import Path

from benchmarks.common.environment import Options, command, measured_on
from benchmarks.regularization.cost import cost
from benchmarks.regularization.plot import plot
from benchmarks.regularization.record import MONITOR, PATIENCE, TUNING_SEEDS, choose, recorded
from benchmarks.regularization.report import (
    conclusions,
    overall_table,
    strengths_table,
    task_table,
    variants_table,
)
from benchmarks.regularization.tasks import tasks, variants


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = Options(__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--tasks", nargs="*", default=[""], help="parts of their names")
    parser.add_argument("--cache", type=Path, default=Path("~/.cache/kerasopt-benchmarks"))
    parser.add_argument("--rounds", type=int, default=24, help="of the cost; 0 leaves it out")
    parser.add_argument("--steps", type=int, default=40, help="of each `fit` of the cost")
    given = parser.parse_args()
    if given.quick:
        given.seeds, given.rounds, given.steps = (
            min(given.seeds, 2),
            min(given.rounds, 2),
            min(given.steps, 10),
        )
    return given


def head(seconds: dict[str, float], seeds: int) -> list[str]:
    """Give the first lines: when, where, how long, and how to read it."""
    minutes = ", ".join(f"{name} {value / 60:.1f} min" for name, value in seconds.items())
    return [
        "# Regularization: what to put into a model that overfits",
        "",
        f"{measured_on()}; {command()}. {minutes}; those of runs are of when they were recorded.",
        "",
        f"{seeds} seeds; each draws the samples to train on and to validate, the initial weights "
        "and the order, the same for all variants. All train with "
        f'`EarlyStopping(monitor="{MONITOR}", patience={PATIENCE})`, which restores the best '
        "weights, up to the same limit of epochs.",
        "",
        "- *Strength*: chosen once a task, by the mean validation accuracy of "
        f"{len(TUNING_SEEDS)} other seeds over the grid in the table below; the test part is the "
        "same for all seeds and is not looked at for that. So few seeds choose between near "
        "strengths with some luck.",
        "- *Test accuracy*: with the restored weights, mean ± standard deviation over the seeds.",
        "- *Less `none`*: the difference in percentage points, seed by seed, mean ± standard "
        "error; its 95 % interval and p by a paired t test. *Holm*: p corrected for there being "
        'several variants in the task. The verdict says "beyond the noise" if that is below 0.05, '
        '"doubtful" if p is but the corrected one is not: of seven such comparisons without any '
        "effect one would come out so in three tasks of ten.",
        "- *Train accuracy, gap*: at the restored weights, without dropout; the gap is training "
        "less validation. The validation accuracy chose the epoch and flatters itself by that.",
        "- *To the limit*: runs that early stopping did not stop.",
        "",
        "The error over the seeds does not have in it that all are judged by the same test "
        "samples, nor that there are other data sets and models than these.",
        "",
    ]


def main() -> None:
    """Choose strengths, record what is missing, measure, write."""
    given = arguments()
    cache = given.cache.expanduser()
    cache.mkdir(parents=True, exist_ok=True)
    given.output.mkdir(parents=True, exist_ok=True)
    chosen_tasks = [
        task
        for task in tasks(given.data, given.quick)
        if any(part.lower() in task.name.lower() for part in given.tasks)
    ]
    tried, chosen, found = [], [], []
    for task in chosen_tasks:
        wanted = variants(task, given.quick)
        best, runs = choose(task, wanted, given.data, cache)
        chosen.append(best)
        tried.append(runs)
        found.append(
            {
                variant.name: [
                    recorded(task, variant, best[variant.name], best, seed, given.data, cache)
                    for seed in range(given.seeds)
                ]
                for variant in wanted
            }
        )
    tuning = [run for by in tried for grid in by.values() for runs in grid.values() for run in runs]
    final = [run for by in found for runs in by.values() for run in runs]
    seconds = {
        f"Choosing strengths ({len(tuning)} runs)": sum(run["seconds"] for run in tuning),
        f"the runs of the tables ({len(final)})": sum(run["seconds"] for run in final),
    }
    plot(chosen_tasks, found, given.output / "regularization.png")
    begun, costs = time.perf_counter(), []
    if given.rounds:
        costs = cost(given.rounds, given.steps)
        seconds["cost"] = time.perf_counter() - begun
    lines = [
        *head(seconds, given.seeds),
        "## What the figures say",
        "",
        *conclusions(chosen_tasks, found),
        "",
        "![Accuracy over the epochs, training and validation](regularization.png)",
        "",
        "Curves are the mean of the seeds that still train, as long as these are most of them.",
        "",
        "## All tasks",
        "",
        "Means over the tasks, of the variants that all of them have; ± is the standard error over "
        "the seeds.",
        "",
        *overall_table(found),
        "## Each task",
        "",
    ]
    for task, runs, best in zip(chosen_tasks, found, chosen, strict=True):
        lines += task_table(task, runs, best)
    lines += ["## What was put in, and how strong", "", *variants_table(chosen_tasks)]
    lines += strengths_table(chosen_tasks, tried, chosen) + costs
    text = "\n".join(lines).rstrip() + "\n"
    print(text)
    (given.output / "regularization.md").write_text(text)
    print(f"written to {given.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
