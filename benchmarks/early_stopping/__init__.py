"""Which rule to stop by."""
