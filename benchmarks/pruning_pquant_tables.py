"""Tables of `pruning_pquant.py`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pruning_pquant_process import Pquant, ask, reached
from pruning_pquant_settings import SPARSITY, Plan, named
from pruning_pquant_times import OURS, PLAIN
from pruning_quality import SAME, SIZED_SEED, TUNING_SEEDS, Run, Runs, Wanted
from pruning_report import interval, percent, shown
from pruning_tables import bootstrapped
from pruning_training import Job

BEST = "global"


def each(run: Run) -> str:
    """Give the sparsity of each kernel."""
    shares = zip(run["zeros"], run["sizes"], strict=True)
    return ", ".join(f"{100 * zeros / size:.1f}" for zeros, size in shares)


def accuracy(ours: dict[str, list[Run]], theirs: dict[str, list[Run]]) -> list[str]:
    """Give the table of accuracies; all of theirs are compared with each of ours."""
    lines = [
        "| variant | sparsity reached | of each kernel, seed 0 | test accuracy | "
        + " | ".join(f"less {name}, 95 % interval" for name in ours)
        + " |",
        "|---|--:|---|--:|" + "--:|" * len(ours),
    ]
    for name, runs in {**ours, **theirs}.items():
        apart = [percent(runs) - percent(one) for one in ours.values()]
        cells = [f"{shown(more, '+')}, {interval(more)}" if more.any() else "" for more in apart]
        lines.append(
            f"| {name} | {reached(runs)} % | {each(runs[0])} | {shown(percent(runs))} "
            f"| {' | '.join(cells)} |"
        )
    return [*lines, ""]


def tried(pquant: Pquant, plan: Plan, chosen: Sequence[Job]) -> list[str]:
    """Give the table of all settings, on the validation part of seeds apart."""
    lines = ["| method, epochs: settings | sparsity | validation accuracy | |", "|---|--:|--:|---|"]
    for one in (*plan.candidates, *plan.tried):
        seeds = TUNING_SEEDS if one in plan.candidates else TUNING_SEEDS[:1]
        runs = pquant.get(one, seeds)
        failed = "error" in runs[0]
        value = "" if failed else f"{percent(runs, 'validation').mean():.2f}"
        mark = "chosen" if one in chosen else ""
        unit = "" if failed else " %"
        lines.append(f"| {named(one)} | {reached(runs)}{unit} | {value} | {mark} |")
    return [*lines, ""]


def step_time(given: argparse.Namespace, chosen: dict[str, Job], plan: dict[str, int]) -> list[str]:
    """Time the steps on both sides and give the table."""
    arguments = {
        f'kerasopt, `scope="{scope}"`, every {every} steps': {
            "method": OURS,
            "pruning": {"frequency": every, "scope": scope},
        }
        for scope, every in ((SAME, plan["frequency"]), (BEST, plan["frequency"]), (SAME, 1))
    }
    lines = [
        "| whose process | variant | ratio to plain, median | 95 % interval | ms a step, median |",
        "|---|---|--:|--:|--:|",
    ]
    before = os.getloadavg()[0]
    sides = {OURS: (sys.executable, arguments), "PQuantML": (given.pquant, chosen)}
    for whose, (python, jobs) in sides.items():
        taken = ask(python, "times", settings=jobs, rounds=given.rounds, steps=given.steps)
        for name, values in taken.items():
            ratio = np.array(values) / np.array(taken[PLAIN])
            low, high = bootstrapped(ratio)
            lines.append(
                f"| {whose} | {name} | {np.median(ratio):.3f} | {low:.3f} to {high:.3f} "
                f"| {np.median(values):.2f} |"
            )
    load = f"{before:.1f} before and {os.getloadavg()[0]:.1f} after"
    return [*lines, "", f"Load of the machine ({os.cpu_count()} cores): {load}.", ""]


def saved(pquant: Pquant, runs: Runs, chosen: dict[str, Job], scratch: Path) -> list[str]:
    """Load what both sides save, each where the package is not; give the table."""
    weights, path = runs.weights(Wanted(SAME, SPARSITY, SIZED_SEED)), str(runs.arrays(SIZED_SEED))
    mine = str(scratch / "ours.keras")
    ask(sys.executable, "save_ours", weights=str(weights), path=path, saved=mine)
    found = {
        ("kerasopt", "without kerasopt"): ask(
            pquant.python, "load_alone", saved=mine, path=path, package="kerasopt"
        )
    }
    for name, one in chosen.items():
        theirs = str(pquant.path(one, SIZED_SEED).with_suffix(".keras"))
        for python, use in ((sys.executable, False), (pquant.python, True)):
            asked = {"saved": theirs, "path": path, "package": "pquant", "use": use}
            where = "with pquant imported" if use else "without pquant"
            found[name, where] = ask(python, "load_alone", **asked)
    lines = ["| saved by | loaded in a process | |", "|---|---|---|"]
    for (name, where), answer in found.items():
        error = answer.get("error", "").split(". ")[0].replace("|", "/").replace("\n", " ")
        result = (
            f"fails: `{error[:120]}`" if error else f"loads, {100 * answer['test']:.2f} % right"
        )
        lines.append(f"| {name} | {where} | {result} |")
    return [*lines, ""]
