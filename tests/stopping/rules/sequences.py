"""Rules over sequences of values."""


def stops(rule, values):
    """Give the first step at which the rule stops, or None."""
    rule.reset()
    for step, value in enumerate(values):
        if rule.update(step, {rule.metric: value}).stop:
            return step
    return None
