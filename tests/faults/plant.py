"""`python -m tests.faults.plant`: a small sweep of finished runs under the current directory, none of them trained."""

from __future__ import annotations

from ..support.planted import Planted, plant_run


def main() -> None:
    for objective in ("helpful", "harmless"):
        for seed in (0, 1):
            plant_run(Planted(objective=objective, seed=seed, steps=(0, 1, 4, 8, 16), layers=2))


if __name__ == "__main__":
    main()
