"""Calibration and validation data, read and sampled."""
