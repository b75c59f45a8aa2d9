"""Point clouds of activations: capture (the only part that knows torch), store, prepare."""
