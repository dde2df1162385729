"""Loading models that hold layers of kerasopt, and those of Keras 2."""

from pathlib import Path
from typing import Any

from kerasopt._checks import warn


def load_model(path: Any, custom_objects: Any = None, compile: bool = True) -> Any:  # noqa: A002
    """Load a model from whatever file or folder it is in.

    It is `keras.saving.load_model` in safe mode, with the layers of `kerasopt.layers` known. After
    `import kerasopt.layers` Keras's own function loads them too; models with only penalties, pruned
    weights and Keras's own dropout need neither. Of an `.h5` file of Keras 2, arguments that Keras
    3 does not have are left out where they change nothing.

    Args:
        path: Path of a `.keras` file, of an `.h5` file of Keras 2 or 3, or of the folder of a
            SavedModel.
        custom_objects: Dict of further classes and functions of your own, by name. Defaults to
            `None`.
        compile: Whether to compile the model as it was saved; a file of Keras 2 whose losses or
            optimizer Keras 3 does not read is loaded without, with a warning. Defaults to `True`.

    Returns:
        The model; of a SavedModel an object that `kerasopt.export` takes like one.

    Raises:
        ValueError: If the file does not exist or is no saved model, or holds a layer that Keras 3
            does not have.
        TypeError: If it holds a class that is not known.

    Example:
    >>> import os, tempfile, keras, kerasopt
    >>> model = keras.Sequential([keras.Input((3,)), kerasopt.layers.ScheduledDropout(0.2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(os.path.join(folder, "model.keras"))
    ...     loaded = kerasopt.load_model(os.path.join(folder, "model.keras"))
    >>> type(loaded.layers[0]).__name__
    'ScheduledDropout'
    """
    import keras

    import kerasopt.layers  # noqa: F401  its layers are registered with Keras by the import
    from kerasopt import _legacy

    found = Path(path)
    if (found / "saved_model.pb").is_file():
        from kerasopt.export.saved_model import SavedModel

        return SavedModel(found, "path")
    if found.suffix not in (".h5", ".hdf5"):
        return keras.saving.load_model(
            path, custom_objects=custom_objects, compile=compile, safe_mode=True
        )
    objects = {**_legacy.OBJECTS, **(custom_objects or {})}
    with _legacy.readable(found) as file:
        if compile and _legacy.is_old(found):
            try:
                return keras.saving.load_model(file, custom_objects=objects, safe_mode=True)
            except Exception as error:  # Keras 3 does not read all losses and optimizers of Keras 2
                said = " ".join(str(error).split())[:200]
                warn(
                    f"{found.name} is of Keras 2 and loaded without being compiled, so compile it: "
                    f"{said}"
                )
            compile = False  # noqa: A001
        return keras.saving.load_model(
            file, custom_objects=objects, compile=compile, safe_mode=True
        )
