"""The process beside this one in which files are made and tried."""
