"""The text of `benchmarks.search` on cost: overhead, memory, suggestions, workers, grid."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks.common.tables import met, table
from benchmarks.search import combinations, cost

MB = 1e6
GOAL_MS, GOAL_WORKERS = 50.0, 1.7
FLAT_MB = 0.1  # a trial: what counts as flat
Found = dict[str, Any]


def overhead(found: Found) -> list[str]:
    """Give the section on the time of a trial and on memory."""
    lines = [
        "## What a trial costs beside its training",
        "",
        "A model of one layer, random search. *At once*: `HyperModel.fit` returns a dict and "
        "trains nothing; *one batch*: `model.fit` on 32 samples and as many for validation, whose "
        "files both sides keep. A process for each run, one at a time, the sides in turn; the time "
        "from one `fit` to the next, without the first three; medians of the medians of "
        f"{len(found['at once'][cost.NONE])} and "
        f"{len(found['one batch'][cost.NONE])} runs of {found['at once']['trials']} and "
        f"{found['one batch']['trials']} trials. Beside it the same builds and fits without a "
        "tuner, which are taken off. One thread.",
        "",
    ]
    rows = []
    for kind in (cost.MEMORY, cost.JOURNAL, cost.KERASTUNER):
        row = [kind]
        for name in ("at once", "one batch"):
            own = _ms(found[name][kind]) - _ms(found[name][cost.NONE])
            cpu = _cpu(found[name][kind]) - _cpu(found[name][cost.NONE])
            row += [f"{own:.0f}", f"{cpu:.0f}"]
        first = _ms(found["at once"][kind]) - _ms(found["at once"][cost.NONE])
        rows.append([*row, met(first < GOAL_MS) if kind != cost.KERASTUNER else ""])
    heads = ["tuner", "at once, ms", "CPU, ms", "one batch, ms", "CPU, ms",
             f"goal: at once below {GOAL_MS:.0f} ms"]  # fmt: skip
    lines += table(heads, rows)
    plain = [_ms(found[name][cost.NONE]) for name in ("at once", "one batch")]
    lines += [
        f"Without a tuner a trial takes {plain[0]:.0f} ms at once and {plain[1]:.0f} ms with one "
        "batch.",
        "",
    ]
    return lines + memory(found["memory"])


def _ms(runs: Sequence[Found]) -> float:
    return 1e3 * median(median(run["seconds"]) for run in runs)


def _cpu(runs: Sequence[Found]) -> float:
    return 1e3 * median(run["cpu"] for run in runs)


def memory(found: Found) -> list[str]:
    """Give the section on memory."""
    trials = max(len(run["after"]) for run in found.values())
    lines = [
        f"## Memory over {trials} trials",
        "",
        "A network of two hidden layers on 256 samples, two epochs a trial. Resident memory of the "
        "process that runs a trial, after it; growth from the most in the first quarter of the "
        "trials to the most in the last; the peak is that of all processes of the search together, "
        f"mapped files once. Flat: at most {FLAT_MB:g} MB a trial. *Without a tuner*: "
        "`clear_session`, build and fit in a loop; what grows there is TensorFlow's, for each "
        "function that it traces.",
        "",
    ]
    rows = []
    for kind, run in found.items():
        after = [one / MB for one in run["after"]]
        begin, middle = min(9, len(after) - 2), after[len(after) // 2 - 1]
        part = max(1, len(after) // 4)
        slope = (max(after[-part:]) - max(after[:part])) / (len(after) - part)
        rows.append(
            [kind, f"{after[begin]:,.0f}", f"{middle:,.0f}", f"{after[-1]:,.0f}",
             f"{slope:+.2f}", f"{run['peak'] / MB:,.0f}", f"{run['seconds']:.0f}",
             met(slope <= FLAT_MB) if kind.startswith("ours") else ""]
        )  # fmt: skip
    heads = ["tuner", f"after {min(10, trials - 1)}, MB", f"after {trials // 2}, MB",
             f"after {trials}, MB", "growth a trial, MB", "peak, MB", "s, two at a time",
             "goal: flat"]  # fmt: skip
    return lines + table(heads, rows)


def suggestions(found: Found) -> list[str]:
    """Give the section on the time of a suggestion."""
    at = [str(number) for number in found["at"]]
    lines = [
        "## Time of a suggestion",
        "",
        "`create_trial` of the oracle when it knows so many trials, which were random; six numbers "
        "(Hartmann-6), the study in memory, one thread of BLAS; medians, ms. What took over "
        f"{found['limit']:.0f} s was not asked for more trials; GP up to 200. KerasTuner's "
        "Bayesian oracle is random for its first 18 trials here.",
        "",
    ]
    rows = [
        [kind, *(f"{1e3 * median(taken[n]):,.1f}" if n in taken else "-" for n in at)]
        for kind, taken in found["seconds"].items()
    ]
    return lines + table(["oracle", *(f"{number} trials" for number in at)], rows)


def workers(found: Found) -> list[str]:
    """Give the section on two workers."""
    ratios = {
        name: median(one[name] / two[name] for one, two in zip(found["1"], found["2"], strict=True))
        for name in ("seconds", "running")
    }
    trial = median(run["trial"] for run in found["1"])
    lines = [
        "## Two workers",
        "",
        f"Random search, {found['trials']} trials of {trial:.1f} s (a small CNN, the "
        "same work in each), journal file. `workers=1` in a process with one thread, `workers=2` "
        f"with one thread each; {len(found['1'])} rounds in turn, medians, ratios within the "
        "rounds. What this machine gives at most: plain processes that train a quarter of the "
        "models, without a tuner, times four for one of them and times two for two at once.",
        "",
    ]
    rows = [
        [what, *(f"{median(run[name] for run in found[n]):.1f}" for n in ("1", "2")),
         f"{ratios[name]:.2f}", met(ratios[name] >= GOAL_WORKERS)]
        for name, what in (
            ("seconds", "`search`, with the start of the workers (each imports TensorFlow)"),
            ("running", "from the begin of the first trial to the end of the last"),
        )
    ]  # fmt: skip
    alone = {
        name: [count * one for one in found["alone"][name]] for name, count in (("1", 4), ("2", 2))
    }
    most = median(one / two for one, two in zip(alone["1"], alone["2"], strict=True))
    rows.append(
        ["the same trainings without a tuner, in plain processes",
         *(f"{median(alone[n]):.1f}" for n in ("1", "2")), f"{most:.2f}", ""]
    )  # fmt: skip
    heads = ["", "1 worker, s", "2 workers, s", "times as fast", f"goal {GOAL_WORKERS}"]
    lines += table(heads, rows)
    done = {run["done"] for name in ("1", "2") for run in found[name]}
    loads = [run["load"] for name in ("1", "2") for run in found[name]]
    return [
        *lines,
        f"Completed in every run: {', '.join(map(str, sorted(done)))} of {found['trials']}. Load "
        f"of the machine before the runs: {min(loads):.1f} to {max(loads):.1f}.",
        "",
    ]


def grid(found: Found) -> list[str]:
    """Give the section on the grid search that is killed."""
    lines = [
        "## A grid search killed in mid-trial",
        "",
        f"{combinations.COMBINATIONS} combinations, SIGKILL in the third trial, started again.",
        "",
    ]
    rows = [
        [kind, f"`{run['error']}`" if run["error"] else "none", str(len(run["before"])),
         str(len(run["after"])), str(len(run["again"])), str(run["missing"]),
         met(not run["error"] and not run["again"] and not run["missing"])
         if kind == combinations.OURS else ""]
        for kind, run in found.items()
    ]  # fmt: skip
    heads = ["", "error of the second start", "ended before", "ended after", "ended twice",
             "never run", "goal: all of them, each once"]  # fmt: skip
    return lines + table(heads, rows)
