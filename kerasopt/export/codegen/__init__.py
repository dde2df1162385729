"""Source code made from a file: snippets for apps, C arrays."""
