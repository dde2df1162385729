"""A hypermodel around any other: every trial is trained, compressed, exported and measured."""

from kerasopt.tuning.compressed.hypermodel import CompressedHyperModel

__all__ = ["CompressedHyperModel"]
