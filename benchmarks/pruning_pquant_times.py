"""Step times of `pruning_pquant.py`: of PQuantML in its environment, of ours in ours."""

from typing import Any

from pruning_models import compiled, noise, step_ms
from pruning_pquant_training import config_of, functional
from pruning_training import Job

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
