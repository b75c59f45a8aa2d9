"""Before a sweep's first cell: every cell is composed and checked."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra import compose
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from ..config import Config, RequestError
from ..config.messages import explain
from ..config.resolve import complete_config, resolve_config
from ..forecast.disk import check_disk, check_weight_copies, disk_bytes
from ..rundir import RunDirectory
from ..rundir.naming import directory_of_run
from ..rundir.state import check_earlier_start
from ..system.console import show_rows
from ..system.machine import describe_bytes
from .launchers import reject_distributed_launch

SWEEPER = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
"""What goes over all combinations; what others will try is not known before."""

WRITE_NOTHING = ("plan", "preview")
"""Commands that take the words of a sweep and prepare no store for it."""

IDENTIFYING = ("model", "objective", "tda")
"""Groups whose choice names a run's directory."""


@dataclass(frozen=True)
class Cell:
    name: str
    """What sets it apart from the others, in the words of the command line."""
    config: Config
    run: RunDirectory


@dataclass
class Sweep:
    cells: Sequence[Cell]
    begun: float
    """seconds since 1970"""
    failures: dict[Path, str] = field(default_factory=dict)
    """Why cells of this process failed, by directory: some fail before it is there to say so."""


_planned: list[Sweep] = []
# Hydra makes the callback that plans; nothing else leads from it to the commands.


def planned_sweep() -> Sweep | None:
    """The sweep that this process planned, if it did."""
    return _planned[-1] if _planned else None


def directory_of(config: Config, choices: dict[str, Any]) -> RunDirectory:
    """The one directory of a configuration; `choices` are those of Hydra's groups."""
    baseline = compose("config", [f"{group}={choices[group]}" for group in IDENTIFYING])
    return directory_of_run(config, complete_config(baseline))


class PlanSweep(Callback):
    """Refuses a sweep of which one cell is wrong, before the first of them costs anything."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        if OmegaConf.select(config, "hydra.sweeper._target_") != SWEEPER or Path(sys.argv[0]).stem in WRITE_NOTHING:
            return
        try:
            reject_distributed_launch(os.environ)
            sweep = plan(config)
            show_plan(sweep)
            prepare_store(sweep)
        except RequestError as error:
            print(error, file=sys.stderr, end="\n" if str(error) else "")
            sys.exit(2)  # Hydra would take an exception of a callback for a warning
        _planned.append(sweep)


def plan(config: DictConfig) -> Sweep:
    """Every cell, composed and checked.

    Raises:
        RequestError: naming each cell that is wrong, and how.
    """
    cells, problems = [], []
    for words, varied in _combinations(config):
        name = " ".join(varied) or "the only one"
        try:
            composed = compose("config", words, return_hydra_config=True)
            choices = OmegaConf.to_container(composed.hydra.runtime.choices)
            assert isinstance(choices, dict)
            OmegaConf.set_struct(composed, False)
            composed.pop("hydra")
            checked = resolve_config(composed)
            run = directory_of(checked, {str(key): value for key, value in choices.items()})
            if not check_earlier_start(run, checked):
                check_weight_copies(checked)
        except Exception as error:  # whatever composing raises is a wrong request
            problems.append(f"{name}: {explain(error)}")
        else:
            cells.append(Cell(name, checked, run))
    if problems:
        raise RequestError("\n".join(problems))
    check_disk(cell.config for cell in cells if state_of(cell) != "done")
    return Sweep(cells, time.time())


def _combinations(config: DictConfig) -> Iterator[tuple[list[str], list[str]]]:
    """All words of each cell, and those of them that vary over the cells."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    params = config.hydra.sweeper.params or {}
    asked = [f"{key!s}={value}" for key, value in params.items()] + list(config.hydra.overrides.task)
    overrides = OverridesParser.create(GlobalHydra.instance().config_loader()).parse_overrides(asked)
    for override in overrides:
        if override.is_interval_sweep():
            raise RequestError(
                f"{override.input_line}: an interval has no values to go over; list them "
                f"({override.get_key_element()}=0,1,2), or give range(0,3)"
            )
    # The last word on a key counts; a key given once more on the command line varies there or nowhere.
    varying = {override.get_key_element(): override.is_sweep_override() for override in overrides}
    for batch in BasicSweeper.split_arguments(overrides, None):
        for cell in batch:
            words = [str(word) for word in cell]
            yield words, [word for word in words if varying[word.partition("=")[0]]]


def state_of(cell: Cell) -> str:
    """`done`, `running`, `interrupted`, `failed`; `missing` if it never came that far."""
    return "missing" if cell.config.force else str(cell.run.read_status().get("state", "missing"))


def show_plan(sweep: Sweep) -> None:
    """The cells, and what they will take."""
    words = {"done": "done, skipped", "missing": "new"}
    from ..forecast.estimate import peak_bytes  # late: it needs torch, and the plan stands

    rows, total = [], 0.0
    for cell in sweep.cells:
        state = state_of(cell)
        disk = disk_bytes(cell.config)
        memory = peak_bytes(cell.config) if state != "done" else None
        total += (disk or 0.0) if state != "done" else 0.0
        rows.append([cell.name, words.get(state, f"{state}, goes on"), _size(disk), _size(memory)])
    show_rows(["cell", "", "disk, about", "memory, about"], rows)
    print(f"{len(rows)} cells; what is left of them will take about {_size(total)} of disk", flush=True)


def _size(amount: float | None) -> str:
    return "not known" if amount is None else describe_bytes(amount)


def prepare_store(sweep: Sweep) -> None:
    """Database, experiment and views before the first cell: workers that make them at once would break them."""
    waiting = [cell for cell in sweep.cells if state_of(cell) != "done"]
    if waiting:
        from ..tracking.store import open_store, write_views

        write_views(open_store(waiting[0].config.tracking))
