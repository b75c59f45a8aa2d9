"""Pure statistics: intervals, permutations, PERMANOVA."""
