"""Several rules as one: `a | b` and `a & b`."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self

from kerasopt._core.checks import bad_type, bad_value
from kerasopt._core.serialization import serialize
from kerasopt.stopping.rules.rule import Rule, Verdict, go_on


class Combination(Rule):
    """Base of the rules that are made of others.

    Every rule sees every update, whatever the others say, so that none of them falls behind.

    Args:
        rules: Two rules or more. Combinations of the same kind among them are taken apart, so that
            `a | b | c` holds three.

    Raises:
        TypeError: If one of them is no rule.
        ValueError: If there are fewer than two, or the same object stands in it twice.
    """

    def __init__(self, rules: Sequence[Rule]):
        if not isinstance(rules, Sequence) or not all(isinstance(rule, Rule) for rule in rules):
            raise bad_type("rules", "a list of stopping rules", rules)
        self.rules: list[Rule] = []
        for rule in rules:
            # Not one of a class derived from this: it may combine in a way of its own.
            if isinstance(rule, Combination) and type(rule) is type(self):
                self.rules += rule.rules
            else:
                self.rules.append(rule)
        if len(self.rules) < 2:
            raise bad_value("rules", "two rules or more", rules)
        leaves = self.leaves()
        if len({id(leaf) for leaf in leaves}) < len(leaves):
            raise bad_value("rules", "each rule once: a rule remembers one run", rules)

    def reset(self) -> None:
        """Forget everything: a new run begins."""
        for rule in self.rules:
            rule.reset()

    def update(self, step: int, metrics: Mapping[str, Any]) -> Verdict:
        """Take the metrics of one more epoch (or step) and decide."""
        return self._combined([rule.update(step, metrics) for rule in self.rules])

    def ask(self, moment: str, step: int, metrics: Mapping[str, Any]) -> Verdict:
        """Ask each rule for which this is a moment."""
        return self._combined([rule.ask(moment, step, metrics) for rule in self.rules])

    @abstractmethod
    def _combined(self, verdicts: list[Verdict]) -> Verdict:
        """Make one verdict of those of the rules."""

    def leaves(self) -> list[Rule]:
        """Give the single rules, however deep they lie."""
        return [leaf for rule in self.rules for leaf in rule.leaves()]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(rules={self.rules!r})"

    @property
    def watched(self) -> tuple[str, ...]:
        """The names of all metrics that the rules watch, each once."""
        return tuple(dict.fromkeys(name for rule in self.rules for name in rule.watched))

    def get_config(self) -> dict[str, Any]:
        """Give the rules as plain data."""
        return {"rules": [serialize(rule) for rule in self.rules]}

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, type[Rule]] | None = None
    ) -> Self:
        """Make an equal combination from what `get_config` gave.

        Args:
            config: The dict.
            custom_objects: Rule classes of your own, by name. Defaults to `None`.
        """
        from kerasopt.stopping.rules.serialization import deserialize

        if "rules" not in config:
            raise bad_value(
                "config", "the rules of a combination, as `serialize` gives", dict(config)
            )
        return cls([deserialize(rule, custom_objects) for rule in config["rules"]])

    def get_state(self) -> dict[str, Any]:
        """Give the states of the rules, in their order."""
        return {"rules": [rule.get_state() for rule in self.rules]}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `get_state` gave.

        Raises:
            ValueError: If it is of another number of rules.
        """
        if len(state["rules"]) != len(self.rules):
            raise bad_value("state", f"the states of {len(self.rules)} rules", dict(state))
        for rule, one in zip(self.rules, state["rules"], strict=True):
            rule.set_state(one)


class AnyOf(Combination):
    """Stop when one of the rules does; the reason names all that do. Written `a | b`.

    Args:
        rules: Two rules or more.

    Example:
    >>> from kerasopt.stopping import Patience, Threshold
    >>> rule = Patience(2) | Threshold(0.5)
    >>> [rule.update(t, {"val_loss": e}).stop for t, e in enumerate([1.0, 0.8, 0.5])]
    [False, False, True]
    """

    def _combined(self, verdicts: list[Verdict]) -> Verdict:
        reasons = [verdict.reason for verdict in verdicts if verdict.stop]
        return Verdict(stop=True, reason="; ".join(reasons)) if reasons else go_on


class AllOf(Combination):
    """Stop when all of the rules do, in the same epoch. Written `a & b`.

    Args:
        rules: Two rules or more.

    Example:
    >>> from kerasopt.stopping import Patience
    >>> rule = Patience(1, monitor="val_loss") & Patience(1, monitor="val_accuracy")
    >>> values = [(1.0, 0.5), (1.1, 0.6), (1.2, 0.6)]
    >>> [rule.update(t, dict(val_loss=e, val_accuracy=a)).stop for t, (e, a) in enumerate(values)]
    [False, False, True]
    """

    def _combined(self, verdicts: list[Verdict]) -> Verdict:
        if all(verdict.stop for verdict in verdicts):
            return Verdict(stop=True, reason=" and ".join(verdict.reason for verdict in verdicts))
        return go_on
