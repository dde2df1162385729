"""Gradient disparity: stop when batches disagree more and more. No validation set needed."""

from collections.abc import Mapping
from typing import Any

from kerasopt._checks import at_least
from kerasopt.stopping.gradients import disparity
from kerasopt.stopping.rule import Rule, Verdict, go_on


class GradientDisparity(Rule):
    r"""Stop when the distance between the gradients of batches has risen `patience` times running.

    D(t) = mean over pairs i < j of ||g_i - g_j||_2, g_i the gradient of batch i (Forouzesh &
    Thiran, 2021, "Disparity Between Batches as a Signal for Early Stopping"): a model that begins
    to fit single samples makes its batches pull apart. It needs no validation data. A disparity
    that is not finite is passed over.

    The callback computes the gradients on the batch that it is given as `probe=(x, y)`, split into
    five. Elsewhere give them as `metrics["batch_gradients"]`, an array of shape (batches,
    parameters).

    | D | 1.0 | 2.0 | 1.5 | 1.6 | 1.7 |
    |---|---|---|---|---|---|
    | rises running | | 1 | 0 | 1 | 2: `GradientDisparity(2)` stops |

    Args:
        patience: Int >= 1, rises running. Defaults to `5`.

    Attributes:
        value: The last disparity, `None` before the first.

    Raises:
        TypeError: If `patience` is no integer.
        ValueError: If it is below 1.

    Example:
    >>> rule = GradientDisparity(2)
    >>> [rule.update(t, {"batch_gradients": [[0.0], [d]]}).stop
    ...  for t, d in enumerate([1.0, 2.0, 1.5, 1.6, 1.7])]
    [False, False, False, False, True]
    """

    needs = "batch_gradients"
    name = "gradient_disparity"

    def __init__(self, patience: int = 5):
        self.patience = at_least("patience", patience, 1)
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new run begins."""
        self.value: float | None = None
        self._rises = 0

    def update(self, step: int, metrics: Mapping[str, Any]) -> Verdict:  # noqa: ARG002
        """Take the gradients of one more epoch (or step) and decide."""
        given = metrics.get("batch_gradients")
        value = float("nan") if given is None else disparity(given)
        if value != value or value == float("inf"):
            return go_on
        before, self.value = self.value, value
        self._rises = self._rises + 1 if before is not None and value > before else 0
        if self._rises < self.patience:
            return go_on
        return self._stop(
            f"the disparity of the gradients of batches rose {self._rises} times running, to "
            f"{value:.4g}"
        )

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""
        return {"patience": self.patience}

    def get_state(self) -> dict[str, Any]:
        """Give what the rule has learned from the run, as plain data."""
        return {"value": self.value, "rises": self._rises}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `get_state` gave."""
        self.value = state["value"]
        self._rises = state["rises"]
