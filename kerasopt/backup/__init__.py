"""Runs that can die: their whole state in files, and back."""

from kerasopt.backup.callback import BackupAndRestore

__all__ = ["BackupAndRestore"]
