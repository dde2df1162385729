"""The Keras layers behind a loss: found by what their tensors lose, proved by files without."""

from collections.abc import Mapping, Sequence

import numpy as np

from kerasopt.export.accuracy_control.mixed_precision import ITSELF, Partly
from kerasopt.export.attribution.owners import Owners
from kerasopt.export.convert.converter import Saved
from kerasopt.export.data.samples import Samples
from kerasopt.export.errors import ExportError
from kerasopt.export.file.flatbuffer import EDGES, Graph
from kerasopt.export.options import MODES, Wish
from kerasopt.export.preparation import Prepared
from kerasopt.export.validation.agreement import Agreement, compare
from kerasopt.export.validation.calibration_ranges import inner_values
from kerasopt.export.validation.fidelity import variance_kept
from kerasopt.export.validation.usefulness import DOUBTFUL, SOUND, USELESS, verdict, worst_of
from kerasopt.export.validation.validator import file_outputs

_SAMPLES = 32
_TRIED = 3
# Of each tensor in each run: large networks have gigabytes of them.
_ENTRIES = 8192


def suspects(
    graph: Graph, layers: Owners, float_file: bytes, file: bytes, samples: Samples, batch: int
) -> list[str]:
    """Rank layers by how much of what goes into them is gone in what comes out.

    A tensor is worth the mean, over the entries of its last axis, of the share of the variance that
    it keeps of the float file's tensor of the same name.

    Args:
        graph: Of the file.
        layers: For each of its operations, paths of layers.
        float_file: A float32 file of the same model.
        file: The file.
        samples: Some are run.
        batch: The files' batch size.

    Returns:
        Paths, those that lose most first; those that lose nothing are left out.
    """
    some = samples.thinned(_SAMPLES)
    right = _joined(float_file, some, batch)
    for operator in graph.operators:
        if operator.name in EDGES:
            # The converter names one of the two as the float file does.
            one, other = (graph.tensors[end[0]].name for end in (operator.inputs, operator.outputs))
            for mine, its in ((one, other), (other, one)):
                if mine in right:
                    right.setdefault(its, right[mine])
    kept = _kept(right, _joined(file, some, batch))
    lost: dict[str, float] = {}
    worth = {position: kept.get(one.name, 1.0) for position, one in enumerate(graph.tensors)}
    made_by_edge = {
        operator.outputs[0]: operator.inputs[0]
        for operator in graph.operators
        if operator.name in EDGES
    }
    for operator, paths in zip(graph.operators, layers, strict=True):
        if operator.name in EDGES or not paths or not operator.outputs:
            continue
        # What is lost where an input becomes an integer is the loss of the layer that reads it so.
        origins = [made_by_edge.get(one, one) for one in operator.inputs if one >= 0]
        before = min((worth[one] for one in origins if not graph.tensors[one].stored), default=1.0)
        read = [worth[one] for one in operator.inputs if one >= 0 and not graph.tensors[one].stored]
        after = min([worth[operator.outputs[0]], *read])
        for path in paths:
            lost[path] = max(lost.get(path, 0.0), before - after)
    ranked = sorted(lost, key=lambda path: -lost[path])
    return [path for path in ranked if lost[path] > 0.01]


class Cure:
    """Layers that are to stay in float, tried.

    Attributes:
        layers: Their paths; empty if none was found that helps.
        level: What the file without them is: `SOUND` or `DOUBTFUL`.
    """

    def __init__(self, layers: Sequence[str] = (), level: str = USELESS):
        self.layers = tuple(layers)
        self.level = level


def cure(
    prepared: Prepared,
    saved: Saved,
    wish: Wish,
    kept: Sequence[str],
    ranked: Sequence[str],
    level: str,
) -> Cure:
    """Find a layer that makes a file right if it stays in float, by making such files.

    At most three layers are tried, each by itself, and then all of them.

    Args:
        prepared: The model.
        saved: Of which files are made.
        wish: What the file shall be like.
        kept: Layers that stay in float already.
        ranked: Suspects.
        level: What the file is now.
    """
    if not MODES[wish.mode].excludes or wish.sparse or not prepared.layers:
        return Cure()
    try:
        parts = Partly(prepared, saved, wish.mode)
    except ExportError:
        return Cure()
    known = [one for one in parts.layers if one != ITSELF and one not in kept]
    ends = [path for paths in prepared.traced.origin.ends.values() for path in paths]
    tried = [one for one in dict.fromkeys([*ranked[:_TRIED], *ends]) if one in known][:_TRIED]
    choices = [[one] for one in tried] + ([tried] if len(tried) > 1 else [])
    if len(known) <= len(tried):
        choices = [one for one in choices if len(one) < len(known)]
    best = Cure(level=level)
    for choice in choices:
        found = _level(parts.without([*kept, *choice]), prepared, wish)
        if found == SOUND:
            return Cure(choice, SOUND)
        if found == DOUBTFUL and best.level == USELESS:
            best = Cure(choice, DOUBTFUL)
    return best if best.layers else Cure()


def _level(file: bytes, prepared: Prepared, wish: Wish) -> str:
    try:
        actual = file_outputs(file, prepared.signature, prepared.data)
    except (RuntimeError, ValueError):  # it does not run
        return USELESS
    found: Mapping[str, Agreement] = {
        name: compare(right, actual[name]) for name, right in prepared.expected.items()
    }
    return worst_of([verdict(name, one, wish.least_variance) for name, one in found.items()])


def _joined(file: bytes, samples: Samples, batch: int) -> dict[str, np.ndarray]:
    """Give by name what each tensor held, rows of entries of its last axis."""
    parts: dict[str, list[np.ndarray]] = {}
    for tensors in inner_values(file, samples, batch):
        for name, values in tensors.items():
            if values.ndim > 1 and values.size:
                rows = values.reshape(-1, values.shape[-1])
                parts.setdefault(name, []).append(rows[:: max(rows.size // _ENTRIES, 1)].copy())
    return {name: np.concatenate(rows) for name, rows in parts.items() if _alike(rows)}


def _kept(right: Mapping[str, np.ndarray], came: Mapping[str, np.ndarray]) -> dict[str, float]:
    found = {}
    for name, values in right.items():
        other = came.get(name)
        if other is None or other.shape != values.shape or not np.isfinite(values).all():
            continue
        shares = variance_kept(values.astype(np.float64), other.astype(np.float64))
        counting = shares[~np.isnan(shares)]
        if counting.size:
            found[name] = float(np.clip(counting, 0.0, 1.0).mean())
    return found


def _alike(rows: Sequence[np.ndarray]) -> bool:
    return len({one.shape[1] for one in rows}) == 1
