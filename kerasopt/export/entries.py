"""Named entries in the metadata table of a TFLite file."""

import struct
from typing import Any

from kerasopt.export.errors import ExportError

# Positions of fields in the schema's table Model; all but the first hold offsets.
_VERSION, _BUFFERS, _METADATA = 0, 4, 6
_ALIGNMENT = 64


def entry(file: bytes, name: str) -> bytes | None:
    """Read an entry of a file that LiteRT has loaded before: nothing is checked here.

    Args:
        file: Its bytes.
        name: Name of the entry.

    Returns:
        What was written, or `None` if there is no such entry.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(file, 0)
    for number in range(model.MetadataLength()):
        one = model.Metadata(number)
        if one.Name() == name.encode():
            buffer = model.Buffers(one.Buffer())
            return bytes(buffer.DataAsNumpy()) if buffer.DataLength() else b""
    return None


def with_entry(file: bytes, name: str, content: bytes) -> bytes:
    """Put an entry into a file, and leave all else in it as it is, byte for byte.

    A new head with the new entry is set before the old file, whose parts it points to. The schema's
    objects, packed anew, would lose the alignment of the weights, and copy them one by one.

    Args:
        file: Its bytes.
        name: Name of the entry; one that has it already is replaced.
        content: What to write.

    Raises:
        ExportError: If the file keeps weights behind its flatbuffer, as those over 2 GB do.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(file, 0)
    if any(model.Buffers(number).Offset() > 1 for number in range(model.BuffersLength())):
        raise ExportError("Metadata cannot be written into a file of more than 2 GB.")
    whole = file + bytes(-len(file) % _ALIGNMENT)
    builder: Any = flatbuffers.Builder(0)
    room = len(content) + 4 * (model.BuffersLength() + model.MetadataLength()) + 1024
    builder.Bytes = bytearray(room) + whole
    builder.head = room
    builder.minalign = _ALIGNMENT  # so that the old file moves by a multiple of it

    def old(position: int) -> int:
        return len(whole) - position  # a builder counts from the end

    fields = {slot: place for slot, place in _fields(file, model) if slot != _VERSION}
    buffers = _elements(file, fields[_BUFFERS])
    entries = _elements(file, fields.get(_METADATA))
    kept = [
        old(place)
        for number, place in enumerate(entries)
        if model.Metadata(number).Name() != name.encode()
    ]
    builder.StartVector(1, len(content), 16)
    builder.head -= len(content)
    builder.Bytes[builder.head : builder.head + len(content)] = content
    data = builder.EndVector()
    schema.BufferStart(builder)
    schema.BufferAddData(builder, data)
    buffer = schema.BufferEnd(builder)
    text = builder.CreateString(name)
    schema.MetadataStart(builder)
    schema.MetadataAddName(builder, text)
    schema.MetadataAddBuffer(builder, len(buffers))
    added = schema.MetadataEnd(builder)
    places = {slot: old(place) for slot, place in fields.items()}
    places[_BUFFERS] = _vector(builder, [*map(old, buffers), buffer])
    places[_METADATA] = _vector(builder, [*kept, added])
    builder.StartObject(max(places) + 1)
    builder.PrependUint32Slot(_VERSION, model.Version(), 0)
    for slot, place in places.items():
        builder.PrependUOffsetTRelativeSlot(slot, place, 0)
    builder.Finish(builder.EndObject(), b"TFL3")
    return bytes(builder.Output())


def _fields(file: bytes, model: Any) -> list[tuple[int, int]]:
    """Give the fields that a file's root has, by position in the schema, and where they point."""
    table = model._tab
    start = table.Pos - struct.unpack_from("<i", file, table.Pos)[0]
    slots = (struct.unpack_from("<H", file, start)[0] - 4) // 2
    found = [(slot, table.Offset(4 + 2 * slot)) for slot in range(slots)]
    return [(slot, table.Indirect(table.Pos + offset)) for slot, offset in found if offset]


def _elements(file: bytes, vector: int | None) -> list[int]:
    """Give the places to which a vector of offsets points."""
    if vector is None:
        return []
    length = struct.unpack_from("<I", file, vector)[0]
    offsets = struct.unpack_from(f"<{length}I", file, vector + 4)
    return [vector + 4 + 4 * number + offset for number, offset in enumerate(offsets)]


def _vector(builder: Any, places: list[int]) -> int:
    builder.StartVector(4, len(places), 4)
    for place in reversed(places):
        builder.PrependUOffsetTRelative(place)
    return int(builder.EndVector())
