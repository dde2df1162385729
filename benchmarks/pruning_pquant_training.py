"""Training runs of PQuantML for `pruning_pquant.py`, in the environment that has it."""

import time
from typing import Any

from pruning_models import classifier, compiled
from pruning_training import Job, batches, judged, load, weights_of


def config_of(settings: Job) -> Any:
    """Give the method's own defaults, changed by the settings; weights are not quantized."""
    import pquant

    config = getattr(pquant, f"{settings['method']}_config")()
    config.quantization_parameters.enable_quantization = False
    for name, value in settings["pruning"].items():
        setattr(config.pruning_parameters, name, value)
    training = config.training_parameters
    training.pretraining_epochs, training.epochs, training.fine_tuning_epochs = settings["epochs"]
    training.rounds, training.rewind = 1, "never"
    return config


def functional(shape: tuple[int, ...]) -> Any:
    """Give the CNN as a functional model: of a `Sequential`, PQuantML leaves the first layer out.

    It begins behind `model.layers[0]`, which in a `Sequential` is a convolution, not the input.
    """
    import keras

    model = classifier(keras, shape)
    return keras.Model(model.inputs, model.outputs)


def train(jobs: list[Job]) -> list[dict[str, Any]]:
    """Train each of the jobs, each on the stored arrays of its seed."""
    return [_tried(load(job["path"]), job) for job in jobs]


def _tried(arrays: dict[str, Any], job: Job) -> dict[str, Any]:
    try:
        return run_of(arrays, job)
    except TypeError as error:
        return {"error": str(error)}


def run_of(arrays: dict[str, Any], job: Job) -> dict[str, Any]:
    """Train one run with PQuantML, and judge a plain model that has its weights."""
    import keras
    import numpy as np
    import pquant

    begun = time.perf_counter()
    keras.utils.clear_session()
    keras.utils.set_random_seed(job["seed"])
    shape = arrays["x_train"].shape[1:]
    plain = functional(shape)
    plain.set_weights(weights_of(arrays))
    config = config_of(job["settings"])
    model = pquant.add_compression_layers(plain, config)
    compiled(keras, model, job["learning_rate"])
    orders = arrays["order"].reshape(job["epochs"], -1, arrays["order"].shape[1])

    def one_epoch(model: Any, epoch: Any) -> None:
        data = batches({**arrays, "order": orders[int(epoch)]})
        model.fit(data, epochs=1, shuffle=False, verbose=0)

    pquant.train_model(model, config, one_epoch, lambda model, epoch: None)
    pquant.apply_final_compression(model)
    # There is no strip, so the weights are put into a plain model by hand.
    plain.set_weights([one for layer in model.layers for one in own(layer)])
    found = judged(plain, arrays, job)
    x = arrays["x_validation"]
    logits = [one.predict(x, batch_size=1_000, verbose=0) for one in (model, plain)]
    found["off"] = float(np.abs(logits[0] - logits[1]).max())
    if job["save"]:
        model.save(job["save"])
    return {**found, "seconds": time.perf_counter() - begun}


def own(layer: Any) -> list[Any]:
    """Give the kernel and the bias of a layer, without what belongs to its pruning."""
    return [layer._kernel.numpy(), layer._bias.numpy()] if hasattr(layer, "_kernel") else []
