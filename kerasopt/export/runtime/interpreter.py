"""A TFLite file in LiteRT's interpreter, fed and read by name."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kerasopt._core.quiet import held_back
from kerasopt.export.report.report import Port
from kerasopt.export.runtime.latency import Latency, Timed, time_calls, time_in_turn

_ALL = "serving_default"

SECONDS, RUNS = 0.4, 200
"""For how long each file of an export is timed, and how often at most."""

ANY_SIZE = 32
"""Size of an axis of any size, where nothing says another."""


class Runner:
    """Runs a file.

    Args:
        file: Its bytes.
        threads: Number of threads. Defaults to `1`.
        reference: Whether by LiteRT's reference kernels, which microcontrollers compute, in
            place of XNNPACK's and its own fast ones. Defaults to `False`.

    Raises:
        RuntimeError, ValueError: Of the interpreter, if the file does not load.
    """

    def __init__(self, file: bytes, threads: int = 1, reference: bool = False):
        with held_back():
            from ai_edge_litert.interpreter import Interpreter, OpResolverType

            kernels = OpResolverType.BUILTIN_REF if reference else OpResolverType.AUTO
            interpreter = Interpreter(
                model_content=file,
                num_threads=threads,
                experimental_op_resolver_type=kernels,
            )
            # Not allocated yet: axes of any size have size 1 until the first batch.
            self._run = interpreter.get_signature_runner(_ALL)
        self._inputs: dict[str, Any] = self._run.get_input_details()
        self._outputs: dict[str, Any] = self._run.get_output_details()

    @property
    def inputs(self) -> dict[str, Port]:
        """The inputs by name."""
        return {name: port_of(name, detail) for name, detail in self._inputs.items()}

    @property
    def outputs(self) -> dict[str, Port]:
        """The outputs by name."""
        return {name: port_of(name, detail) for name, detail in self._outputs.items()}

    def __call__(self, batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run one batch: numbers in, numbers out, quantized on the way where the file wants it."""
        with held_back():
            quantized = {name: to_file(port, batch[name]) for name, port in self.inputs.items()}
            outputs = self._run(**quantized)
        return {name: from_file(port, outputs[name]) for name, port in self.outputs.items()}


def ports(file: bytes) -> tuple[list[Port], list[Port]]:
    """Give the inputs and outputs of any file, also of one without a signature.

    Raises:
        RuntimeError, ValueError: Of the interpreter, if the file does not load.
    """
    with held_back():
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_content=file)
        found = (interpreter.get_input_details(), interpreter.get_output_details())
    inputs, outputs = ([port_of(one["name"], one) for one in details] for details in found)
    return inputs, outputs


def time_file(
    file: bytes, batch: Mapping[str, np.ndarray], threads: int, seconds: float, runs: int
) -> Latency:
    """Time the bare run of one batch, without copying its data in and out.

    Args:
        file: Bytes of the file.
        batch: By input name, one batch.
        threads: Number of threads.
        seconds: Longest time for the timed runs.
        runs: Most timed runs.
    """
    size = len(next(iter(batch.values())))
    return time_calls(_ready(file, batch, threads), seconds, runs, threads, size)


def time_files(
    files: Sequence[bytes],
    batch: Mapping[str, np.ndarray],
    threads: int,
    seconds: float,
    runs: int,
) -> Timed:
    """Time several files in turn, as `time_file` times one."""
    size = len(next(iter(batch.values())))
    calls = [_ready(file, batch, threads) for file in files]
    return time_in_turn(calls, seconds, runs, threads, size)


def time_beside(
    call: Callable[[], object],
    files: Sequence[bytes],
    batch: Mapping[str, np.ndarray],
    threads: int,
    seconds: float,
    runs: int,
) -> Timed:
    """Time a call that computes a batch, such as a Keras model's, and files in turn with it."""
    size = len(next(iter(batch.values())))
    calls = [call, *(_ready(file, batch, threads) for file in files)]
    return time_in_turn(calls, seconds, runs, threads, size)


def time_any(files: Sequence[bytes], threads: int, seconds: float, runs: int) -> Timed:
    """Time any files in turn on random inputs, also such without a signature.

    Of axes of any size the first is 1, as a batch is, and others 32, or 1 if that does not fit.

    Floats are in [0, 1), quantized inputs anywhere, other integers 0 or 1, as they may be indices.
    """
    ready = [_ready_on_random(file, threads) for file in files]
    timed = time_in_turn([call for call, _ in ready], seconds, runs, threads)
    latencies = [
        replace(latency, batch=size)
        for latency, (_, size) in zip(timed.latencies, ready, strict=True)
    ]
    return replace(timed, latencies=tuple(latencies))


def _ready(file: bytes, batch: Mapping[str, np.ndarray], threads: int) -> Callable[[], object]:
    """Give the call that runs a batch."""
    with held_back():
        from ai_edge_litert.interpreter import Interpreter

        # An interpreter of its own: one that has a signature runner cannot be invoked by hand.
        inputs = Interpreter(model_content=file).get_signature_runner(_ALL).get_input_details()
        interpreter = Interpreter(model_content=file, num_threads=threads)
        for name, detail in inputs.items():
            if tuple(detail["shape"]) != batch[name].shape:
                interpreter.resize_tensor_input(detail["index"], batch[name].shape)
        interpreter.allocate_tensors()
        for name, detail in inputs.items():
            interpreter.set_tensor(detail["index"], to_file(port_of(name, detail), batch[name]))
    call: Callable[[], object] = interpreter.invoke
    return call


def _ready_on_random(file: bytes, threads: int) -> tuple[Callable[[], object], int]:
    """Give the call that runs random inputs, and how many samples these are."""
    with held_back():
        interpreter = _allocated(file, threads)
        generator = np.random.default_rng(0)
        size = 1
        for detail in interpreter.get_input_details():
            values = generator.random(detail["shape"])
            if detail["quantization"][0]:
                limits = np.iinfo(detail["dtype"])
                values = limits.min + values * (limits.max - limits.min)
            elif np.issubdtype(detail["dtype"], np.integer):
                values = values.round()
            interpreter.set_tensor(detail["index"], values.astype(detail["dtype"]))
            size = int(detail["shape"][0]) if len(detail["shape"]) else 1
    return interpreter.invoke, size


def _allocated(file: bytes, threads: int) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=file, num_threads=threads)
    for detail in interpreter.get_input_details():
        shape = [
            (ANY_SIZE if axis else 1) if size < 0 else int(size)
            for axis, size in enumerate(detail["shape_signature"])
        ]
        if shape != list(detail["shape"]) and shape:
            interpreter.resize_tensor_input(detail["index"], shape)
    try:
        interpreter.allocate_tensors()
    except RuntimeError:
        interpreter = Interpreter(model_content=file, num_threads=threads)
        interpreter.allocate_tensors()
    return interpreter


def to_file(port: Port, values: np.ndarray) -> np.ndarray:
    """Quantize numbers as an input wants them: round(x / scale) + zero_point, clipped."""
    if port.scale is None:
        return np.ascontiguousarray(values, dtype=port.dtype)
    limits = np.iinfo(port.dtype)
    steps = np.round(np.asarray(values, np.float32) / port.scale) + (port.zero_point or 0)
    quantized: np.ndarray = np.clip(steps, limits.min, limits.max).astype(port.dtype)
    return quantized


def from_file(port: Port, values: np.ndarray) -> np.ndarray:
    """Give the numbers that an output stands for: (q - zero_point) scale."""
    if port.scale is None:
        return values
    return np.asarray((values.astype(np.float32) - (port.zero_point or 0)) * port.scale, np.float32)


def port_of(name: str, detail: Mapping[str, Any]) -> Port:
    """Make a port of what the interpreter tells about a tensor."""
    scale, zero_point = detail["quantization"]
    sizes = detail["shape_signature"] if len(detail["shape_signature"]) else detail["shape"]
    return Port(
        name=name,
        shape=tuple(None if size < 0 else int(size) for size in sizes),
        dtype=np.dtype(detail["dtype"]).name,
        scale=float(scale) if scale else None,
        zero_point=int(zero_point) if scale else None,
    )


_FIRST = "serving_default"


@dataclass(frozen=True)
class Call:
    """A signature of a file.

    Attributes:
        key: Its name.
        inputs: Its inputs, by the names that the signature has for them, in the file's order.
        outputs: Its outputs, likewise.
    """

    key: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def call_of(file: bytes) -> Call | None:
    """Read the signature that Keras's exports have, or else the first one; `None` without any.

    Raises:
        RuntimeError, ValueError: Of the interpreter, if the file does not load.
    """
    with held_back():
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_content=file)
        keys = list(interpreter.get_signature_list())
        if not keys:
            return None
        key = _FIRST if _FIRST in keys else keys[0]
        run = interpreter.get_signature_runner(key)
        inputs = _ordered(run.get_input_details(), interpreter.get_input_details())
        outputs = _ordered(run.get_output_details(), interpreter.get_output_details())
    return Call(key, inputs, outputs)


def _ordered(details: dict[str, Any], order: list[dict[str, Any]]) -> tuple[Port, ...]:
    places = {one["index"]: place for place, one in enumerate(order)}
    names = sorted(details, key=lambda name: places.get(details[name]["index"], len(places)))
    return tuple(port_of(name, details[name]) for name in names)


def unique(names: Iterable[str]) -> Iterator[str]:
    """Give names that a file can have (letters, digits, `_`), none of them twice.

    Example:
    >>> list(unique(["image", "a b", "a/b", "image"]))
    ['image', 'a_b', 'a_b_1', 'image_1']
    """
    taken: set[str] = set()
    for name in names:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        plain = plain if re.match(r"[A-Za-z]", plain) else f"x{plain}"
        chosen, number = plain, 0
        while chosen in taken:
            number += 1
            chosen = f"{plain}_{number}"
        taken.add(chosen)
        yield chosen
