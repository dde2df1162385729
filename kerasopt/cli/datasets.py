"""The real data of the demo."""

from dataclasses import dataclass
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Images:
    """Images and labels, split in order: training, validation, test.

    Attributes:
        name: What the data is called.
        images: Array of shape (n, height, width, 1), raw pixels.
        labels: Array of shape (n,), classes from 0.
        brightest: The highest value a pixel can have.
        validation: How many images before the test set are for validation.
        test: How many images at the end are the test set.
    """

    name: str
    images: NDArray[Any]
    labels: NDArray[Any]
    brightest: int
    validation: int
    test: int

    def part(self, which: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """Give the images and labels of `"train"`, `"validation"` or `"test"`."""
        last = len(self.images) - self.test
        middle = last - self.validation
        where = {
            "train": slice(0, middle),
            "validation": slice(middle, last),
            "test": slice(last, None),
        }
        return self.images[where[which]], self.labels[where[which]]


def digits() -> Images:
    """Load scikit-learn's 1,797 handwritten digits of 8 x 8 pixels, values 0 to 16."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise click.ClickException(
            "The digits come with scikit-learn: pip install 'kerasopt[demo]'."
        ) from error
    data = load_digits()
    images = data.images.astype(np.float32)[..., np.newaxis]
    return Images("handwritten digits", images, data.target, 16, validation=200, test=397)


def fashion_mnist() -> Images:
    """Load Fashion-MNIST: 70,000 images of 28 x 28 pixels, values 0 to 255."""
    import keras

    try:
        (x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
    except Exception as error:  # a download can fail in many ways
        raise click.ClickException(
            f"Fashion-MNIST could not be loaded ({error}). It is downloaded once; on a machine "
            "without network, put it into a Keras cache and set KERAS_HOME to that folder."
        ) from error
    images = np.concatenate([x, x_test]).astype(np.float32)[..., np.newaxis]
    labels = np.concatenate([y, y_test])
    return Images("Fashion-MNIST", images, labels, 255, validation=5000, test=len(y_test))


LOADERS = {"digits": digits, "fashion_mnist": fashion_mnist}
