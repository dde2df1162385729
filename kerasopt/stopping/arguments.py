"""The arguments of `EarlyStopping`, checked."""

from typing import Any

from kerasopt._checks import bad_type, bad_value
from kerasopt.stopping.patience import Patience
from kerasopt.stopping.probe import Probe
from kerasopt.stopping.rule import Rule


def checked_rules(rules: Any, plain: Patience) -> Rule | None:
    """Check the rules, and that no argument of the plain rule is given beside them.

    Args:
        rules: What the user gave as `rules`.
        plain: The `Patience` made of the other arguments.

    Raises:
        TypeError: If it is no rule.
        ValueError: If `patience`, `min_delta` or `baseline` is given, too.
    """
    if rules is None:
        return None
    if not isinstance(rules, Rule):
        advice = "Combine several with `|` or `&`." if isinstance(rules, (list, tuple)) else ""
        raise bad_type("rules", "a rule of kerasopt.stopping, or a combination", rules, advice)
    given = {
        "patience": plain.patience or None,
        "min_delta": plain.min_delta or None,
        "baseline": plain.baseline,
    }
    for name, value in given.items():
        if value is not None:
            raise bad_value(
                name,
                "no value beside `rules`",
                value,
                f"Write it as a rule: `rules=Patience({name}={value!r}) | ...`.",
            )
    return rules


def checked_probe(probe: Any, rule: Rule) -> Probe | None:
    """Make the probe, which must be there if, and only if, a rule needs gradients.

    Raises:
        TypeError: If it is no batch.
        ValueError: If it is missing, or there is no use for it, or its sizes are wrong.
    """
    names = [type(leaf).__name__ for leaf in rule.leaves() if leaf.needs]
    if names and probe is None:
        raise bad_value(
            "probe",
            "(x, y), a hundred training samples or so at which to compute gradients",
            probe,
            f"{' and '.join(names)} cannot decide without.",
        )
    if probe is not None and not names:
        raise bad_value(
            "probe",
            "None, as no rule looks at gradients",
            type(probe).__name__,
            "It is for GradientEvidence and GradientDisparity.",
        )
    return None if probe is None else Probe(probe)
