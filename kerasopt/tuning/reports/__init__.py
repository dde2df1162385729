"""What a search has found, as tables, files and studies."""
