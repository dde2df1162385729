"""Training runs of PQuantML for `benchmarks.pruning.pquant`, in the environment that has it."""

import time
from typing import Any

from ..models import classifier, compiled, noise, step_ms
from ..training import Job, batches, judged, load, weights_of


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


OURS, PLAIN, AGAIN = "kerasopt", "plain", "plain, a second model"


def times(settings: dict[str, Job], rounds: int, steps: int) -> dict[str, list[float]]:
    """Time one `fit` of every variant in every round, in an order drawn anew; ms a step.

    Args:
        settings: Those of PQuantML, or the method `kerasopt` with the arguments of `Pruning`.
        rounds: How many, after one that warms up.
        steps: Of each `fit`; each is traced anew, as `Pruning` needs it.
    """
    import keras
    import numpy as np

    models = {name: _timed({"method": PLAIN}) for name in (PLAIN, AGAIN)}
    models |= {name: _timed(job) for name, job in settings.items()}
    names, rng = list(models), np.random.default_rng(0)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):
        for name in rng.permutation(names):
            model, callbacks = models[name], callbacks_of(settings.get(name), steps)
            model.make_train_function(force=True)
            ms = step_ms(keras, model, noise((28, 28, 1), steps), steps, callbacks)
            if number:  # the first round warms up
                taken[name].append(ms)
    return taken


def _timed(job: Job) -> Any:
    import keras

    keras.utils.set_random_seed(0)
    model = functional((28, 28, 1))
    if job["method"] not in (PLAIN, OURS):
        import pquant

        config = config_of(job)
        model = pquant.add_compression_layers(model, config)
        pquant.layers.post_pretrain_functions(model, config)
        main = job["epochs"][1]
        pquant.layers.pre_epoch_functions(model, main - 1, main)  # the final sparsity
    return compiled(keras, model)


def callbacks_of(job: Job | None, steps: int) -> list[Any]:
    """Give the `Pruning` of ours, or none."""
    if job is None or job["method"] != OURS:
        return []
    from kerasopt.callbacks import Pruning
    from kerasopt.schedules import PolynomialDecay

    return [Pruning(PolynomialDecay(0.0, 0.8, begin=0, end=steps - 1), **job["pruning"])]
