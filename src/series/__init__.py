"""Checkpoints that somebody saved: where they are, of which steps, and their weights put into one model in memory."""
