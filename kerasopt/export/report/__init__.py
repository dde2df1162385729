"""What was measured on a file."""
