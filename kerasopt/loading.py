"""Loading models that hold layers of kerasopt."""

from typing import Any


def load_model(path: Any, custom_objects: Any = None, compile: bool = True) -> Any:  # noqa: A002
    """Load a model that was saved with layers of `kerasopt.layers` in it.

    It is `keras.saving.load_model` in safe mode, with these layers known. After `import
    kerasopt.layers` Keras's own function loads them too; models with only penalties, pruned weights
    and Keras's own dropout need neither.

    Args:
        path: Path of a `.keras` or `.h5` file.
        custom_objects: Dict of further classes and functions of your own, by name. Defaults to
            `None`.
        compile: Whether to compile the model as it was saved. Defaults to `True`.

    Returns:
        The model.

    Raises:
        ValueError: If the file does not exist or is no saved model.
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

    return keras.saving.load_model(
        path, custom_objects=custom_objects, compile=compile, safe_mode=True
    )
