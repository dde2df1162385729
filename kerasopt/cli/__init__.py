"""The kerasopt command."""
