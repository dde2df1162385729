"""Searches beside plain KerasTuner: cost, time of a suggestion, what is found, workers, faults.

    python -m benchmarks.search [--only overhead,suggestions,surrogates,task,workers,grid]
        [--seeds 10] [--quick] [--data ../shared] [--record search.json] [--report]
        [--output benchmarks/results]

Every measured thing has a process of its own. What was measured is kept in `--record`, part by
part; `--report` only writes the text and the plot of it. Writes `search.md` and `search.png`.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.common.environment import Options
from benchmarks.common.process import ask, progress
from benchmarks.search import quality, report
from benchmarks.search.parts import PARTS, Size
from benchmarks.search.plot import plot

SEEDS = 10
SECTIONS = {
    "overhead": report.overhead,
    "suggestions": report.suggestions,
    "surrogates": quality.surrogates,
    "task": quality.task,
    "workers": report.workers,
    "grid": report.grid,
}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = Options(__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="of the real task")
    parser.add_argument("--record", type=Path, default=None, help="JSON of what was measured")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    given = parser.parse_args()
    given.only = given.only.split(",")
    unknown = sorted(set(given.only) - set(PARTS))
    if unknown:
        parser.error(f"--only: {unknown} are none of {list(PARTS)}")
    if given.report and given.record is None:
        parser.error("--report needs --record")
    if given.record is None:
        given.record = Path(tempfile.mkdtemp()) / "search.json"
    return given


def measure(given: argparse.Namespace) -> None:
    """Measure the parts that were asked for, and keep each one at once."""
    size = Size(given.quick, given.data, given.seeds)
    about = ask(
        "benchmarks.common.environment:measured_on",
        {"others": {"KerasTuner": "keras-tuner", "Optuna": "optuna"}},
    )
    line = "python -m benchmarks.search" + asked_for(given)
    for name in given.only:
        begun = time.perf_counter()
        found = PARTS[name](size)
        minutes = (time.perf_counter() - begun) / 60
        progress(f"{name}: {minutes:.1f} min")
        record = read(given.record)
        record[name] = found | {"about": about, "command": line, "minutes": minutes}
        given.record.write_text(json.dumps(record))


def asked_for(given: argparse.Namespace) -> str:
    """Give the arguments that say what was measured, not those that say where files lie."""
    line = f" --seeds {given.seeds}" if given.seeds != SEEDS else ""
    if given.only != list(PARTS):
        line += f" --only {','.join(given.only)}"
    return line + (" --quick" if given.quick else "")


def read(path: Path) -> dict[str, Any]:
    """Read what was measured before."""
    return json.loads(path.read_text()) if path.exists() else {}


def text_of(record: dict[str, Any]) -> str:
    """Give the whole text."""
    parts = [name for name in SECTIONS if name in record]
    runs: dict[tuple[str, str], list[str]] = {}
    for name in parts:
        one = record[name]
        runs.setdefault((one["about"], one["command"]), []).append(
            f"{name} {one['minutes']:.1f} min"
        )
    lines = ["# Searches beside plain KerasTuner", ""]
    for (about, command), minutes in runs.items():
        said = ", ".join(minutes)
        lines += [f"{about}; `{command}`. {said[0].upper()}{said[1:]}.", ""]
    for name in parts:
        one = {
            key: value
            for key, value in record[name].items()
            if key not in ("about", "command", "minutes")
        }
        lines += SECTIONS[name](one)
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Measure and write."""
    given = arguments()
    given.output.mkdir(parents=True, exist_ok=True)
    if not given.report:
        measure(given)
    record = read(given.record)
    text = text_of(record)
    (given.output / "search.md").write_text(text)
    plot(record, given.output / "search.png")
    print(text)
    progress(f"written to {given.output}, measured in {given.record}")


if __name__ == "__main__":
    main()
