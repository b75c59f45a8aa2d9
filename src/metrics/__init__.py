"""The long table of a run's numbers: columns, keys, selection, files."""
