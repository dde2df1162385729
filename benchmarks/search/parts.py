"""The parts of `benchmarks.search`: what each one measures, as JSON data."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common.process import ask, ask_all, progress
from benchmarks.search import combinations, cost
from benchmarks.search.functions import FUNCTIONS
from benchmarks.search.oracles import PLAIN
from benchmarks.search.task import DIGITS, EPOCHS, FASHION, where

BAYESIAN, RANDOM, TPE, GP = "Bayesian, KerasTuner", "random, ours", "TPE, ours", "GP, ours"
ASHA = {"random + ASHA": "random", "TPE + ASHA": "tpe"}
TRIALS = 60
LIMIT = 60.0  # seconds of a suggestion above which larger numbers of trials are left out

Found = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How much is run.

    Attributes:
        quick: Whether only to see that it works.
        data: Folder in which `keras_home` may lie.
        seeds: Of the real task.
    """

    quick: bool
    data: Path
    seeds: int


def overhead(size: Size) -> Found:
    """Time of a trial beside its training, and memory over many trials."""
    kinds = [cost.NONE, cost.MEMORY, cost.JOURNAL, cost.KERASTUNER]
    found: Found = {"at once": {}, "one batch": {}}
    for name, trains, trials, rounds in (
        ("at once", False, *((6, 1) if size.quick else (50, 3))),
        ("one batch", True, *((3, 1) if size.quick else (20, 3))),
    ):
        found[name] = {kind: [] for kind in kinds} | {"trials": trials}
        for number in range(rounds):
            for kind in kinds[number % 4 :] + kinds[: number % 4]:
                progress(f"overhead, {name}: round {number + 1} of {rounds}, {kind}")
                arguments = {"kind": kind, "trials": trials, "trains": trains}
                found[name][kind].append(ask("benchmarks.search.cost:overhead", arguments))
    kinds = [cost.NONE, cost.MEMORY, cost.JOURNAL, cost.KERASTUNER]
    kinds = kinds[1:2] if size.quick else [*kinds, cost.RENEWED]
    many = [{"kind": kind, "trials": 4 if size.quick else 100} for kind in kinds]
    found["memory"] = dict(zip(kinds, ask_all("benchmarks.search.cost:memory", many), strict=True))
    return found


def suggestions(size: Size) -> Found:
    """Time of a suggestion, one thread, nothing beside it."""
    few, many = ([10, 20], [10, 20]) if size.quick else ([10, 50, 200], [10, 50, 200, 1000])
    kinds = {TPE: many, PLAIN: many, GP: few, "random, KerasTuner": many, BAYESIAN: many}
    try:
        import torch  # noqa: F401
    except ImportError:
        del kinds[GP]
    found = {}
    for kind, at in kinds.items():
        progress(f"suggestions: {kind}")
        arguments = {"kind": kind, "function": "Hartmann-6", "at": at, "limit": LIMIT}
        repeats = 2 if size.quick else 5 if kind == BAYESIAN else 11
        found[kind] = ask(
            "benchmarks.search.oracles:suggestions", {**arguments, "repeats": repeats}
        )
    return {"seconds": found, "at": many, "limit": LIMIT}


def surrogates(size: Size) -> Found:
    """Values that random search, TPE and KerasTuner find on functions."""
    many = list(range(4 if size.quick else 20))
    trials = 20 if size.quick else TRIALS
    seeds = {RANDOM: many, TPE: many, "random, KerasTuner": many, BAYESIAN: many[:5]}
    if size.quick:
        del seeds[BAYESIAN]
    jobs = []
    for function in FUNCTIONS:
        for kind, chosen in seeds.items():
            parts = 5 if kind == BAYESIAN else 1  # it takes minutes: in several processes
            jobs += [
                {"kind": kind, "function": function, "trials": trials, "seeds": chosen[part::parts]}
                for part in range(parts)
            ]
    answers = ask_all("benchmarks.search.oracles:curves", jobs)
    found: Found = {function: {kind: {} for kind in seeds} for function in FUNCTIONS}
    for job, answer in zip(jobs, answers, strict=True):
        for seed, one in zip(job["seeds"], answer, strict=True):
            found[job["function"]][job["kind"]][str(seed)] = one
    return {"curves": found, "trials": trials}


def task(size: Size) -> Found:
    """Values that random search, TPE and ASHA find in real trainings."""
    home = where(size.data)
    trials, epochs = (8, 3) if size.quick else (TRIALS, EPOCHS)
    seeds = range(1 if size.quick else size.seeds)
    given: Found = {"trials": trials, "home": home, "epochs": epochs}
    if size.quick:
        given |= {"train": 200, "validation": 400}
    jobs = [
        {**given, "sampler": sampler, "pruner": None, "seed": seed}
        for seed in seeds
        for sampler in ("random", "tpe")
    ]
    answers = ask_all("benchmarks.search.task:real", jobs)
    found: Found = {RANDOM: answers[::2], TPE: answers[1::2]}
    jobs = [
        {
            **given,
            "sampler": sampler,
            "pruner": "asha",
            "seed": seed,
            "trials": 4 * trials,
            "most_epochs": math.ceil(trials * epochs / 2),
            "target": best(found[RANDOM][seed]),
        }
        for seed in seeds
        for sampler in ASHA.values()
    ]
    answers = ask_all("benchmarks.search.task:real", jobs)
    for number, name in enumerate(ASHA):
        found[name] = answers[number :: len(ASHA)]
    data = DIGITS if home is None else FASHION
    return {"runs": found, "trials": trials, "epochs": epochs, "data": data}


def best(run: Found) -> float:
    """Give the least value of the completed trials of a run, each at its best epoch."""
    return min(min(curve) for curve, done in zip(run["curves"], run["done"], strict=True) if done)


def workers(size: Size) -> Found:
    """One worker and two; beside them one process and two that only train."""
    trials, epochs, rounds = (4, 2, 1) if size.quick else (32, 9, 3)
    found: Found = {"1": [], "2": [], "alone": {"1": [], "2": []}, "trials": trials}
    for number in range(rounds):
        for count in ((1, 2), (2, 1))[number % 2]:
            progress(f"workers: round {number + 1} of {rounds}, {count}")
            arguments = {"workers": count, "trials": trials, "epochs": epochs}
            found[str(count)].append(ask("benchmarks.search.cost:search", arguments))
            arguments = {"trials": trials // 4, "epochs": epochs}
            answers = ask_all("benchmarks.search.cost:alone", [arguments] * count)
            found["alone"][str(count)].append(sum(answers) / count)
    return found


def grid(size: Size) -> Found:
    """A grid search that is killed."""
    return {
        kind: combinations.resumed(kind) for kind in (combinations.OURS, combinations.KERASTUNER)
    }


# First those whose answers are times, on a machine that has nothing else to do.
PARTS = {
    "workers": workers,
    "overhead": overhead,
    "suggestions": suggestions,
    "grid": grid,
    "surrogates": surrogates,
    "task": task,
}
