"""The parts of `benchmarks.structured`: what each one measures, in processes of their own."""

import json
from argparse import Namespace
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.common.process import ask
from benchmarks.search.task import where
from benchmarks.structured.runs import DENSE, Run, name_of, parts
from benchmarks.structured.settings import Job, say
from benchmarks.structured.training import MODES

AT_ONCE = 2
Found = dict[str, Any]


def jobs_of(given: Namespace) -> list[Job]:
    """Give a job for each seed and model."""
    folder, home = given.record.resolve().with_suffix(".runs"), where(given.data)
    folder.mkdir(parents=True, exist_ok=True)
    return [
        Job(kind, seed, folder, home, given.settings)
        for seed in range(given.seeds)
        for kind in given.models
    ]


def train(given: Namespace, record: Found) -> None:
    """Train, shrink, fine-tune, export, judge: two processes at a time."""
    jobs = jobs_of(given)
    many = [(job, part) for job in jobs for part in parts(job.kind, given.quick)]
    _side_by_side("dense", [(job, None) for job in jobs])
    _side_by_side("runs", many)
    record["runs"] = {kind: {} for kind in given.models}
    for job in jobs:
        names = [DENSE, *(name_of(run) for whose, part in many if whose == job for run in part)]
        record["runs"][job.kind][str(job.seed)] = {
            name: json.loads(job.path(name, "json").read_text()) for name in names
        }


def _side_by_side(function: str, many: Sequence[tuple[Job, list[Run] | None]]) -> None:
    done = 0

    def one(asked: tuple[Job, list[Run] | None]) -> None:
        nonlocal done
        job, part = asked
        arguments = {"job": job.to_dict()} | ({} if part is None else {"wanted": part})
        seconds = ask(f"benchmarks.structured.runs:{function}", arguments)
        done += 1
        names = DENSE if part is None else ", ".join(map(name_of, part))
        say(f"{done} of {len(many)}, {job.kind}, seed {job.seed}: {names}: {seconds:.0f} s")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, many))


def time_files(given: Namespace, record: Found) -> None:
    """Time all files, of one model after the other, with nothing beside it."""
    sizes = {"rounds": given.settings.rounds, "seconds": given.settings.seconds}
    record["latency"] = {}
    for kind, seeds in record["runs"].items():
        say(f"latency: {kind}")
        paths = {
            (str(job.seed), run, mode): str(job.path(run, f"{mode}.tflite"))
            for job in jobs_of(given)
            if job.kind == kind
            for run in seeds[str(job.seed)]
            for mode in MODES
        }
        found = ask("benchmarks.structured.cost:latency", {"files": list(paths.values()), **sizes})
        ms: Found = {seed: {run: {} for run in runs} for seed, runs in seeds.items()}
        for (seed, run, mode), path in paths.items():
            ms[seed][run][mode] = found["ms"][path]
        record["latency"][kind] = {"ms": ms, "load": found["load"]}


def time_shrinking(given: Namespace, record: Found) -> None:
    """Measure what shrinking a large model costs, one process at a time."""
    record["cost"] = []
    for number in range(given.settings.repeats):
        say(f"cost of shrinking: process {number + 1} of {given.settings.repeats}")
        record["cost"].append(ask("benchmarks.structured.cost:resnet50", {}))


PARTS: dict[str, Callable[[Namespace, Found], None]] = {
    "trainings": train,
    "latency": time_files,
    "cost of shrinking": time_shrinking,
}
