"""Progress quotient: stop when validation worsens more than training still progresses."""

from collections.abc import Mapping
from typing import Any

from kerasopt._checks import positive
from kerasopt.stopping.generalization_loss import generalization_loss
from kerasopt.stopping.rule import Verdict, go_on
from kerasopt.stopping.strips import TINY, StripRule


class ProgressQuotient(StripRule):
    r"""Stop at the end of a strip of epochs when GL / P exceeds `alpha`.

    GL(t) = 100 (E(t) / E_opt(t) - 1) is the generalization loss of the validation error and
    P_k(t) = 1000 (sum of E_tr / (k min of E_tr) - 1) the training progress over the last k epochs,
    k = `strip` (Prechelt, 1998, "Early Stopping - But When?"): while training still progresses, a
    rise of the validation error may be mended. Where P is 0, any positive GL stops. A metric to be
    maximised is negated first.

    | epoch | 0 | 1 | 2 | 3 | 4 |
    |---|---|---|---|---|---|
    | loss | 1.2 | 1.1 | 1.0 | 1.0 | 1.0 |
    | val_loss | 1.0 | 1.1 | 1.2 | 1.3 | 1.4 |
    | GL | 0 | 10 | 20 | 30 | 40 |
    | P_5 | | | | | 60 |
    | PQ | | | | | 0.67: `ProgressQuotient(0.5)` stops |

    Args:
        alpha: Float > 0. Prechelt tried 0.5, 0.75, 1, 2, 3. Defaults to `0.5`.
        strip: Int >= 2, k, counted in training values. Defaults to `5`. GL is that of the last
            validation, if the epoch at the end of a strip has none.
        monitor: Name of the validation metric. Defaults to the callback's, `val_loss` without one.
        train_monitor: Name of the training metric. Defaults to `monitor` without `val_`.
        mode: `"min"`, `"max"` or `"auto"`, which tells from the name. Defaults to `"auto"`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `alpha` is not positive or `strip` is below 2.

    Example:
    >>> rule = ProgressQuotient(0.5)
    >>> training, validation = [1.2, 1.1, 1.0, 1.0, 1.0], [1.0, 1.1, 1.2, 1.3, 1.4]
    >>> [rule.update(t, {"loss": a, "val_loss": b}).stop
    ...  for t, (a, b) in enumerate(zip(training, validation))]
    [False, False, False, False, True]
    """

    def __init__(
        self,
        alpha: float = 0.5,
        strip: int = 5,
        monitor: str | None = None,
        train_monitor: str | None = None,
        mode: str = "auto",
    ):
        self.alpha = positive("alpha", alpha)
        super().__init__(strip, monitor, train_monitor, mode)

    def reset(self) -> None:
        """Forget everything: a new run begins."""
        super().reset()
        self._loss: float | None = None

    def update(self, step: int, metrics: Mapping[str, Any]) -> Verdict:
        """Take the metrics of one more epoch and decide."""
        super().update(step, metrics)
        training = self._strip_progress(metrics)
        if training is None or self._loss is None:
            return go_on
        quotient = self._loss / max(training, TINY)
        if not quotient > self.alpha:  # nor is it where both are infinite
            return go_on
        return self._stop(
            f"{self.metric} is {self._loss:.3g} % worse than its best {self.best:.4g}, while "
            f"{self.train_metric} progressed by {training:.3g} per thousand in {self.strip} "
            f"epochs: their quotient is {quotient:.3g} (more than {self.alpha:g})"
        )

    def _decide(self, step: int, value: float, improved: bool) -> Verdict:  # noqa: ARG002
        assert self.best is not None
        self._loss = generalization_loss(self.error(value), self.error(self.best))
        return go_on

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        return {"alpha": self.alpha, **super().get_config()}

    def get_state(self) -> dict[str, Any]:
        """Give what the rule has learned from the run, as plain data."""
        return {**super().get_state(), "loss": self._loss}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `get_state` gave."""
        super().set_state(state)
        self._loss = state["loss"]
