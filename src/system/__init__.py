"""The machine and its files: signals, cores, checksums, the terminal. Knows nothing of this project."""
