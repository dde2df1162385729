"""The command `shrink`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from kerasopt._core.checks import bad_value
from kerasopt._core.files import replacing
from kerasopt.cli.data import load as load_data
from kerasopt.cli.export import input_size
from kerasopt.cli.inspect import with_folder
from kerasopt.export.model.saved_model import load as load_model
from kerasopt.structured import shrink_plan
from kerasopt.structured.budget.request import requested


def shrink(
    model: str,
    output: str | None,
    pruning_ratio: Sequence[str],
    budget: Sequence[str],
    plan: bool,
    data: str | None,
    labels: str | None,
    as_json: bool,
    **how: Any,
) -> None:
    """Remove channels from a model in a file, or show what would go."""
    if output is not None and plan:
        raise bad_value("plan", "--plan, or -o", output, "A plan writes nothing.")
    if labels is not None and data is None:
        raise bad_value("labels", "--data, whose labels they are", labels)
    if how.get("reconstruct") and data is None:
        raise bad_value("reconstruct", "--data beside it, such as --data x.npy", True)
    if output is not None and Path(output).suffix != ".keras":
        raise bad_value("output", "a path that ends in .keras", output)
    share, limits = _ratio(pruning_ratio), _budget(budget)
    requested(share, limits)
    loaded = load_model(model, compiled=True)
    if output is not None:
        with_folder("output", output)
    elif not plan:
        output = str(Path(model).absolute().with_name(f"{Path(model).stem}-small.keras"))
        click.echo(f"Writes {output}", err=True)
    given: dict[str, Any] = {
        name: list(value) or None if isinstance(value, tuple) else value
        for name, value in how.items()
    }
    found = shrink_plan(
        loaded,
        pruning_ratio=share,
        budget=limits,
        data=_data(loaded, data, labels),
        **given,
    )
    print(json.dumps(found.to_dict(), indent=2) if as_json else found)  # noqa: T201
    if output is not None:
        small = found.apply()
        with replacing(output) as temporary:
            small.save(temporary)


def _ratio(texts: Sequence[str]) -> Any:
    """Give the one number, the word, or a dict by layer."""
    if not texts:
        return None
    if len(texts) == 1 and "=" not in texts[0]:
        try:
            return float(texts[0])
        except ValueError:
            return texts[0]
    return _numbers("pruning_ratio", "one number, `masked`, or LAYER=0.5 several times", texts)


def _budget(texts: Sequence[str]) -> dict[str, float] | None:
    form = "macs=0.5, params=0.5 or bytes=20000"
    return _numbers("budget", form, texts) if texts else None


def _numbers(argument: str, form: str, texts: Sequence[str]) -> dict[str, float]:
    found = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            found[name] = int(number) if number.isdigit() else float(number)
        except ValueError:
            raise bad_value(argument, form, text) from None
        if not name:
            raise bad_value(argument, form, text)
    return found


def _data(model: Any, data: str | None, labels: str | None) -> Any:
    if data is None:
        return None
    x = load_data("data", data, input_size(model))
    return x if labels is None else (x, load_data("labels", labels))
