"""Many cells: planned, launched, given their share of the machine, reported."""
