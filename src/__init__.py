"""Topotrace: watch the shape of a language model's representations while it is fine-tuned."""

PACKAGE = __name__
"""`src` in a clone, `topotrace` where a wheel was installed."""
