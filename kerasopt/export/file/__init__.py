"""A TFLite file: its flatbuffer, buffers, operations and metadata."""
