"""Pruning beside PQuantML."""
