"""Sentences about what topology says that other metrics do not."""

from __future__ import annotations

from collections.abc import Sequence

from ...system.words import count_of

KINDS = {"behavior": "behavioural", "geometry": "geometric"}
"""What the metrics of a family are called."""


def describe_unknown(reason: str, families: Sequence[str]) -> str:
    """That complementarity cannot be stated, and why."""
    return f"What topology says beyond {' and '.join(families)} cannot be told. {reason}"


def describe_few_runs(runs: int, needed: int) -> str:
    """That there are too few runs."""
    return f"{runs} of the {count_of(needed, 'run')} that are needed at least."


def describe_missing_halves() -> str:
    """That noise is not known without subsamples."""
    return "It takes the same subsamples of the probes in all runs (tda.subsamples), to tell noise."


def describe_unreliable(r2_self: float, needed: float, runs: int) -> str:
    """That the differences between the runs are mostly noise of the probes."""
    return (
        f"Of the differences between these {runs} runs on half of the probes, another half shows "
        f"{100 * max(r2_self, 0):.0f} % again, less than {100 * needed:.0f} %: take more probes (probe.size)."
    )


def describe_r2_self(r2_self: float, runs: int) -> str:
    """How much of the differences is reproducible."""
    return (
        f"Of the differences between {runs} trajectories on half of the probes, another half shows "
        f"{100 * r2_self:.0f} % again."
    )


def describe_missing_metrics(family: str) -> str:
    """That no other metric can be compared with."""
    return f"No {KINDS[family]} metric is in all runs at the shared checkpoints, and differs between them."


def describe_complementarity(
    complementarity: float, *, r2: float, r2_self: float, runs: int, family: str, quantities: Sequence[str]
) -> str:
    """How much of the reproducible differences the metrics of a family do not predict."""
    metrics = f"{KINDS[family]} metrics ({', '.join(quantities)})"
    if complementarity > 0:
        return (
            f"{100 * complementarity:.0f} % of what {runs} trajectories reliably differ in is not predicted from "
            f"{metrics}: R2 {r2:.2f} of {r2_self:.2f}. An upper bound, as few runs teach a prediction less than there "
            "is to learn."
        )
    return (
        f"All that {runs} trajectories reliably differ in is predicted from {metrics}: R2 {r2:.2f}, reliable are "
        f"{r2_self:.2f}."
    )


def describe_prediction(family: str, r2: float) -> str:
    """How well the metrics of a family predict a trajectory."""
    return (
        f"{KINDS[family].capitalize()} metrics predict a left-out run's trajectory with R2 {r2:.2f}; 0 is as good as "
        "the mean of the other runs."
    )
