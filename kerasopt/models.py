"""Loading models that hold layers of kerasopt, and those of Keras 2."""

import os
from pathlib import Path
from typing import Any

from kerasopt._core.checks import bad_type, bad_value, warn

# Variables of an optimizer that keeps nothing for the weights: its steps and its learning rate.
_OWN = 2
_UNCOMPILED = "{} is loaded without being compiled, so compile it: {}"


def load_model(path: Any, custom_objects: Any = None, compile: bool = True) -> Any:  # noqa: A002
    """Load a model from whatever file or folder it is in.

    It is `keras.saving.load_model` in safe mode, with the layers of `kerasopt.layers` known. After
    `import kerasopt.layers` Keras's own function loads them too; models with only penalties, pruned
    weights and Keras's own dropout need neither. Of a file of Keras 2, arguments that Keras 3 does
    not have are left out where they change nothing.

    Args:
        path: Path of a `.keras` or `.h5` file, of Keras 2 or 3, or of the folder of a SavedModel.
        custom_objects: Dict of further classes and functions of your own, by name. Defaults to
            `None`.
        compile: Whether to compile the model as it was saved; a file whose losses or optimizer
            Keras 3 does not read is loaded without, with a warning. Of an `.h5` file, and of a
            `.keras` file of Keras 2, the optimizer keeps its settings and begins anew. Defaults to
            `True`.

    Returns:
        The model; of a SavedModel an object that `kerasopt.export` takes like one.

    Raises:
        ValueError: If the file does not exist or is no saved model, or holds a layer that Keras 3
            does not have.
        TypeError: If `path` is no path, or the file holds a class that is not known.

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
    from kerasopt._core import keras2, keras2_archive

    expected = "a path of a `.keras` or `.h5` file, or of a folder with a SavedModel"
    if not isinstance(path, (str, os.PathLike)):
        raise bad_type("path", expected, path)
    found = Path(path)
    if (found / "saved_model.pb").is_file():
        from kerasopt.export.model.saved_model import SavedModel

        return SavedModel(found, "path")
    # Keras also loads the folder that a `.keras` file was unpacked into.
    if found.is_dir() and not (found / "config.json").is_file():
        raise bad_value("path", expected, str(path), "It is a folder without 'saved_model.pb'.")
    if found.suffix not in (".h5", ".hdf5"):
        config = keras2_archive.config_of(found)
        if config is not None:
            return _of_keras_2(found, config, custom_objects, compile)
        return keras.saving.load_model(
            path, custom_objects=custom_objects, compile=compile, safe_mode=True
        )
    if not found.is_file():
        raise bad_value("path", expected, str(path), "There is no such file.")
    if not keras2.is_hdf5(found):
        raise bad_value("path", expected, str(path), "It is no HDF5 file, or a damaged one.")
    objects = {**keras2.OBJECTS, **(custom_objects or {})}

    def load(compiled: bool) -> Any:
        return keras.saving.load_model(
            file, custom_objects=objects, compile=compiled, safe_mode=True
        )

    with keras2.readable(found) as file:
        if not compile:
            return load(compiled=False)
        try:
            model = load(compiled=True)
            _check_losses(model.loss if model.compiled else None, objects)
            _renew_optimizer(model)
            return model
        except Exception as error:  # a loss or an optimizer that Keras 3 does not read from `.h5`
            said = " ".join(str(error).split())[:200]
        model = load(compiled=False)
    warn(_UNCOMPILED.format(found.name, said))
    return model


def _check_losses(losses: Any, objects: dict[str, Any]) -> None:
    """Look up losses by name, which from 3.16 on Keras does not before training.

    Raises:
        ValueError: If Keras does not know one of them.
    """
    import keras

    with keras.saving.custom_object_scope(objects):
        for one in keras.tree.flatten(losses):
            if isinstance(one, str):
                keras.losses.get(one)


def _renew_optimizer(model: Any) -> None:
    """Give a model an optimizer that is built for its weights.

    Of an `.h5` file Keras 3.15 and 3.16 build it for none, and training ends with an error.
    """
    old = getattr(model, "optimizer", None)
    if old is None or not old.built:
        return
    new = type(old).from_config(old.get_config())
    new.build(model.trainable_variables)
    alone = len(new.variables) == _OWN
    if alone:
        new.iterations.assign(old.iterations)
    if alone or len(new.variables) != len(old.variables):
        model.optimizer = new


def _of_keras_2(path: Path, config: dict[str, Any], custom_objects: Any, compiled: bool) -> Any:
    """Load a `.keras` file of Keras 2; its optimizer begins anew."""
    import keras

    from kerasopt._core import keras2, keras2_archive

    objects = {**keras2.OBJECTS, **(custom_objects or {})}
    with keras2_archive.readable(path, config) as file:
        model = keras.saving.load_model(file, custom_objects=objects, compile=False, safe_mode=True)
    arguments = keras2_archive.compile_arguments(config) if compiled else None
    if arguments is None:
        return model
    try:
        with keras.saving.custom_object_scope(objects):
            model.compile_from_config(arguments)
    except Exception as error:  # a loss or an optimizer that Keras 3 does not have
        warn(_UNCOMPILED.format(path.name, " ".join(str(error).split())[:200]))
    return model
