"""Pure statistics: intervals, permutations, PERMANOVA."""

CONFIDENCE = 0.95
"""Of every interval."""
ALPHA = 0.05
"""Level of every test."""
NORMAL = 1.96
"""Two-sided quantile of the normal distribution at `CONFIDENCE`."""
