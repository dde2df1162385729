"""Stopping rules: metrics in, a verdict out, no Keras in them."""
