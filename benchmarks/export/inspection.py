"""What `kerasopt inspect` costs: CPU time, that of its child included, beside bare imports.

    python -m benchmarks.export.inspection FILE.tflite

Prints a table; the ratio is to importing NumPy, click, rich and the LiteRT interpreter.
"""

import resource
import statistics
import subprocess
import sys

RUNS = 7
IMPORTS = "import numpy, click, rich.console, rich.table, ai_edge_litert.interpreter"


def cpu(command: list[str]) -> float:
    """Run a command, and give the CPU seconds of it and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(file: str) -> None:
    """Measure each command in turn, several times, and print medians."""
    command = [sys.executable, "-m", "kerasopt.cli"]
    commands = {
        "the imports alone": [sys.executable, "-c", IMPORTS],
        "inspect FILE": [*command, "inspect", file],
        "inspect FILE --snippet android": [*command, "inspect", file, "--snippet", "android"],
        "benchmark FILE --seconds 0.01": [*command, "benchmark", file, "--seconds", "0.01"],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(RUNS):
        for name, one in commands.items():
            taken[name].append(cpu(one))
    medians = {name: statistics.median(all_of) for name, all_of in taken.items()}
    base = medians["the imports alone"]
    print("| command | CPU, s | ratio |\n|---|--:|--:|")
    for name, seconds in medians.items():
        print(f"| {name} | {seconds:.2f} | {seconds / base:.1f} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
