"""Searches beside plain KerasTuner."""
