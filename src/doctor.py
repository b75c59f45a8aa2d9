"""`python -m src.doctor`: whether a run can work here, and what stands against it. Nothing is made or sent."""

from __future__ import annotations

from collections.abc import Mapping

from omegaconf import DictConfig

from .cli import launch
from .config.commands import DoctorConfig
from .config.resolve import resolve_doctor_config
from .system.console import show_rows
from .system.invocation import command_line

problems: list[str] = []
"""Names of the checks that found what a run cannot work with."""


def doctor(composed: DictConfig) -> None:
    """Compose, look at everything, show it as one table."""
    config = resolve_doctor_config(composed)
    # Late: a wrong request must not wait for torch and MLflow.
    from .diagnosis.checks import run_checks

    checks = list(run_checks(config.tracking))
    show_rows(["", "", "found", "what to do"], [[c.name, c.state, c.found, c.remedy] for c in checks], lines=True)
    problems.extend(check.name for check in checks if check.state == "problem")
    if problems:
        print(f"A run would not work here: {', '.join(problems)}", flush=True)
    else:
        print(f"A run works here. Next: {command_line('run')} experiment=smoke", flush=True)


def exit_status(failures: Mapping[int, str]) -> int | None:
    """1 where something was found; else the command's own."""
    return 1 if problems else None


if __name__ == "__main__":
    launch(doctor, "doctor", DoctorConfig, exit_status)
