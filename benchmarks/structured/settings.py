"""How much `benchmarks.structured` runs: everything by which its answers and its time change."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

TARGETS = (0.75, 0.5, 0.25)  # fractions of the MACs that stay
RATIOS = (0.25, 0.5, 0.75)  # fractions of the channels that go
BELOW = TARGETS[1:]  # at which others are compared, as the goals are
DEFAULT, DRIVEN = "l2", "taylor"  # criteria that are shown at every target
SEEDS = 3


@dataclass(frozen=True)
class Settings:
    """Sizes of the runs.

    Attributes:
        train: Images to train on.
        test: Images to judge by.
        epochs: Of the dense model.
        tuning: Epochs of fine-tuning; what is trained from scratch has both.
        batch: Samples of a batch.
        rate: Learning rate of Adam at first, of `epochs`; half a cosine to 0.
        tuning_rate: The same of `tuning`.
        batches: Batches of 32 samples that criteria and statistics are computed of.
        rounds: Of the latency.
        seconds: Of each file in a round.
        repeats: Processes in which the cost of shrinking is measured.
    """

    train: int = 4_800
    test: int = 5_000
    epochs: int = 5
    tuning: int = 4
    batch: int = 32
    rate: float = 2e-3
    tuning_rate: float = 2e-3
    batches: int = 32
    rounds: int = 7
    seconds: float = 0.08
    repeats: int = 3

    def to_dict(self) -> dict[str, Any]:
        """Give them as plain data."""
        return asdict(self)


QUICK = Settings(train=512, test=500, epochs=1, tuning=1, batches=4, rounds=2, seconds=0.01,
                 repeats=1)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """Whose runs: what the processes are told.

    Attributes:
        kind: Of `shrink_models.KINDS`.
        seed: Of images, weights and order.
        folder: Where runs and files are kept.
        home: Of `shrink_models.images`.
        settings: Those of above.
    """

    kind: str
    seed: int
    folder: Path
    home: str | None
    settings: Settings

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {**vars(self), "folder": str(self.folder), "settings": self.settings.to_dict()}

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> "Job":
        """Make it from plain data."""
        settings = Settings(**given["settings"])
        return cls(**{**given, "folder": Path(given["folder"]), "settings": settings})

    def path(self, run: str, suffix: str) -> Path:
        """Give where something of a run is kept."""
        name = f"{self.kind} {self.seed} {run}".lower().replace(" ", "-")
        return self.folder / f"{name}.{suffix}"


def say(line: str) -> None:
    """Say on stderr how far it is."""
    print(line, file=sys.stderr, flush=True)
