"""A model from whatever file it is in."""

import os
import zipfile
from pathlib import Path
from typing import Any

from kerasopt._checks import bad_value, warn
from kerasopt.export.saved_model import FILE, SavedModel
from kerasopt.loading import load_model

_FORMS = "a path of a `.keras` or `.h5` file, or of a folder with a SavedModel"


def load(path: str | os.PathLike[str], argument: str = "model", compiled: bool = False) -> Any:
    """Load a model for export, in safe mode.

    Args:
        path: Of a `.keras` file, an `.h5` file of Keras 2 or 3, or the folder of a SavedModel.
        argument: Name of the user's argument, for errors.
        compiled: Whether it is compiled, if that can be done from what is in the file. Defaults to
            `False`.

    Raises:
        ValueError: If there is no such file, or it is something else.
    """
    found = Path(path)
    if (found / FILE).is_file():
        return SavedModel(found, argument)
    if found.is_dir():
        raise bad_value(argument, _FORMS, str(path), f"It is a folder without {FILE!r}.")
    if not found.is_file():
        raise bad_value(argument, _FORMS, str(path), "There is no such file.")
    legacy = found.suffix in (".h5", ".hdf5")
    if not legacy and not zipfile.is_zipfile(found):
        raise bad_value(argument, _FORMS, str(path), "It is something else.")
    if compiled:
        try:
            return load_model(found)
        except Exception as error:  # a loss of the user's own, or no model at all
            said = " ".join(str(error).split())[:200]
            warn(f"{found.name} is loaded without being compiled: {said}")
    try:
        return load_model(found, compile=False)
    except Exception as error:
        said = " ".join(str(error).split())[:300]
        raise bad_value(argument, _FORMS, str(path), f"Keras cannot load it: {said}") from error
