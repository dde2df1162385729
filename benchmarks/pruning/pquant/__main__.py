"""Pruning beside PQuantML at 80 %: accuracy, sparsity reached, step time, and what is saved.

    python -m benchmarks.pruning.pquant --pquant PYTHON [--seeds 5] [--rounds 12] [--steps 101]
        [--data ../shared] [--cache ~/.cache/kerasopt-benchmarks] [--quick]
        [--output benchmarks/results]

PYTHON is that of an environment with `pquant-ml`, TensorFlow and Keras; PQuantML runs there, in a
process of its own. Training runs are kept as JSON: a second call only reads them. Writes
`pruning_pquant.md`.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

from benchmarks.common.environment import Options, command, measured_on
from benchmarks.pruning.pquant.process import Pquant, ask
from benchmarks.pruning.pquant.report import BEST, TEXT, accuracy, saved, step_time, tried
from benchmarks.pruning.pquant.settings import EPOCHS, FULL, QUICK, SPARSITY
from benchmarks.pruning.quality import SAME, Runs, Wanted, settings, task_of


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = Options(__doc__)
    parser.add_argument("--pquant", required=True, help="the Python that has PQuantML")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=12, help="of the step time")
    parser.add_argument("--steps", type=int, default=101, help="of each `fit` of the step time")
    parser.add_argument("--cache", type=Path, default=Path("~/.cache/kerasopt-benchmarks"))
    given = parser.parse_args()
    if given.quick:
        given.seeds, given.rounds, given.steps = 1, 1, 11
    return given


def head(given: argparse.Namespace) -> str:
    """Give the first line: when, where, with what."""
    told = ", ".join(f"{k} {v}" for k, v in ask(given.pquant, "versions").items())
    call = command().replace(given.pquant, "PYTHON")
    line = f"{measured_on()}; in an environment and a process of its own {told}; {call}."
    if given.quick:
        line += " Few samples and 2 epochs, to see that it works: not what is said below."
    return line


def main() -> None:
    """Record, measure, write."""
    given = arguments()
    cache, seeds = given.cache.expanduser(), range(given.seeds)
    task, plan = task_of(given.data, given.quick), QUICK if given.quick else FULL
    if not given.quick and task.epochs != EPOCHS:
        raise SystemExit(f"Fashion-MNIST is not in {given.data}: the settings are for its epochs.")
    cache.mkdir(parents=True, exist_ok=True)
    given.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        # No run of tfmot is asked for.
        runs = Runs(task, given.data, cache, Path(scratch), cast("Any", None))
        runs.record([Wanted(kind, SPARSITY, seed) for kind in (SAME, BEST) for seed in seeds])
        pquant = Pquant(given.pquant, runs, cache)
        chosen = {
            f"PQuantML, {name}": pquant.choose(name, plan.candidates) for name in plan.methods
        }
        ours = {
            f'kerasopt, `scope="{kind}"`': runs.get(kind, SPARSITY, seeds) for kind in (SAME, BEST)
        }
        theirs = {name: pquant.get(one, seeds) for name, one in chosen.items()}
        parts = {
            "accuracy": accuracy(ours, theirs),
            "tried": tried(pquant, plan, list(chosen.values())),
            "saved": saved(pquant, runs, chosen, Path(scratch)),
            "times": step_time(given, chosen, settings(task)),
        }
        off = max(run["off"] for found in theirs.values() for run in found)
    values = {**settings(task), "off": off, "seeds": given.seeds, "rounds": given.rounds}
    values |= {"steps": given.steps, "each": task.sizes[0] // task.batch}
    values |= {"same": SAME, "best": BEST, "candidates": len(plan.candidates)}
    tables = {name: "\n".join(lines) for name, lines in parts.items()}
    text = TEXT.format(head=head(given), **values, **tables)
    (given.output / "pruning_pquant.md").write_text(text.rstrip() + "\n")
    print(text)
    print(f"written to {given.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
