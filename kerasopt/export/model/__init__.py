"""The model that is exported: its signature, in float32, loops unrolled."""
