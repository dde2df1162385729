"""When masks are chosen anew."""

from dataclasses import dataclass

_OFTEN = 100
_AT_LEAST = 20


@dataclass(frozen=True)
class Updates:
    """The steps after which new masks hold: every `frequency` steps from `begin`, and at `end`.

    Attributes:
        begin: First step with a mask.
        end: Last step with a new mask, or `None` for no last one.
        frequency: Steps between two of them.

    Example:
    >>> updates = Updates(begin=100, end=115, frequency=10)
    >>> [step for step in range(130) if updates.due(step - 1, step)]
    [100, 110, 115]
    """

    begin: int
    end: int | None
    frequency: int

    @classmethod
    def every(cls, frequency: int | str, begin: int, end: int | None) -> "Updates":
        """Give the updates for a frequency in steps, or for `"auto"`.

        `"auto"` is every 100 steps, or more often where the schedule is short, so that there are at
        least 20 between begin and end (in fewer than 20 steps, one at each).

        Example:
        >>> [Updates.every("auto", 0, end).frequency for end in (10, 1000, 100_000, None)]
        [1, 50, 100, 100]
        """
        if not isinstance(frequency, str):
            return cls(begin, end, frequency)
        if end is None:
            return cls(begin, end, _OFTEN)
        return cls(begin, end, min(_OFTEN, max(1, (end - begin) // _AT_LEAST)))

    def due(self, before: int, now: int) -> bool:
        """Tell whether an update falls after step `before` and not after step `now`.

        Several steps may pass between two looks (`steps_per_execution`), so a crossing counts.
        """
        if now < self.begin:
            return False
        if before < self.begin:
            return True
        if self.end is not None and before >= self.end:
            return False
        last = now if self.end is None else min(now, self.end)
        ended = self.end is not None and now >= self.end
        crossed = (last - self.begin) // self.frequency > (before - self.begin) // self.frequency
        return ended or crossed
