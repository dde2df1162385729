"""The runs: how each small model is made. Runs in processes of their own.

Each run is kept in a file of its own as soon as it is done, and not done again.
"""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.structured.models import CRITERIA, KINDS, Data
from benchmarks.structured.settings import BELOW, DEFAULT, DRIVEN, RATIOS, TARGETS, Job
from benchmarks.structured.training import data_of, glance, judged, taught, train, tune
from kerasopt._core.files import write_text

DENSE, LAYER, RATIO = "dense", f"{DEFAULT} layer", f"{DEFAULT} ratio"
SCRATCH, UNSTRUCTURED = "scratch", "unstructured"
DISTILLED, ITERATIVE = "distilled", "iterative reconstructed"
RECONSTRUCTED = tuple(f"{one} reconstructed" for one in (DEFAULT, DRIVEN))
Run = tuple[str, float]  # how, and what stays (of `RATIO`: what goes)


def name_of(run: Sequence[Any]) -> str:
    """Give the name under which a run is kept."""
    how, at = run
    return how if how == DENSE else f"{how} {at:g}"


def parts(kind: str, quick: bool = False) -> list[list[Run]]:
    """Give the runs after the dense one, in parts for a process each; where it is quick, a few."""
    if quick:
        first = [(DEFAULT, 0.5), (DRIVEN, 0.5), (RATIO, 0.5), (SCRATCH, 0.5)]
        more = [(how, 0.5) for how in (UNSTRUCTURED, DISTILLED, RECONSTRUCTED[0], ITERATIVE)]
        return [first, more] if kind == "CNN" else [first[::3]]
    return [
        [(SCRATCH, at) for at in BELOW],
        [*((one, 0.5) for one in CRITERIA), (LAYER, 0.5)],
        [(one, at) for one in (DEFAULT, DRIVEN) for at in TARGETS if at != 0.5]
        + [(RATIO, at) for at in RATIOS],
        [(one, at) for one in (UNSTRUCTURED, DISTILLED) for at in BELOW],
        [(one, at) for one in (*RECONSTRUCTED, ITERATIVE) for at in BELOW],
    ]


def dense(job: dict[str, Any]) -> float:
    """Train the dense model, keep it, train it on as others are fine-tuned, and judge that.

    Returns:
        Seconds.
    """
    import keras

    begun, its = time.perf_counter(), Job.from_dict(job)
    if not its.path(DENSE, "json").exists():
        data = data_of(its)
        keras.utils.set_random_seed(its.seed)
        model = KINDS[its.kind].build(data.x.shape[1:])
        train(model, data, its)
        model.save(its.path(DENSE, "keras"))
        before = glance(model, data)
        tune(model, data, its)
        _keep(its, DENSE, {"before": before, **judged(model, data, its, DENSE)})
    return time.perf_counter() - begun


def runs(job: dict[str, Any], wanted: list[Any]) -> float:
    """Make small models of the dense one, fine-tune and judge them.

    Returns:
        Seconds.
    """
    import keras

    begun, its = time.perf_counter(), Job.from_dict(job)
    missing = [one for one in wanted if not its.path(name_of(one), "json").exists()]
    data = data_of(its) if missing else None
    for how, at in missing:
        started = time.perf_counter()
        keras.utils.clear_session()
        whole = keras.saving.load_model(its.path(DENSE, "keras"))
        model, found = MAKERS.get(how, _shrunk)(how, at, whole, data, its)
        found |= judged(model, data, its, name_of((how, at)))
        _keep(its, name_of((how, at)), {**found, "seconds": time.perf_counter() - started})
    return time.perf_counter() - begun


def _keep(job: Job, run: str, found: dict[str, Any]) -> None:
    write_text(job.path(run, "json"), json.dumps(found))


# How they are made: a model, and what is to be kept of it.

Made = tuple[Any, dict[str, Any]]


def _plan(how: str, at: float, whole: Any, data: Data, job: Job) -> Any:
    from kerasopt.structured import shrink_plan

    share = {"pruning_ratio": at} if how == RATIO else {"budget": {"macs": at}}
    return shrink_plan(
        whole,
        **share,
        importance=next((one for one in CRITERIA if one == how.split()[0]), DEFAULT),
        scope="layer" if how == LAYER else "global",
        data=(data.x, data.y),
        batches=job.settings.batches,
        seed=job.seed,
        reconstruct=how in RECONSTRUCTED,
    )


def _shrunk(how: str, at: float, whole: Any, data: Data, job: Job) -> Made:
    plan = _plan(how, at, whole, data, job)
    model = plan.apply()
    found = {
        "before": glance(model, data),
        "widths": {one.layers[0]: one.after for one in plan.groups},
    }
    if how == DISTILLED:
        taught(model, whole, data, job)
    else:
        tune(model, data, job)
    return model, found


def _iterative(how: str, at: float, whole: Any, data: Data, job: Job) -> Made:
    from kerasopt.structured import iterative_shrink

    model, _ = iterative_shrink(
        whole,
        lambda small: tune(small, data, job, epochs=1),
        budget={"macs": at},
        rounds=job.settings.tuning,
        importance=DEFAULT,
        data=(data.x, data.y),
        batches=job.settings.batches,
        reconstruct=True,
    )
    return model, {}


def _scratch(how: str, at: float, whole: Any, data: Data, job: Job) -> Made:
    import keras

    small = _plan(DEFAULT, at, whole, data, job).apply()
    keras.utils.set_random_seed(job.seed)
    model = type(small).from_config(small.get_config())
    train(model, data, job)
    tune(model, data, job)
    return model, {}


def _unstructured(how: str, at: float, whole: Any, data: Data, job: Job) -> Made:
    from kerasopt.callbacks import Pruning
    from kerasopt.pruning import sparsity
    from kerasopt.schedules import PolynomialDecay

    plan = _plan(DEFAULT, at, whole, data, job)
    kernels = sum(row.parameters for row in sparsity(whole).rows)
    share = (plan.before.parameters - plan.after.parameters) / kernels
    pruning = Pruning(PolynomialDecay(0.0, share, 0, 0.5), scope="global")
    tune(whole, data, job, [pruning])
    return whole, {"sparsity": share}


MAKERS: dict[str, Callable[[str, float, Any, Data, Job], Made]] = {
    ITERATIVE: _iterative,
    SCRATCH: _scratch,
    UNSTRUCTURED: _unstructured,
}
