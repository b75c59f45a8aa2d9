"""Figures of a run: described once in `panels.py` terms, drawn interactively by plotly and as PNG by matplotlib."""
