"""The private names of LiteRT that exports use: this notices when one of them goes away."""

import keras
from ai_edge_litert import schema_py_generated as schema

from kerasopt.export import to_tflite
from kerasopt.export._litert import table_of


def test_the_table_of_a_file():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    root = schema.Model.GetRootAs(bytearray(to_tflite(model).bytes))
    table = table_of(root)
    # The version of the schema is the first field of the root.
    assert table.Get(schema.flatbuffers.number_types.Uint32Flags, table.Pos + table.Offset(4)) == 3
