"""What every room needs: arguments, files, one `fit`, serialization, display."""
