"""Where a study is kept, and what stands in it."""
