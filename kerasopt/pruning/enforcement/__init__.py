"""Masks that hold while a model trains."""
