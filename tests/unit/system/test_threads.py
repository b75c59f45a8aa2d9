"""Waiting threads sleep, unless the user says otherwise."""

from __future__ import annotations

import pytest

from src.system.threads import PASSIVE, wait_passively


def test_waiting_threads_sleep() -> None:
    environment = {"PATH": "/bin"}
    wait_passively(environment)
    assert environment == {"PATH": "/bin", **PASSIVE}


@pytest.mark.parametrize("given", [{"OMP_WAIT_POLICY": "ACTIVE"}, {"GOMP_SPINCOUNT": "1000"}])
def test_what_the_user_says_counts(given: dict[str, str]) -> None:
    environment = dict(given)
    wait_passively(environment)
    assert environment == given
