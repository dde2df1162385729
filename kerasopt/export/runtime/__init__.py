"""Files and models that are run and timed."""
