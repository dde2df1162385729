"""Searches beside plain KerasTuner: cost, time of a suggestion, what is found, workers, faults.

    python benchmarks/search.py [--only overhead,suggestions,surrogates,task,workers,grid]
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

import search_quality
import search_report
from search_parts import PARTS, Size
from search_plot import plot
from search_process import ask, progress

HERE = Path(__file__).resolve().parent
SEEDS = 10
SECTIONS = {
    "overhead": search_report.overhead,
    "suggestions": search_report.suggestions,
    "surrogates": search_quality.surrogates,
    "task": search_quality.task,
    "workers": search_report.workers,
    "grid": search_report.grid,
}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="of the real task")
    parser.add_argument("--quick", action="store_true", help="see that it works, on little")
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared")
    parser.add_argument("--record", type=Path, default=None, help="JSON of what was measured")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--output", type=Path, default=None)
    given = parser.parse_args()
    given.only = given.only.split(",")
    unknown = sorted(set(given.only) - set(PARTS))
    if unknown:
        parser.error(f"--only: {unknown} are none of {list(PARTS)}")
    if given.report and given.record is None:
        parser.error("--report needs --record")
    if given.output is None:
        given.output = Path(tempfile.mkdtemp()) if given.quick else HERE / "results"
    if given.record is None:
        given.record = Path(tempfile.mkdtemp()) / "search.json"
    return given


def measure(given: argparse.Namespace) -> None:
    """Measure the parts that were asked for, and keep each one at once."""
    size = Size(given.quick, given.data, given.seeds)
    about = ask("search_about:about", {})
    line = "python benchmarks/search.py" + asked_for(given)
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
