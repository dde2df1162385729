"""The command `sensitivity`."""

import json

from kerasopt.cli.data import load as load_data
from kerasopt.cli.export import input_size
from kerasopt.cli.inspect import with_folder
from kerasopt.export import sensitivity
from kerasopt.export.model.saved_model import load as load_model
from kerasopt.reporting.figures import check_path
from kerasopt.reporting.sensitivity import plot_sensitivity


def rank(
    model: str,
    calibration: str | None,
    validation_data: str | None,
    mode: str,
    batch_size: int | None,
    plot: str | None,
    as_json: bool,
) -> None:
    """Rank the layers of a model, and print the table."""
    check_path(None if plot is None else with_folder("plot", plot))
    loaded = load_model(model)
    size = input_size(loaded)
    given = {
        name: None if path is None else load_data(name, path, size)
        for name, path in (("calibration", calibration), ("validation_data", validation_data))
    }
    found = sensitivity(
        loaded,
        calibration=given["calibration"],
        validation_data=given["validation_data"],
        mode=mode,
        batch_size=batch_size,
    )
    if plot is not None:
        plot_sensitivity(found, plot)
    print(json.dumps(found.to_dict(), indent=2) if as_json else found)  # noqa: T201
