"""The commands as functions, for notebooks and scripts: what they return shows itself."""
