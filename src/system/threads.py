"""How the threads of OpenMP wait for each other."""

from __future__ import annotations

from collections.abc import MutableMapping

PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
"""Threads that spin while they wait take the time of whatever else runs on their cores, the workers first of all."""


def wait_passively(environment: MutableMapping[str, str]) -> None:
    """Let waiting threads sleep, here and in every process that is started from here, unless the user says otherwise.

    Args:
        environment: of this process; OpenMP reads it when torch is imported.
    """
    if not PASSIVE.keys() & environment.keys():
        environment.update(PASSIVE)
