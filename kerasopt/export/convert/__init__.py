"""From a traced model to the bytes of a file."""
