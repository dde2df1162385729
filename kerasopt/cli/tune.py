"""The command `tune`: a search, begun here or joined."""

import contextlib
import io
import json
import logging
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import keras_tuner

from kerasopt._core.checks import bad_value
from kerasopt.cli import user_code
from kerasopt.cli import user_code as modules
from kerasopt.cli.studies import Place, begun, joined, reached
from kerasopt.cli.tune_settings import COMMAND, DEFAULTS, constraints, objectives, plain
from kerasopt.tuning.reports.result import SearchResult
from kerasopt.tuning.tuner import Tuner

_EPOCHS = 10


def search(
    hypermodel: str,
    storage: str | None,
    study_name: str | None,
    directory: str | None,
    overwrite: bool,
    workers: int,
    trials_per_process: int | None,
    worker: bool,
    wait: float,
    output: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Search, and print what was found.

    Args:
        hypermodel: As `user_code.hypermodel` takes it.
        storage: As in `Place`.
        study_name: As in `Place`.
        directory: As in `Place`.
        overwrite: Whether a study of that name is deleted.
        workers: How many processes run trials here.
        trials_per_process: After how many a process is followed by a new one.
        worker: Whether the study is one that another process begins.
        wait: How many seconds to wait for that.
        output: Folder of the report, or `None`.
        as_json: Whether the result is printed as JSON, and all else on the standard error.
        **options: What a study keeps: objectives, constraints, and those of `DEFAULTS`; of what is
            `None` the study says what it is.
    """
    if worker and overwrite:
        raise bad_value("overwrite", "`False` with --worker", True)
    if output is not None and Path(output).is_file():
        raise bad_value("output", "a folder", output, "It is a file.")
    options["objective"] = objectives(options["objective"])
    options["constraint"] = constraints(options["constraint"])
    asked = {name: value for name, value in options.items() if value is not None}
    place = Place(storage, directory, study_name)
    # That each trial's model is traced anew is as it should be.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        if isinstance(sys.stdout, io.TextIOWrapper):  # a notebook's, or a test's, is another
            sys.stdout.reconfigure(line_buffering=True)
        module, model = user_code.hypermodel(hypermodel)
        found = joined(place, wait) if worker else None if overwrite else begun(place)
        if found is not None:
            place = Place(storage, directory, found[0])
        settings = {**DEFAULTS, **(found[1] if found else {}), **asked}
        arguments = _arguments(user_code.data(settings["data"], module), settings)
        tuner = _tuner(model, place, overwrite, settings)
        if worker:
            # Its random numbers must not be those of another process that begins now.
            tuner.oracle.worker = 1 + uuid.uuid4().int % 1_000_000
            click.echo(f"Joined the study {place.name!r} in {place}.")
        else:
            reached(lambda: _begin(tuner, settings))
            _greet(place, hypermodel)
        with _failing():
            tuner.search(workers=workers, trials_per_process=trials_per_process, **arguments)
        result = _result(tuner)
        report = None if output is None else result.save_report(output)
    if as_json:
        where = {"study": place.name, "storage": str(place), "report": report and str(report)}
        click.echo(json.dumps(plain({**where, **result.to_dict()}), indent=2))
        return
    click.echo(f"\n{result}\n")
    if result.best.folder:
        click.echo(f"The best model's weights: {result.best.folder} on {result.best.host}")
    if report is not None:
        click.echo(f"The report: {report}")


def _arguments(data: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Give the arguments of `fit`: what was said goes before what the data say."""
    wished = {name: settings[name] for name in ("epochs", "batch_size")}
    said = {name: value for name, value in wished.items() if value is not None}
    arguments = {"epochs": _EPOCHS, **data, **said}
    known = "validation_data" in data or "validation_split" in data
    if not known and settings["folds"] is None and data.get("y") is not None:
        arguments["validation_split"] = 0.2
    return arguments


def _tuner(model: Any, place: Place, overwrite: bool, settings: dict[str, Any]) -> Tuner:
    goal = settings.get("objective")
    if goal is None:
        goal = getattr(model, "objective", "val_loss")
    pruner = settings["pruner"]

    def make() -> Tuner:
        return Tuner(
            model,
            goal or None,
            settings["max_trials"],
            settings["sampler"],
            place.storage,
            place.name,
            seed=settings["seed"],
            pruner=None if pruner == "none" else pruner,
            constraints=settings.get("constraint"),
            initial="default",
            executions_per_trial=settings["executions"],
            folds=settings["folds"],
            directory=place.directory,
            project_name=place.name,
            overwrite=overwrite,
        )

    try:
        return reached(make)
    except Exception as error:
        if modules.line_of(error) is None:
            raise
        raise modules.raised("The hypermodel", error) from error


def _begin(tuner: Tuner, settings: dict[str, Any]) -> None:
    """Make the study; when it holds what it was begun with, others may join."""
    tuner.oracle.prepare()
    tuner.oracle.study.set_user_attr(COMMAND, {name: settings[name] for name in DEFAULTS})


def _greet(place: Place, hypermodel: str) -> None:
    click.echo(f"The study {place.name!r} is in {place}.")
    click.echo(f"To join in:  kerasopt tune {hypermodel} {place.words()} --worker")
    click.echo(f"To look:     kerasopt tune status {place.words()}")
    click.echo(f"             optuna-dashboard {place.dashboard()}")


@contextlib.contextmanager
def _failing() -> Iterator[None]:
    """Let a search that fails end with a message; wrong arguments are told apart by the caller."""
    try:
        yield
    except (TypeError, ValueError):
        raise
    except (RuntimeError, OSError, keras_tuner.errors.FatalError) as error:
        raise click.ClickException(str(error)) from error


def _result(tuner: Tuner) -> SearchResult:
    result = SearchResult(tuner)
    if not any(one.state == "COMPLETED" for one in result.trials):
        said = "; ".join(f"{one.id}: {one.reason}" for one in result.trials[:5])
        raise click.ClickException(f"No trial has been completed: {said}")
    return result
