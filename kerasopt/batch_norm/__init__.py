"""Batch normalization folded into the layers before it."""

from kerasopt.batch_norm.fold import fold_batch_norm

__all__ = ["fold_batch_norm"]
