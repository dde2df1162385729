"""A hypermodel around any other: every trial is trained, compressed, exported and measured."""

from kerasopt.tuning.compression.hypermodel import CompressedHyperModel

__all__ = ["CompressedHyperModel"]
