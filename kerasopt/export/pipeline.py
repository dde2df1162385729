"""One file: made, run, compared with the model, measured."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from kerasopt.export.accuracy_control.exclusion import made
from kerasopt.export.attribution.owners import Owners, owners
from kerasopt.export.convert.converter import Saved
from kerasopt.export.errors import ExportError, NotRunError
from kerasopt.export.file.flatbuffer import (
    Graph,
    TFLiteFile,
    constants,
    input_positions,
    structure,
)
from kerasopt.export.file.metadata import with_metadata
from kerasopt.export.file.operations import operations
from kerasopt.export.file.tflite_model import TFLiteModel
from kerasopt.export.judgement import judge
from kerasopt.export.options import CALIBRATED, MODES, Wish
from kerasopt.export.preparation import Prepared
from kerasopt.export.report.remarks import losses, remarks, slowness
from kerasopt.export.report.report import Report, measure
from kerasopt.export.runtime.interpreter import RUNS, SECONDS, Runner, ports, time_file, time_files
from kerasopt.export.runtime.latency import Latency, Pace
from kerasopt.export.validation.accuracy import Judged
from kerasopt.export.validation.calibration_ranges import (
    doubtful,
    limits,
    outliers,
    remarks_on,
    usual,
)
from kerasopt.export.validation.causes import (
    deciding,
    masked,
    not_run,
    of_biases,
    of_deciding,
    of_masks,
    of_one_hot,
    of_sums,
    swallowed,
    unequal,
)
from kerasopt.export.validation.usefulness import within_a_step
from kerasopt.export.validation.validator import (
    by_reference,
    refuse_float,
    refuse_quantized,
    refuse_sparse,
    try_out,
    verify,
)

_SPARSE = (
    "LiteRT runs few sparse files: float32 ones, and int8 ones pruned in blocks of 16 along the "
    "inputs. Use `sparse=False`."
)


def versions() -> dict[str, str]:
    """Give the versions of what makes and runs a file, whatever package it was installed by.

    Keras may be keras-nightly, TensorFlow tensorflow-cpu or tf-nightly.
    """
    import ai_edge_litert
    import keras
    import tensorflow as tf

    found = {"tensorflow": tf, "keras": keras, "ai-edge-litert": ai_edge_litert}
    return {name: module.__version__ for name, module in found.items()}


def make(
    prepared: Prepared,
    saved: Saved,
    wish: Wish,
    begun: float,
    judged: Judged | None = None,
    timed: bool = True,
) -> TFLiteModel:
    """Make one file, compare it with the model, and measure it.

    Args:
        prepared: The model.
        saved: Of which the file is made.
        wish: What it shall be like.
        begun: When the export began, by `time.perf_counter`.
        judged: Labelled samples. Defaults to `None`.
        timed: Whether it is timed here; several files are timed in turn, by `timed_in_turn`.
            Defaults to `True`.

    Raises:
        ValueError: If layers cannot be excluded.
        ExportError: If it cannot be made, does not run, or is too far off.
    """
    signature, given, sample, mode = prepared.signature, prepared.given, prepared.sample, wish.mode
    file = made(prepared, saved, wish, judged)
    if wish.metadata is not None:
        file = replace(file, content=with_metadata(file.content, wish.metadata))
    content, kept = file.content, file.kept
    try:
        data, expected = prepared.data, prepared.expected
        if wish.sparse:
            refuse_sparse(file, mode)
        try_out(content, mode, sample, wish.io != "float32")
        agreement = verify(file, mode, signature, data, expected, wish.least_db)
    except ExportError as error:
        why = " ".join(_why(prepared, saved, wish, file, error))
        raise ExportError(f"{error} {why}".strip()) from error
    graphs, found = file.graphs, file.contents
    layers = owners(graphs, prepared.traced.origin)
    refuse_quantized(graphs, layers, kept)
    refuse_float(mode, found, kept)
    reference = {}
    if wish.io != "float32":
        reference = by_reference(file, signature, data, expected)
    try:
        doubts = judge(prepared, saved, wish, file, judged, agreement, reference)
        if doubts:
            doubts = [*doubts, *_causes(prepared, saved, mode, file, layers[0])]
    except ExportError as error:
        why = " ".join(_causes(prepared, saved, mode, file, layers[0]))
        raise ExportError(f"{error} {why}".strip()) from error
    runner = Runner(content)
    times = _times(prepared, saved, mode, content) if timed else _UNTIMED
    dense = len(saved.convert(mode, wish.io)) if wish.sparse else None
    report = Report(
        mode=mode,
        io=wish.io,
        inputs=tuple(runner.inputs[one.name] for one in signature.inputs),
        outputs=tuple(runner.outputs[name] for name in agreement),
        agreement=agreement,
        reference=reference,
        compared_on=prepared.data.source,
        calibration_samples=len(given) if given and mode in CALIBRATED else 0,
        cost=measure(file, times.latency),
        ops=found.ops,
        float_ops=found.float_ops if mode in CALIBRATED else {},
        float_latency=times.floats,
        pace=times.pace,
        accuracy={} if judged is None else judged.beside(content),
        operations=tuple(operations(graphs[0], layers[0])),
        excluded=kept,
        dense_bytes=dense,
        copy_db=prepared.copy_db,
        seconds=time.perf_counter() - begun,
        versions=versions(),
    )
    said = (
        *doubts,
        *losses(wish, prepared, report, found),
        *_doubts(prepared, saved, mode, file, layers[0]),
    )
    report = replace(report, warnings=said, notes=(*said, *file.notes, *remarks(wish, prepared)))
    return TFLiteModel(content, report, signature, sample)


def _why(
    prepared: Prepared, saved: Saved, wish: Wish, file: TFLiteFile, error: ExportError
) -> list[str]:
    """Say why a file is refused: what its operations show, or else what it mostly is."""
    if isinstance(error, NotRunError):
        if wish.sparse:
            return [_SPARSE]
        try:
            ports(file.content)
        except (RuntimeError, ValueError):  # it does not even load: it has no operations to read
            return []
        layers = owners(file.graphs, prepared.traced.origin)[0]
        doubts = _doubts(prepared, saved, wish.mode, file, layers)
        said = not_run(error.said, wish.mode, file.graphs[0], layers, prepared.layers)
        return [*([said] if said else []), *doubts]
    layers = owners(file.graphs, prepared.traced.origin)[0]
    causes = [
        *_causes(prepared, saved, wish.mode, file, layers),
        *within_a_step(prepared.expected, limits(file.graphs[0])),
    ]
    doubts = _doubts(prepared, saved, wish.mode, file, layers)
    return [*(causes or [MODES[wish.mode].cause]), *doubts, *([_SPARSE] if wish.sparse else [])]


def _causes(
    prepared: Prepared, saved: Saved, mode: str, file: TFLiteFile, layers: Owners
) -> list[str]:
    """Say which operations and inputs of a file calibration could not serve, whatever the data."""
    given = prepared.given
    if mode not in CALIBRATED or given is None:
        return []
    graph, inputs = file.graphs[0], input_positions(file.content)
    masks = of_masks(*_masks(prepared, saved, graph, layers))
    return [
        *([masks] if masks else []),
        *of_one_hot(graph, layers),
        *of_biases(graph, layers),
        *of_sums(graph, layers),
        *of_deciding(deciding(graph, layers, inputs)),
        *unequal(graph, layers, given, prepared.layers, inputs),
    ]


def _masks(
    prepared: Prepared, saved: Saved, graph: Graph, layers: Owners
) -> tuple[dict[str, float], set[str]]:
    """Find layers with masks, and of these the ones whose scores they swallow."""
    lost = swallowed(graph, layers)
    if not lost or not prepared.has_float32:
        return {}, set()
    file = saved.float32()
    plain = structure(file)
    positions = {one for operator in plain[0].operators for one in operator.inputs if one >= 0}
    masks = masked(plain[0], owners(plain, prepared.traced.origin)[0], constants(file, positions))
    return masks, lost & set(masks)


def _doubts(
    prepared: Prepared, saved: Saved, mode: str, file: TFLiteFile, layers: Owners
) -> list[str]:
    """Say which ranges of a file come from data that are not like the rest."""
    given = prepared.given
    if mode not in CALIBRATED or given is None or not prepared.has_float32:
        return []
    usually = usual(saved.float32(), given, prepared.signature.batch or 1)
    zero, large = doubtful(file.graphs[0], layers, usually)
    if large:
        masks, _ = _masks(prepared, saved, file.graphs[0], layers)
        large = {path: times for path, times in large.items() if path not in masks}
    return remarks_on(outliers(given), zero, large)


def timed_in_turn(
    files: Mapping[str, TFLiteModel], prepared: Prepared, saved: Saved
) -> dict[str, TFLiteModel]:
    """Time several files of a model and a float32 file in turn.

    Args:
        files: By mode, files that were made.
        prepared: The model.
        saved: Of which they were made.

    Returns:
        The same, with what was measured in their reports.
    """
    beside = "float32" not in files and prepared.has_float32
    contents = [file.bytes for file in files.values()] + ([saved.float32()] if beside else [])
    timed = time_files(contents, prepared.sample, 1, SECONDS, RUNS)
    at = list(files).index("float32") if "float32" in files else len(contents) - 1
    found = {}
    for position, (mode, file) in enumerate(files.items()):
        report, latency = file.report, timed.latencies[position]
        report = replace(report, cost=replace(report.cost, latency=latency))
        if mode != "float32" and prepared.has_float32:
            floats, pace = timed.latencies[at], timed.pace(position, at)
            report = replace(report, float_latency=floats, pace=pace)
            slow = tuple(slowness(report))
            report = replace(
                report, warnings=(*report.warnings, *slow), notes=(*slow, *report.notes)
            )
        found[mode] = file.with_report(report)
    return found


@dataclass(frozen=True)
class _Times:
    """What a file takes, and a float32 file that ran in turn with it, if any did."""

    latency: Latency
    floats: Latency | None = None
    pace: Pace | None = None


_UNTIMED = _Times(Latency(0.0, 0.0, 0))


def _times(prepared: Prepared, saved: Saved, mode: str, content: bytes) -> _Times:
    """Time a file in turn with a float32 file of the same model."""
    if mode == "float32" or not prepared.has_float32:
        return _Times(time_file(content, prepared.sample, 1, SECONDS, RUNS))
    timed = time_files([content, saved.float32()], prepared.sample, 1, SECONDS, RUNS)
    return _Times(timed.latencies[0], timed.latencies[1], timed.pace(0, 1))
