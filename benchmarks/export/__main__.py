"""Export to TFLite beside TensorFlow's and Keras's own: correctness, time, memory.

    python -m benchmarks.export [--parts matrix time memory networks usefulness] [--rounds 7]
        [--quick] [--data ../shared] [--output benchmarks/results]

The same models and data go through `kerasopt.export`, `tf.lite.TFLiteConverter.from_keras_model`
and `model.export(format="litert")`, each file is run by LiteRT and compared with Keras. Writes
`export.md`.
"""

import argparse
import sys
import time
from importlib.metadata import version

from benchmarks.common.environment import Options, command, measured_on
from benchmarks.export.cost import memories, times
from benchmarks.export.matrix import MODES, matrix
from benchmarks.export.paths import PATHS
from benchmarks.export.process import Process
from benchmarks.export.report import matrix_part, memory_part, networks_part, time_part
from benchmarks.export.usefulness import kinds as judged_kinds
from benchmarks.export.usefulness import rows, usefulness_part
from tests.export.applications import APPLICATIONS
from tests.export.kinds import KINDS

PARTS = ("matrix", "time", "memory", "networks", "usefulness")
TIMED = ("Dense", "BatchNorm", "LSTM, unrolled", "MobileNetV2")
TIMED_MODES = ("float32", "float16", "dynamic", "int8")
LOOKED_AT = (("MobileNetV2", "float32"), ("MobileNetV2", "int8"), ("ResNet50", "float32"))
QUICK = ("Dense", "several inputs and outputs", "LSTM, a loop, batch 1", "MaxPool3D", "float16")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = Options(__doc__)
    parser.add_argument("--parts", nargs="*", default=PARTS, choices=PARTS)
    parser.add_argument("--rounds", type=int, default=7, help="of the times; 5 for a network")
    return parser.parse_args()


def matrix_lines(given: argparse.Namespace) -> list[str]:
    """Measure and write the part on correctness."""
    kinds = QUICK if given.quick else tuple(KINDS)
    modes = ("float32", "int8") if given.quick else MODES
    return [
        "## What converts, and what is wrong",
        "",
        f"{len(kinds)} kinds of small models x {len(modes)} modes, random weights, 100 samples; "
        "calibration and comparison on the same ones. The peers get the same settings, "
        '`model.export(format="litert")` with its own set of operations. A file is *wrong* if '
        "LiteRT does not load or run it, or an output is below our floor of its mode (float32 80 "
        "dB, float16 40, dynamic and int16x8 15, int8 8). Their inputs and outputs are matched in "
        "whatever order fits best. Each conversion is in a process that may crash.",
        "",
        *matrix_part(matrix(kinds, modes, PATHS)),
    ]


def time_lines(given: argparse.Namespace) -> list[str]:
    """Measure and write the part on time."""
    names = TIMED[:1] if given.quick else TIMED
    rounds = 2 if given.quick else given.rounds
    subjects = [(name, min(rounds, 5) if name in APPLICATIONS else rounds) for name in names]
    return [
        "## Time of a conversion",
        "",
        "From a built model to the bytes of a file. Ours with all checks of model and data, the "
        "way through another process and back, but without verifying the file, and with that "
        "process started already. One process; in each round all three in an order drawn anew, "
        "after a round that warms up. Seconds are medians, ratios are medians of the ratios within "
        "the rounds. int8 with 100 samples.",
        "",
        *time_part(times(subjects, TIMED_MODES[:: 3 if given.quick else 1])),
    ]


def memory_lines(given: argparse.Namespace) -> list[str]:
    """Measure and write the part on memory."""
    subjects, repeats = ((("Dense", "int8"),), 1) if given.quick else (LOOKED_AT, 3)
    return [
        "## Memory of a conversion",
        "",
        "The most that a fresh process and those under it had at once while they converted, looked "
        f"at every 10 ms; medians of {repeats}. Mapped files, TensorFlow's library above all, "
        "count once, as processes share them; in the last column once for each process. "
        "`to_tflite` verifies and measures the file as well.",
        "",
        *memory_part(memories(subjects, PATHS, repeats)),
    ]


def network_lines(given: argparse.Namespace) -> list[str]:
    """Measure and write the part on networks."""
    names = ["MobileNetV3Small"] if given.quick else list(APPLICATIONS)
    found = {}
    for name in names:
        with Process() as process:
            found[name] = process.one(task="network", name=name, modes=MODES[:4])
        print(f"network: {name}", file=sys.stderr, flush=True)
    return [
        "## Networks of `keras.applications`",
        "",
        "96 x 96 pixels, ten classes, `export_all` with 100 pictures (blobs of colour) for "
        "calibration and comparison. Weights are random, BatchNorm statistics those of one pass, "
        "its gamma halved and its beta raised by 1: untrained networks are chaotic otherwise, and "
        "magnify the noise of int8 as trained ones do not. Take dB as a test of the conversion, "
        "not as the quality of trained networks. Latency of one picture with one thread, "
        "beside that of the float32 file in the same export.",
        "",
        *networks_part(found),
    ]


def usefulness_lines(given: argparse.Namespace) -> list[str]:
    """Measure and write the part on what is of use."""
    found = list(rows(given.data, given.quick))
    counts, others = judged_kinds(QUICK if given.quick else tuple(KINDS))
    return [
        "## What is of use, and what the verification says",
        "",
        f"{measured_on()}; {command()}.",
        "",
        "Small trained models, judged by their task: *skill kept* is the share, of what the Keras "
        "model does better than a constant, that the file keeps on all test samples. Below 0.5 a "
        "file is useless in truth, from 0.95 on it is sound. The verdict goes by 100 test samples "
        "without labels: *least variance kept* is of the worst entry of the worst output, 1 - "
        "mean((file - Keras)^2) / var(Keras); *values* are how many different numbers that entry "
        "takes, in the file and in Keras; *kappa* is the agreement of classes beyond chance.",
        "",
        *usefulness_part(found, counts, others),
    ]


LINES = {
    "matrix": matrix_lines,
    "time": time_lines,
    "memory": memory_lines,
    "networks": network_lines,
    "usefulness": usefulness_lines,
}


def main() -> None:
    """Measure and write."""
    given = arguments()
    given.output.mkdir(parents=True, exist_ok=True)
    parts, minutes = [], []
    for part in given.parts:
        begun = time.perf_counter()
        parts += LINES[part](given)
        minutes.append(f"{part} {(time.perf_counter() - begun) / 60:.1f} min")
    head = [
        "# Export to TFLite, beside TensorFlow's and Keras's own",
        "",
        f"{measured_on()}, ai-edge-litert {version('ai-edge-litert')}; {command()}. "
        f"{', '.join(minutes)}.",
        "",
    ]
    text = "\n".join([*head, *parts]).rstrip() + "\n"
    print(text)
    (given.output / "export.md").write_text(text)
    print(f"written to {given.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
