"""The rules of Prechelt (1998): generalization loss, low progress, progress quotient, up strips."""

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from kerasopt._core.checks import at_least, positive
from kerasopt._core.logs import number_of
from kerasopt.stopping.rules.monitor import MonitoringRule, TwoMetricsRule
from kerasopt.stopping.rules.rule import Verdict, go_on

TINY = sys.float_info.min


def progress(errors: Sequence[float]) -> float:
    """Give the training progress over a strip in parts per thousand (Prechelt, 1998).

    P_k = 1000 (sum of E_tr over the strip / (k min of E_tr over the strip) - 1): how much larger
    the average training error of the strip was than its least. Where the least is negative the
    difference is divided by its absolute value.

    Args:
        errors: The k training errors of the strip.

    Returns:
        Float >= 0.

    Example:
    >>> round(progress([1.2, 1.1, 1.0, 1.0, 1.0]), 6), progress([0.5, 0.5])
    (60.0, 0.0)
    """
    least = min(errors)
    rise = max(sum(errors) / len(errors) - least, 0.0)  # below 0 by rounding only
    return 1000.0 * rise / max(abs(least), TINY)


class StripRule(TwoMetricsRule):
    """Base of the rules that look at training strips of `strip` epochs.

    Epochs are counted by their training values; those that are not finite are passed over.

    Args:
        strip: Int >= 2, epochs in a strip.
        monitor: Name of the validation metric, or `None` for the callback's.
        train_monitor: Name of the training metric, or `None` for the same name without `val_`.
        mode: `"min"`, `"max"` or `"auto"`.
    """

    def __init__(self, strip: int, monitor: str | None, train_monitor: str | None, mode: str):
        self.strip = at_least("strip", strip, 2)  # one epoch alone makes no progress
        super().__init__(monitor, train_monitor, mode)

    def reset(self) -> None:
        """Forget everything: a new run begins."""
        super().reset()
        self._errors: list[float] = []

    def _strip_progress(self, metrics: Mapping[str, Any]) -> float | None:
        """Take one more training value; give the progress of the strip that it ends, if any."""
        value = number_of(metrics, self.train_metric)
        if value is None or not math.isfinite(value):
            return None
        self._errors.append(self.error(value))
        if len(self._errors) < self.strip:
            return None
        strip, self._errors = self._errors, []
        return progress(strip)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        return {
            "strip": self.strip,
            "monitor": self.monitor,
            "train_monitor": self.train_monitor,
            "mode": self.mode,
        }

    def get_state(self) -> dict[str, Any]:
        """Give what the rule has learned from the run, as plain data."""
        return {**super().get_state(), "errors": list(self._errors)}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `get_state` gave."""
        super().set_state(state)
        self._errors = list(state["errors"])


def generalization_loss(error: float, lowest: float) -> float:
    """Give the generalization loss in percent, 100 (E / E_opt - 1).

    Args:
        error: E, of which less is better.
        lowest: E_opt, the lowest so far.

    Returns:
        Float >= 0. Where E_opt is negative the rise is divided by its absolute value.

    Example:
    >>> round(generalization_loss(1.05, 1.0), 6), round(generalization_loss(-0.9, -1.0), 6)
    (5.0, 10.0)
    """
    return 100.0 * (error - lowest) / max(abs(lowest), TINY)


class GeneralizationLoss(MonitoringRule):
    r"""Stop when the generalization loss exceeds `alpha` percent.

    GL(t) = 100 (E(t) / E_opt(t) - 1), with E the validation error and E_opt(t) the lowest E so far
    (Prechelt, 1998, "Early Stopping - But When?"). A metric to be maximised is negated first, so
    that GL is its fall below the best in percent of the best. A value that is not finite is passed
    over.

    | epoch | 0 | 1 | 2 | 3 |
    |---|---|---|---|---|
    | val_loss | 1.0 | 0.8 | 0.82 | 0.85 |
    | GL | 0 | 0 | 2.5 | 6.25: `GeneralizationLoss(5)` stops |

    Args:
        alpha: Float > 0, in percent. Smaller stops earlier; Prechelt tried 1 to 5. Defaults to
            `5.0`.
        monitor: Name of the metric. Defaults to the callback's, `val_loss` without one.
        mode: `"min"`, `"max"` or `"auto"`, which tells from the name. Defaults to `"auto"`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `alpha` is not positive.

    Example:
    >>> rule = GeneralizationLoss(5.0, monitor="val_loss")
    >>> [rule.update(t, {"val_loss": e}).stop for t, e in enumerate([1.0, 0.8, 0.82, 0.85])]
    [False, False, False, True]
    """

    def __init__(self, alpha: float = 5.0, monitor: str | None = None, mode: str = "auto"):
        self.alpha = positive("alpha", alpha)
        super().__init__(monitor, mode)

    def _decide(self, step: int, value: float, improved: bool) -> Verdict:  # noqa: ARG002
        assert self.best is not None
        loss = generalization_loss(self.error(value), self.error(self.best))
        if loss <= self.alpha:
            return go_on
        return self._stop(
            f"{self.metric} is {value:.4g}, {loss:.3g} % worse than its best {self.best:.4g} "
            f"(more than {self.alpha:g} %)"
        )

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        return {"alpha": self.alpha, "monitor": self.monitor, "mode": self.mode}


class LowProgress(StripRule):
    r"""Stop at the end of a strip of epochs when the training progress P is below `threshold`.

    P_k(t) = 1000 (sum of E_tr over the strip / (k min of E_tr over the strip) - 1), in parts per
    thousand, k = `strip` (Prechelt, 1998, "Early Stopping - But When?", who stopped at P_5 < 0.1).
    It needs no validation data. A metric to be maximised is negated first.

    | strip of losses | P_5 | |
    |---|---|---|
    | 1.2, 1.1, 1.0, 1.0, 1.0 | 60 | |
    | 0.50002, 0.50001, 0.5, 0.5, 0.5 | 0.012 | `LowProgress()` stops |

    Args:
        threshold: Float > 0, in parts per thousand. Defaults to `0.1`.
        strip: Int >= 2, k. Defaults to `5`.
        monitor: Name of the metric. Defaults to the callback's, `val_loss` without one; only its
            name without `val_` is looked at.
        mode: `"min"`, `"max"` or `"auto"`, which tells from the name. Defaults to `"auto"`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `threshold` is not positive or `strip` is below 2.

    Example:
    >>> rule = LowProgress()
    >>> values = [1.2, 1.1, 1.0, 1.0, 1.0, 0.50002, 0.50001, 0.5, 0.5, 0.5]
    >>> [rule.update(t, {"loss": e}).stop for t, e in enumerate(values)].index(True)
    9
    """

    def __init__(
        self,
        threshold: float = 0.1,
        strip: int = 5,
        monitor: str | None = None,
        mode: str = "auto",
    ):
        self.threshold = positive("threshold", threshold)
        super().__init__(strip, monitor, None, mode)

    one_is_enough = True

    @property
    def watched(self) -> tuple[str, ...]:
        """The name of the training metric."""
        return (self.train_metric,)

    def update(self, step: int, metrics: Mapping[str, Any]) -> Verdict:  # noqa: ARG002
        """Take the metrics of one more epoch and decide."""
        progress = self._strip_progress(metrics)
        if progress is None or progress >= self.threshold:
            return go_on
        return self._stop(
            f"{self.train_metric} progressed by {progress:.3g} per thousand in {self.strip} epochs "
            f"(less than {self.threshold:g})"
        )

    def _decide(self, step: int, value: float, improved: bool) -> Verdict:  # noqa: ARG002
        return go_on

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        config = {"threshold": self.threshold, **super().get_config()}
        del config["train_monitor"]
        return config


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


class UpStrips(MonitoringRule):
    r"""Stop when the validation error has risen in `strips` successive strips of epochs.

    UP_s stops at the strip's end t iff UP_(s-1) stops at t - k and E(t) > E(t - k); UP_1 stops at
    the first strip's end with E(t) > E(t - k), k = `strip` (Prechelt, 1998, "Early Stopping - But
    When?", who found it the best trade between time and generalization). It asks how long the error
    has been rising, not how far.

    | epoch | 1 | 3 | 5 | 7 |
    |---|---|---|---|---|
    | val_loss at the ends of strips of 2 | 0.8 | 0.9 | 0.95 | 1.0 |
    | rises in a row | | 1 | 2: `UpStrips(2, strip=2)` stops | 3 |

    Args:
        strips: Int >= 1, s. Prechelt tried 2, 3, 4, 6, 8. Defaults to `3`.
        strip: Int >= 1, k, counted in values of the metric: with `validation_freq=f` a strip is
            k f epochs long. Defaults to `5`.
        monitor: Name of the metric. Defaults to the callback's, `val_loss` without one.
        mode: `"min"`, `"max"` or `"auto"`, which tells from the name. Defaults to `"auto"`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `strips` or `strip` is below 1.

    Example:
    >>> rule = UpStrips(2, strip=2)
    >>> values = [1.0, 0.8, 0.7, 0.9, 0.9, 0.95, 0.9, 1.0]
    >>> [rule.update(t, {"val_loss": e}).stop for t, e in enumerate(values)].index(True)
    5
    """

    def __init__(
        self, strips: int = 3, strip: int = 5, monitor: str | None = None, mode: str = "auto"
    ):
        self.strips = at_least("strips", strips, 1)
        self.strip = at_least("strip", strip, 1)
        super().__init__(monitor, mode)

    def reset(self) -> None:
        """Forget everything: a new run begins."""
        super().reset()
        self._seen = 0
        self._rises = 0
        self._at_last_end: float | None = None

    def _decide(self, step: int, value: float, improved: bool) -> Verdict:  # noqa: ARG002
        self._seen += 1
        if self._seen % self.strip:
            return go_on
        before, self._at_last_end = self._at_last_end, value
        if before is None:
            return go_on
        self._rises = self._rises + 1 if self.error(value) > self.error(before) else 0
        if self._rises < self.strips:
            return go_on
        return self._stop(
            f"{self.metric} has got worse in {self._rises} strips of {self.strip} epochs running; "
            f"it is {value:.4g}, its best was {self.best:.4g}"
        )

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        return {
            "strips": self.strips,
            "strip": self.strip,
            "monitor": self.monitor,
            "mode": self.mode,
        }

    def get_state(self) -> dict[str, Any]:
        """Give what the rule has learned from the run, as plain data."""
        own = {"seen": self._seen, "rises": self._rises, "at_last_end": self._at_last_end}
        return {**super().get_state(), **own}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `get_state` gave."""
        super().set_state(state)
        self._seen = state["seen"]
        self._rises = state["rises"]
        self._at_last_end = state["at_last_end"]
