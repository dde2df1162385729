"""Dropout put into models that exist, scheduled, and taken out."""
