"""Weights and a sparsity in, masks out: pure NumPy."""
