"""Pruning beside tfmot, in one run: accuracy, step time, updates of masks, memory, file size.

    python -m benchmarks.pruning [--seeds 5] [--rounds 12] [--steps 101] [--data ../shared]
        [--cache ~/.cache/kerasopt-benchmarks] [--quick] [--output benchmarks/results]

tfmot runs on tf_keras in a process of its own. Training runs are kept as JSON: a second call only
reads them. Needs the extra `tfmot`. Writes `pruning.md` and `pruning.png`.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common.environment import Options, command, measured_on
from benchmarks.pruning.cost_report import memory_section, steps_section, updates_section
from benchmarks.pruning.cost_report import section as size_section
from benchmarks.pruning.process import Tfmot
from benchmarks.pruning.quality import SAME, SPARSITIES, TFMOT, Runs, Wanted, task_of
from benchmarks.pruning.quality_report import percent, plot, rows_of, scope_lines, section


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = Options(__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=12, help="of the step time; 0 leaves it out")
    parser.add_argument("--steps", type=int, default=101, help="of each `fit` of the step time")
    parser.add_argument("--cache", type=Path, default=Path("~/.cache/kerasopt-benchmarks"))
    given = parser.parse_args()
    if given.quick:
        given.seeds, given.rounds, given.steps = min(given.seeds, 2), min(given.rounds, 2), 11
    return given


def quality(runs: Runs, seeds: int, sparsities: tuple[float, ...], output: Path) -> list[str]:
    """Record what is missing, draw the plot, and give the section of accuracies."""
    scope, tried = runs.choose()
    runs.record(
        [
            Wanted(kind, sparsity, seed)
            for seed in range(seeds)
            for sparsity in (0.0, *sparsities)
            for kind in (TFMOT, SAME, *([scope] if sparsity else []))
        ]
    )
    rows = rows_of(runs, sparsities, range(seeds), scope)
    dense = runs.get(TFMOT, 0.0, range(seeds)), runs.get(SAME, 0.0, range(seeds))
    plot(rows, float(percent(dense[1]).mean()), scope, output / "pruning.png")
    return [
        *section(runs, rows, dense, seeds, scope),
        *scope_lines(scope, tried),
        "![Accuracy over the sparsity](pruning.png)",
        "",
    ]


def head(seconds: dict[str, float], versions: dict[str, str]) -> list[str]:
    """Give the first lines: when, where, how long."""
    minutes = ", ".join(f"{name} {value / 60:.1f} min" for name, value in seconds.items())
    return [
        "# Pruning beside tfmot",
        "",
        f"{measured_on()}; beside it tfmot {versions['tfmot']} on tf_keras "
        f"{versions['tf_keras']}, in a process of its own; "
        f"{command()}. {minutes[0].upper()}"
        f"{minutes[1:]}; runs that are compared by accuracy are only read where they were recorded "
        "before.",
        "",
    ]


def main() -> None:
    """Record, measure, write."""
    given = arguments()
    cache = given.cache.expanduser()
    cache.mkdir(parents=True, exist_ok=True)
    given.output.mkdir(parents=True, exist_ok=True)
    task = task_of(given.data, given.quick)
    sparsities = (0.8, 0.98) if given.quick else SPARSITIES
    sides = [(1024, 30, 30, 4.0), (5_000, 7, 2, 150.0)]
    if given.quick:
        sides = [(256, 3, 2, 4.0)]
    lines: list[str] = []
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch, Tfmot() as tfmot:
        versions = tfmot.ask("versions")
        runs = Runs(task, given.data, cache, Path(scratch), tfmot)
        few = min(given.steps, 41)
        parts = {
            "accuracy": lambda: quality(runs, given.seeds, sparsities, given.output),
            "step time": lambda: steps_section(given.rounds, given.steps, few, tfmot),
            "updates": lambda: updates_section(sides, tfmot),
            "memory": lambda: memory_section(256 if given.quick else 5_000),
            "size": lambda: size_section(runs, tfmot),
        }
        if not given.rounds:
            del parts["step time"]
        for name, part in parts.items():
            begun = time.perf_counter()
            lines += part()
            seconds[name] = time.perf_counter() - begun
            print(f"{name}: {seconds[name]:.0f} s", file=sys.stderr, flush=True)
            # After every part, so that what is measured is not lost if a later one fails.
            text = "\n".join([*head(seconds, versions), *lines]).rstrip() + "\n"
            (given.output / "pruning.md").write_text(text)
    print(text)
    print(f"written to {given.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
