"""Conversations, objectives, the probe set, collation and the loss mask."""
