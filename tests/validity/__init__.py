"""Controls: is found what was planted, and nothing where nothing was? `python -m tests.validity trials=200`."""
