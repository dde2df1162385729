"""Up strips: stop when the validation error has risen in several strips running."""

from collections.abc import Mapping
from typing import Any

from kerasopt._checks import at_least
from kerasopt.stopping.monitoring import MonitoringRule
from kerasopt.stopping.rule import Verdict, go_on


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
