"""Training and judging: the same steps at the same rates for all. In processes."""

import warnings
from typing import Any

from benchmarks.structured.models import Data, images
from benchmarks.structured.settings import Job

MODES = ("float32", "int8")
GLANCE = 2_000  # test images on which a model is judged before it is fine-tuned


def data_of(job: Job) -> Data:
    """Give the images of a job."""
    return images(job.home, job.seed, job.settings.train, job.settings.test)


def compiled(model: Any, rate: float, steps: int) -> Any:
    """Give the model, ready for `fit`, with half a cosine of learning rates."""
    import keras

    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    return model


def fit(model: Any, data: Data, job: Job, rate: float, epochs: int, callbacks: Any = ()) -> None:
    """Train; the batches are the same for every model of a seed."""
    import keras

    keras.utils.set_random_seed(job.seed)
    steps = -(-len(data.x) // job.settings.batch)
    compiled(model, rate, epochs * steps)
    model.fit(data.x, data.y, job.settings.batch, epochs, verbose=0, callbacks=[*callbacks])


def train(model: Any, data: Data, job: Job) -> None:
    """Train a new model."""
    fit(model, data, job, job.settings.rate, job.settings.epochs)


def tune(model: Any, data: Data, job: Job, callbacks: Any = (), epochs: int | None = None) -> None:
    """Fine-tune; with `epochs`, only so many."""
    many = job.settings.tuning if epochs is None else epochs
    fit(model, data, job, job.settings.tuning_rate, many, callbacks)


def taught(model: Any, teacher: Any, data: Data, job: Job) -> None:
    """Fine-tune a model that learns from a teacher, too."""
    from kerasopt.distillation import OutputDistiller

    tune(OutputDistiller(teacher, model), data, job)


def glance(model: Any, data: Data) -> float:
    """Give the accuracy on some of the test images, in percent."""
    compiled(model, 0.0, 1)
    found = model.evaluate(data.x_test[:GLANCE], data.y_test[:GLANCE], 500, 0, return_dict=True)
    return 100 * float(found["accuracy"])


def judged(model: Any, data: Data, job: Job, run: str) -> dict[str, Any]:
    """Count, export and judge a model; its files are kept.

    Returns:
        `parameters`, `nonzero`, `macs`, `peak_bytes`, and by mode `bytes`, `zipped` and the
        `accuracy` of the file on the test images, in percent.
    """
    from kerasopt.export import to_tflite
    from kerasopt.profile import count
    from kerasopt.pruning import sparsity

    cost = count(model)
    zeros = sum(row.zeros for row in sparsity(model).rows)
    found: dict[str, Any] = {
        "parameters": cost.parameters,
        "nonzero": cost.parameters - zeros,
        "macs": cost.macs,
        "peak_bytes": cost.peak_bytes,
    }
    for mode in MODES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file = to_tflite(model, job.path(run, f"{mode}.tflite"), mode, calibration=data.x[:256])
        (accuracy,) = file.evaluate(data.x_test, data.y_test).values()
        found[mode] = {
            "bytes": len(file.bytes),
            "zipped": file.report.cost.zipped_bytes,
            "accuracy": 100 * accuracy,
        }
    return found
