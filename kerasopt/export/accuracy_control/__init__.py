"""Which layers stay in float so that a quantized file is accurate."""
