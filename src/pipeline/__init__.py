"""One tracked measurement from start to end."""
