"""The settings with which PQuantML is tried in `benchmarks.pruning.pquant`."""

from typing import NamedTuple

from benchmarks.pruning.training import Job

SPARSITY, EPOCHS = 0.8, 6


class Plan(NamedTuple):
    """What is run of PQuantML.

    Attributes:
        methods: The methods that are compared.
        candidates: Settings of which one of each of these methods is chosen by validation.
        tried: Settings that are only tried once.
    """

    methods: tuple[str, ...]
    candidates: list[Job]
    tried: list[Job]


def setting(method: str, *epochs: int, **pruning: float) -> Job:
    """Give settings: epochs before, with and after pruning, and what differs from the defaults."""
    return {"method": method, "epochs": list(epochs), "pruning": pruning}


def pdp(*epochs: int) -> Job:
    """Give PDP that reaches the sparsity in the last of its epochs of pruning."""
    return setting("pdp", *epochs, sparsity=SPARSITY, epsilon=round(1 / epochs[1] + 1e-4, 4))


def wanda(*epochs: int, over: int = 10) -> Job:
    """Give Wanda that prunes after `over` steps of its first epoch of pruning."""
    early = {"t_start_collecting_batch": 0, "t_delta": over, "calculate_pruning_budget": False}
    return setting("wanda", *epochs, sparsity=SPARSITY, **early)


def named(settings: Job) -> str:
    """Give the settings in words."""
    pruning = ", ".join(f"`{name}={value}`" for name, value in settings["pruning"].items())
    return (
        f"{settings['method']}, {'+'.join(map(str, settings['epochs']))}: {pruning or 'defaults'}"
    )


CANDIDATES = [pdp(0, 4, 2), pdp(0, 5, 1), pdp(0, 6, 0), pdp(1, 3, 2), pdp(2, 2, 2), pdp(2, 1, 3)]
CANDIDATES += [setting("dst", 0, 6, 0, alpha=8e-6), setting("dst", 0, 5, 1, alpha=1e-5)]
CANDIDATES += [wanda(1, 5, 0), wanda(2, 4, 0), wanda(3, 3, 0), wanda(4, 2, 0)]
CANDIDATES += [wanda(2, 4, 0, over=78)]
TRIED = [
    setting("pdp", 0, 6, 0, sparsity=SPARSITY),
    setting("dst", 0, 6, 0),
    setting("wanda", 1, 5, 0, sparsity=SPARSITY),
    setting("wanda", 0, 6, 0, sparsity=SPARSITY, t_start_collecting_batch=1, t_delta=10),
    setting("cs", 0, 4, 2),
    setting("cs", 0, 4, 2, threshold_decay=1e-6),
    setting("mdmm", 0, 4, 2, target_sparsity=SPARSITY),
    setting("mdmm", 0, 4, 2, target_sparsity=SPARSITY, epsilon=1e-2),
    setting("mdmm", 0, 4, 2, target_sparsity=SPARSITY, scale=100.0),
    setting("autosparse", 0, 6, 0),
    setting("autosparse", 0, 6, 0, threshold_init=-4.0),
    setting("autosparse", 0, 6, 0, threshold_init=-3.5),
]
FULL = Plan(("pdp", "dst", "wanda"), CANDIDATES, TRIED)
# Of 2 epochs, as a quick run has.
QUICK = Plan(("pdp",), [pdp(0, 1, 1)], [setting("pdp", 0, 2, 0, sparsity=SPARSITY)])
