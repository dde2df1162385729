"""What a stopping rule is: metrics in, a verdict out, no Keras in it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self


@dataclass(frozen=True)
class Verdict:
    """What a rule decided.

    Attributes:
        stop: Whether training should stop.
        reason: Which rule says so and why, in words; empty if it goes on.
    """

    stop: bool
    reason: str = ""


go_on = Verdict(stop=False)

ALWAYS = frozenset({"epoch", "step", "early"})


class Rule(ABC):
    """Base of all stopping rules; usable outside Keras.

    Rules combine: `a | b` stops when one of them does, `a & b` when both do at the same time.

    Attributes:
        moments: When the rule wants to be asked: `"epoch"`, at the end of an epoch; `"step"`,
            within one; `"early"`, in an epoch whose metrics are not to be compared with others.
            Defaults to the first: running means of an epoch cannot be compared with each other.
            Guards (time, NaN, divergence) want all three.
        needs: What the rule wants to be given besides metrics: `"sample_gradients"` or
            `"batch_gradients"`. Defaults to `None`.

    Example:
    >>> from kerasopt.stopping import Patience, Threshold
    >>> rule = Patience(1, monitor="val_loss") | Threshold(0.5, monitor="val_loss")
    >>> rule.reset()
    >>> [rule.update(t, {"val_loss": e}).stop for t, e in enumerate([1.0, 0.8, 0.9])]
    [False, False, True]
    """

    moments: ClassVar[frozenset[str]] = frozenset({"epoch"})
    needs: ClassVar[str | None] = None

    @abstractmethod
    def reset(self) -> None:
        """Forget everything: a new run begins."""

    @abstractmethod
    def update(self, step: int, metrics: Mapping[str, Any]) -> Verdict:
        """Take the metrics of one more epoch (or step) and decide.

        Args:
            step: Index of the epoch or step.
            metrics: Metric values by name. A rule whose metric is missing goes on unchanged.
        """

    def ask(self, moment: str, step: int, metrics: Mapping[str, Any]) -> Verdict:
        """Call `update` if this is a moment for the rule, else go on."""
        return self.update(step, metrics) if moment in self.moments else go_on

    def leaves(self) -> list["Rule"]:
        """Give the single rules that this one is made of: itself, unless it combines others."""
        return [self]

    @property
    def watched(self) -> tuple[str, ...]:
        """The names of the metrics without which the rule cannot decide."""
        return ()

    def __or__(self, other: Any) -> "Rule":
        from kerasopt.stopping.rules.combination import AnyOf

        return AnyOf([self, other]) if isinstance(other, Rule) else NotImplemented

    def __and__(self, other: Any) -> "Rule":
        from kerasopt.stopping.rules.combination import AllOf

        return AllOf([self, other]) if isinstance(other, Rule) else NotImplemented

    def __bool__(self) -> bool:
        raise TypeError("A rule is neither true nor false: combine rules with `|` and `&`.")

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"

    def _stop(self, why: str) -> Verdict:
        return Verdict(stop=True, reason=f"{type(self).__name__}: {why}")

    @abstractmethod
    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal rule, as plain data."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make a rule from what `get_config` gave."""
        return cls(**config)

    @abstractmethod
    def get_state(self) -> dict[str, Any]:
        """Give what the rule has learned from the run, as plain data."""

    @abstractmethod
    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `get_state` gave."""
