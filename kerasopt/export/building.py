"""One file: made, run, compared with the model, measured."""

import time
from dataclasses import replace
from typing import Any

from kerasopt.export.choosing import made
from kerasopt.export.convert import Saved
from kerasopt.export.cost import measure
from kerasopt.export.errors import ExportError
from kerasopt.export.judgement import judge
from kerasopt.export.judging import Judged
from kerasopt.export.latency import Latency
from kerasopt.export.metadata import with_metadata
from kerasopt.export.modes import CALIBRATED
from kerasopt.export.operations import operations
from kerasopt.export.owners import owners
from kerasopt.export.preparing import Prepared
from kerasopt.export.ranges import doubtful, outliers, remarks_on, usual
from kerasopt.export.remarks import losses, remarks
from kerasopt.export.report import Report
from kerasopt.export.runner import Runner, time_file
from kerasopt.export.schema import counted
from kerasopt.export.structure import structure
from kerasopt.export.tflite_model import TFLiteModel
from kerasopt.export.verify import by_reference, refuse_float, refuse_quantized, verify
from kerasopt.export.wish import Wish

_SPARSE = (
    "LiteRT runs few sparse files: float32 ones, and int8 ones pruned in blocks of 16 along the "
    "inputs. Use `sparse=False`."
)

_SECONDS = 0.2
_RUNS = 100


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
    prepared: Prepared, saved: Saved, wish: Wish, begun: float, judged: Judged | None = None
) -> TFLiteModel:
    """Make one file, compare it with the model, and measure it.

    Raises:
        ValueError: If layers cannot be excluded.
        ExportError: If it cannot be made, does not run, or is too far off.
    """
    signature, given, sample, mode = prepared.signature, prepared.given, prepared.sample, wish.mode
    file = made(prepared, saved, wish, judged)
    content, kept = file.content, file.kept
    if wish.metadata is not None:
        content = with_metadata(content, wish.metadata)
    try:
        data, expected = prepared.data, prepared.expected
        agreement = verify(content, mode, signature, data, expected, wish.least_db)
    except ExportError as error:
        why = [*_doubts(prepared, saved, mode, content), *([_SPARSE] if wish.sparse else [])]
        raise ExportError(" ".join([str(error), *why])) from error
    graphs = structure(content)
    layers = owners(graphs, prepared.traced.origin)
    refuse_quantized(graphs, layers, kept)
    found = counted(graphs)
    refuse_float(mode, found, kept)
    reference = {}
    if wish.io != "float32":
        reference = by_reference(content, signature, data, expected, graphs)
    doubts = judge(
        prepared, saved, wish, replace(file, content=content), judged, agreement, reference
    )
    runner = Runner(content)
    beside = mode != "float32" and prepared.has_float32
    floats = _float_latency(saved, sample) if beside else None
    dense = len(saved.convert(mode, wish.io)) if wish.sparse else None
    report = Report(
        mode=mode,
        io=wish.io,
        inputs=tuple(runner.inputs[one.name] for one in signature.inputs),
        outputs=tuple(runner.outputs[name] for name in agreement),
        agreement=agreement,
        reference=reference,
        check=prepared.data.source,
        calibration_samples=len(given) if given and mode in CALIBRATED else 0,
        cost=measure(content, sample, graphs),
        ops=found.ops,
        float_ops=found.float_ops if mode in CALIBRATED else {},
        float_latency=floats,
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
        *_doubts(prepared, saved, mode, content),
    )
    report = replace(report, warnings=said, notes=(*said, *file.notes, *remarks(prepared)))
    return TFLiteModel(content, report, signature, sample)


def _doubts(prepared: Prepared, saved: Saved, mode: str, content: bytes) -> list[str]:
    """Say which ranges of a file come from data that are not like the rest."""
    given = prepared.given
    if mode not in CALIBRATED or given is None:
        return []
    graphs = structure(content)
    layers = owners(graphs, prepared.traced.origin)
    usually = usual(saved.float32(), given, prepared.signature.batch or 1)
    return remarks_on(outliers(given), *doubtful(graphs[0], layers[0], usually))


def _float_latency(saved: Saved, sample: Any) -> Latency:
    """Time a float32 file of the same model."""
    return time_file(saved.float32(), sample, 1, _SECONDS, _RUNS)
