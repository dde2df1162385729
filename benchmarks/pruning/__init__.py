"""Pruning beside tfmot."""
