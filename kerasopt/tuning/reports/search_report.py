"""The report of a search, in files."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kerasopt._core.display import columns
from kerasopt._core.files import write_text
from kerasopt.tuning.storage.records import Record


def write(result: Any, folder: Path) -> Path:
    """Write `trials.csv`, `search.json`, `report.md` and the plots of a search.

    Args:
        result: A `SearchResult`.
        folder: Where; it is made.

    Returns:
        The path of `report.md`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "search.json", json.dumps(result.to_dict(), indent=2))
    write_text(folder / "trials.csv", _csv(result))
    pictures = _pictures(result, folder)
    lines = ["# Search", "", *_facts(result), "", "## Best trials", "", "```"]
    best = result.tuner.oracle.best_records()
    lines += [table_of(best[:10], result.objectives), "```", ""]
    if len(result.objectives) > 1:
        lines += ["## Pareto front", "", "```"]
        lines += [table_of(result.pareto_front(), result.objectives), "```", ""]
    failed = [one for one in result.trials if one.state == "FAILED"]
    if failed:
        lines += ["## Failed trials", ""]
        lines += [f"- {one.id}: {one.reason}" for one in failed] + [""]
    lines += [f"![{title}]({name})" for title, name in pictures]
    write_text(folder / "report.md", "\n".join(lines) + "\n")
    return folder / "report.md"


def _facts(result: Any) -> list[str]:
    goals = ", ".join(f"{name} ({direction})" for name, direction in result.objectives)
    states: dict[str, int] = {}
    for one in result.trials:
        states[one.state] = states.get(one.state, 0) + 1
    lines = [f"- objectives: {goals}"]
    if result.tuner.oracle.limits:
        lines.append(f"- constraints: {result.tuner.oracle.limits}")
    lines.append("- trials: " + ", ".join(f"{n} {name.lower()}" for name, n in states.items()))
    if passed := result.tuner.oracle.passed_over():
        lines.append(f"- passed over: {passed} configurations larger than `max_model_size`")
    lines.append(f"- kept in: {result.tuner.oracle.where()}")
    return lines


def _csv(result: Any) -> str:
    rows = result.trials
    metrics = list(dict.fromkeys(name for one in rows for name in one.metrics))
    values = list(dict.fromkeys(name for one in rows for name in one.values))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["trial", "state", *metrics, "seconds", "feasible", "reason", *(f"hp/{n}" for n in values)]
    )
    for one in rows:
        writer.writerow(
            [one.id, one.state, *(one.metrics.get(name) for name in metrics), one.seconds,
             one.feasible, one.reason, *(one.values.get(name) for name in values)]
        )  # fmt: skip
    return text.getvalue()


def _pictures(result: Any, folder: Path) -> list[tuple[str, str]]:
    """Draw what there is enough of; none without matplotlib."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return []
    done = [one for one in result.trials if one.state == "COMPLETED"]
    made = []
    if done:
        result.plot_history(folder / "history.png")
        made.append(("History", "history.png"))
    if len(done) > 1:
        result.plot_parallel(folder / "parallel.png")
        made.append(("Parallel coordinates", "parallel.png"))
        if result.importances():
            result.plot_importances(folder / "importances.png")
            made.append(("Importances", "importances.png"))
    if done and len(result.objectives) == 2:
        result.plot_pareto(folder / "pareto.png")
        made.append(("Pareto front", "pareto.png"))
    return made


def table_of(records: Sequence[Record], goals: Sequence[tuple[str, str]]) -> str:
    """Set trials in a table: objectives, time, hyperparameters.

    Args:
        records: The trials, in the order of the rows.
        goals: Name and direction of each objective.

    Example:
    >>> one = Record("0001", "COMPLETED", {"units": 8}, objectives=(0.9123456,), seconds=2.0)
    >>> print(table_of([one], [("val_accuracy", "max")]))
    trial  state      val_accuracy  seconds  units
    0001   completed        0.91235      2.0      8
    """
    names = list(dict.fromkeys(name for one in records for name in one.values))
    objectives = [name for name, _ in goals]
    rows = [["trial", "state", *objectives, "seconds", *names]]
    for one in records:
        found = one.objectives or (None,) * len(objectives)
        rows.append(
            [
                one.id,
                one.state.lower() + ("" if one.feasible else " (breaks constraints)"),
                *(_shown(value) for value in found),
                "" if one.seconds is None else f"{one.seconds:.1f}",
                *(_shown(one.values.get(name)) for name in names),
            ]
        )
    return columns(rows, right=range(2, len(rows[0])))


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.5g}" if isinstance(value, float) else str(value)
