"""What the commands share: compose with Hydra, turn every wrong request into one short message, set the exit status."""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from . import PACKAGE
from .config import RequestError
from .config.composition import guard_composition
from .config.messages import CONF, explain
from .sweeps.launchers import assign_devices, register_launchers, reject_distributed_launch
from .sweeps.parent import RESUME_HINT, JobResult, ParentProcess, distinguish, parent_process
from .sweeps.submitit_jobs import is_job, requeue_on_timeout
from .system.allocator import let_segments_grow
from .system.files import DamagedError, DiskFullError, is_disk_full
from .system.invocation import name_program
from .system.secrets import redact_output
from .system.signals import Interrupted, interrupt_on_signal, leave_soon
from .system.threads import wait_passively

FLAGS_WITH_VALUE = (
    "--cfg", "-c", "--info", "-i", "--package", "-p", "--config-name", "-cn", "--config-path", "-cp", "--config-dir",
    "-cd", "--experimental-rerun",
)  # fmt: skip
"""Hydra's flags that the next word belongs to."""

Task = Callable[[DictConfig], None]
"""What a command does with one composed configuration."""
Conclude = Callable[[Mapping[int, str]], int | None]
"""What is done after the last cell; see `launch`."""


def launch(
    task: Task, config_name: str, schema: type, conclude: Conclude = lambda failures: None, *, together: bool = False
) -> None:
    """Run `task` on every composed configuration; exit 1 when a run failed, 2 when the request is wrong.

    Args:
        conclude: called after the last run, however it ended, with what went wrong in cells that other processes ran,
            by their place in the sweep; returns the exit status if it knows it better.
        together: whether the task knows what to do where several processes were started at once.
    """
    traceback_wanted = os.environ.get("HYDRA_FULL_ERROR") == "1" or "debug=true" in (a.lower() for a in sys.argv)
    parent, statuses, signum = parent_process(), list[int](), 0
    _prepare(config_name, schema)
    name_program()
    sys.argv[1:] = order_words(sys.argv[1:])
    try:
        interrupt_on_signal()  # until here a signal ends the process: nothing would catch what this one raises
        if not together:
            reject_distributed_launch(os.environ)
        guarded = _guard(task, None if traceback_wanted else schema, parent, statuses)
        hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(guarded)()
    except (KeyboardInterrupt, Interrupted) as interrupted:
        signum = interrupted.signum if isinstance(interrupted, Interrupted) else signal.SIGINT
        leave_soon(signum)
    except Exception as error:
        if traceback_wanted:
            raise
        if not (statuses or parent.folder.exists()):
            # Nothing ran yet: whatever was raised came from reading the request.
            error = RequestError(explain(error, schema))
        statuses.append(print_error(*classify_error(error, schema)))
    sys.exit(_exit_status(parent, statuses, signum, conclude))


def _prepare(config_name: str, schema: type) -> None:
    """Everything that Hydra has to find before it composes, and OpenMP and torch before they are loaded."""
    wait_passively(os.environ)
    let_segments_grow(os.environ)
    _configure_logging()
    ConfigStore.instance().store(name=f"{config_name}_schema", node=schema)
    register_launchers()
    guard_composition()
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then raises instead of printing and exiting with 1


def order_words(words: Sequence[str]) -> list[str]:
    """The words of a command line with the overrides in front, the flags and what belongs to them behind.

    Hydra's parser takes the overrides from one place only: in `model=tiny -m seed=0,1` it refuses the second.
    """
    flags, overrides = list[str](), list[str]()
    for before, word in zip(["", *words], words, strict=False):
        is_override = "=" in word or word.startswith("~")
        is_flag = word.startswith("-") or (before in FLAGS_WITH_VALUE and not is_override)
        (flags if is_flag else overrides).append(word)
    return overrides + flags


def _configure_logging() -> None:
    redact_output()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger(PACKAGE).setLevel(logging.INFO)
    # Libraries warning each other of their next major version: the test suite listens, a user need not.
    warnings.simplefilter("ignore", FutureWarning)


def _guard(task: Task, schema: type | None, parent: ParentProcess, statuses: list[int]) -> Task:
    """`task`, with what it raises turned into a message and a status.

    Args:
        schema: None raises what the task raises.
        parent: the process that this command was started in; a launcher may run the task in another one.
        statuses: gets the exit status of each task that this process runs.
    """

    def guarded(composed: DictConfig) -> None:
        if not parent.is_current:
            _run_elsewhere(task, composed, parent, schema)
            return
        try:
            task(composed)
        except Exception as error:
            if schema is None:
                raise
            statuses.append(print_error(*classify_error(error, schema)))
        else:
            statuses.append(0)

    return guarded


def _run_elsewhere(task: Task, composed: DictConfig, parent: ParentProcess, schema: type | None) -> None:
    """A cell in a process that a launcher started: its result is written to a file for `parent`."""
    _configure_logging()
    number, cell = HydraConfig.get().job.num, tuple(HydraConfig.get().overrides.task)
    if "trainer" in composed:
        composed.trainer.progress = False  # the bars of several cells would write over each other
    try:
        with requeue_on_timeout():
            assign_devices(parent)
            reject_distributed_launch(os.environ)
            task(composed)
        result = JobResult(cell, 0)
    except Interrupted as interrupted:
        result = JobResult(cell, 1, f"interrupted by {interrupted}; {RESUME_HINT}")
        if is_job():  # which may be queued again: only a result would end it
            parent.write_result(number, result)
            raise
    except Exception as error:
        if schema is None:
            raise
        result = JobResult(cell, *classify_error(error, schema))
    parent.write_result(number, result)


def _exit_status(parent: ParentProcess, statuses: list[int], signum: int, conclude: Conclude) -> int:
    """After the last cell: print what failed in other processes, conclude, and say how the command ends."""
    signum = signum or parent.forwarded_signal()
    results = parent.collect_results()
    print_job_failures(results)
    concluded = conclude({number: result.message for number, result in results.items() if result.message})
    if signum:
        return 128 + signum
    if concluded is not None:
        return concluded
    return max([*statuses, *(result.status for result in results.values())], default=0)


def print_job_failures(results: Mapping[int, JobResult]) -> None:
    """Print what went wrong with cells in other processes, each named by what sets it apart from the others."""
    for result in distinguish(results).values():
        if result.message:
            print(": ".join([*([" ".join(result.cell)] if result.cell else []), result.message]), file=sys.stderr)


def classify_error(error: Exception, schema: type) -> tuple[int, str]:
    """The exit status that `error` stands for, and one message for it."""
    if isinstance(error, (RequestError, HydraException, OmegaConfBaseException)):
        return 2, explain(error, schema)
    if isinstance(error, DiskFullError):
        return 1, str(error)
    if is_disk_full(error):
        return 1, f"failed: {error}: the disk is full; make room, then give the same command again"
    if isinstance(error, DamagedError):
        return 1, f"failed: {error}; the same command makes it again"
    return 1, f"failed: {type(error).__name__}: {error}"


def print_error(status: int, message: str) -> int:
    """Print the message on standard error; returns the status."""
    if message:
        hint = "\n(HYDRA_FULL_ERROR=1 shows the traceback)" if status == 1 else ""
        print(message + hint, file=sys.stderr)
    return status
