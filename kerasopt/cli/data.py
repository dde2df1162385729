"""Data for the commands, from files: `.npy`, `.npz`, `.csv`, a folder of images."""

from pathlib import Path
from typing import Any

import numpy as np

from kerasopt._core.checks import bad_value

_FORMS = "a path of a .npy, .npz or .csv file, or of a folder of images"
_IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")


def load(argument: str, path: str, size: tuple[int | None, ...] | None = None) -> Any:
    """Read data from a file.

    Args:
        argument: Name of the option, for errors.
        path: Of a `.npy` file; a `.npz` file, whose arrays are those of the inputs by name (one
            array is the input); a `.csv` file of numbers, with or without a heading; or a folder of
            images, which are read in the order of their names.
        size: Shape (height, width, channels) to which images are brought. Defaults to `None`: the
            data are no images.

    Returns:
        An array, or a dict of arrays.

    Raises:
        ValueError: If there is no such file, or it cannot be read.
    """
    found = Path(path)
    if found.is_dir():
        return _images(argument, found, size)
    if not found.is_file():
        raise bad_value(argument, _FORMS, path, "There is no such file.")
    try:
        match found.suffix:
            case ".npy":
                return np.load(found, allow_pickle=False)
            case ".npz":
                with np.load(found, allow_pickle=False) as stored:
                    arrays = dict(stored)
                return arrays if len(arrays) != 1 else next(iter(arrays.values()))
            case ".csv":
                return _table(found)
    except Exception as error:  # a damaged archive fails in many ways
        said = str(error).rstrip(".")
        raise bad_value(argument, _FORMS, path, f"It cannot be read: {said}.") from error
    raise bad_value(argument, _FORMS, path)


def _table(path: Path) -> Any:
    with path.open() as lines:
        first = lines.readline()
    heading = 0
    for word in first.split(","):
        try:
            float(word)
        except ValueError:
            heading = 1
    table = np.loadtxt(path, delimiter=",", skiprows=heading, ndmin=2)
    # Labels that are classes are integers.
    return table.astype(np.int64) if bool((np.mod(table, 1) == 0).all()) else table


def _images(argument: str, folder: Path, size: tuple[int | None, ...] | None) -> Any:
    import tensorflow as tf

    paths = sorted(one for one in folder.rglob("*") if one.suffix.lower() in _IMAGES)
    if not paths:
        raise bad_value(argument, "a folder of images", str(folder), f"It has no {_IMAGES}.")
    if size is None or len(size) != 3 or None in size or size[2] not in (1, 3, 4):
        raise bad_value(argument, "arrays, as the model takes no images of one size", str(folder))
    images = []
    for path in paths:
        try:
            image = tf.io.decode_image(path.read_bytes(), channels=size[2], expand_animations=False)
        except tf.errors.InvalidArgumentError as error:
            raise bad_value(argument, "images", str(path), "It cannot be read.") from error
        images.append(np.asarray(tf.image.resize(image, size[:2]), np.float32))
    return np.stack(images)
