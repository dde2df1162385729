"""Batches that were seen before the process died: taken from the data, not trained on."""

from collections.abc import Mapping
from typing import Any

from kerasopt import _keras


class Skipping:
    """Pass over the first batches of an epoch, with nobody else noticing.

    While they are passed over, the train function of the model only takes them from the iterator.
    The first one is trained on for real, which builds all that Keras builds late (metrics, losses,
    the optimizers of a `train_step` of one's own); the state that is restored afterwards makes up
    for it.

    Args:
        model: The model that trains.
        batches: Int >= 1, how many to pass over.
        logs: What the last of them reported.
    """

    def __init__(self, model: Any, batches: int, logs: Mapping[str, Any]):
        self.model = model
        self.batches = batches
        self._logs = dict(logs)
        self._train = model.train_function
        self._built = False
        model.train_function = self._pass_over

    def _pass_over(self, iterator: Any) -> dict[str, Any]:
        try:
            return self._passed_over(iterator)
        except BaseException:  # the data's own, or Ctrl-C: the next `fit` is to train
            self.finish()
            raise

    def _passed_over(self, iterator: Any) -> dict[str, Any]:
        if not self._built:
            self._train(iterator)
            self._built = True
            return self._logs
        for _ in range(_keras.steps_per_execution(self.model)):
            if next(iterator, None) is None:
                break
        return self._logs

    def done(self, batch: int) -> bool:
        """Tell whether the batch with this index was the last one to be passed over."""
        return batch + 1 >= self.batches

    def finish(self) -> None:
        """Give the model its train function back."""
        self.model.train_function = self._train
