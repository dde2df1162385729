"""How a file is called: by which signature, with which inputs, for which outputs."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kerasopt._quiet import held_back
from kerasopt.export.report import Port
from kerasopt.export.runner import port_of

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
