"""Stored runs compared: selected, checked, read, reported."""
