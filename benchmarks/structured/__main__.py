"""Removing channels: accuracy, size and latency beside dense, from scratch and unstructured.

    python -m benchmarks.structured [--seeds 3] [--models CNN,ResNet] [--quick] [--data ../shared]
        [--record shrink.json] [--report] [--output benchmarks/results]

Every measured thing runs in a process of its own, with one thread; trainings two at a time, then
times alone. With `--record FILE` each run is kept as soon as it is done, in the folder `FILE.runs`
beside it, and what is there is not done again; `--report` only writes the text and the plot.
Writes `shrink.md` and `shrink.png`.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from benchmarks.common.environment import Options
from benchmarks.common.process import ask
from benchmarks.structured.models import KINDS, name_of
from benchmarks.structured.parts import PARTS
from benchmarks.structured.plot import plot
from benchmarks.structured.report import text
from benchmarks.structured.settings import QUICK, SEEDS, Settings, say
from kerasopt._core.files import write_text


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = Options(__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--models", default=",".join(KINDS), help="with commas between")
    parser.add_argument("--record", type=Path, default=None, help="JSON of what was measured")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    given = parser.parse_args()
    if given.report and given.record is None:
        parser.error("--report needs --record")
    given.models = given.models.split(",")
    if not set(given.models) <= set(KINDS):
        parser.error(f"--models: some of {list(KINDS)}")
    if given.seeds < 1:
        parser.error("--seeds: at least 1")
    given.settings = QUICK if given.quick else Settings()
    given.seeds = min(given.seeds, 1) if given.quick else given.seeds
    if given.record is None:
        given.record = Path(tempfile.mkdtemp()) / "shrink.json"
    return given


def measure(given: argparse.Namespace) -> None:
    """Measure what is missing, and keep each part at once."""
    its = {"settings": given.settings.to_dict(), "seeds": given.seeds, "data": name_of(given.data)}
    its["models"] = given.models
    record = json.loads(given.record.read_text()) if given.record.exists() else {**its}
    if any(record[name] != value for name, value in its.items()):
        raise SystemExit(f"{given.record} is of other settings: {record['settings']}")
    record["about"] = ask(
        "benchmarks.common.environment:measured_on", {"others": {"LiteRT": "ai-edge-litert"}}
    )
    more = f" --seeds {given.seeds}" if given.seeds != SEEDS and not given.quick else ""
    more += f" --models {','.join(given.models)}" if given.models != list(KINDS) else ""
    record["command"] = f"python -m benchmarks.structured{more}{' --quick' if given.quick else ''}"
    minutes = record.setdefault("minutes", {})
    given.record.parent.mkdir(parents=True, exist_ok=True)
    write_text(given.record, json.dumps(record))
    for name, part in PARTS.items():
        if record.get("done", {}).get(name):
            continue
        begun = time.perf_counter()
        try:
            part(given, record)
            record.setdefault("done", {})[name] = True
        finally:
            # What was broken off counts, too.
            minutes[name] = minutes.get(name, 0.0) + (time.perf_counter() - begun) / 60
            write_text(given.record, json.dumps(record))
        say(f"{name}: {minutes[name]:.1f} min")


def main() -> None:
    """Measure and write."""
    given = arguments()
    given.output.mkdir(parents=True, exist_ok=True)
    if not given.report:
        measure(given)
    record = json.loads(given.record.read_text())
    found = text(record)
    write_text(given.output / "shrink.md", found)
    plot(record, given.output / "shrink.png")
    print(found)
    say(f"written to {given.output}, measured in {given.record}")


if __name__ == "__main__":
    main()
