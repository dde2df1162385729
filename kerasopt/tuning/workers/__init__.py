"""Processes that run trials side by side."""
