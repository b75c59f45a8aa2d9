"""What the commands share: compose with Hydra, turn every wrong request into one short message, set the exit status."""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Mapping

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from . import PACKAGE
from .config import RequestError
from .config.messages import CONF, explain
from .sweeps.launchers import refuse_company, register_launchers, settle
from .sweeps.parent import GOES_ON, Home, Word, home
from .sweeps.submitit_jobs import is_job, saved_at_limit
from .system.signals import Interrupted

logger = logging.getLogger(__name__)


def launch(
    task: Callable[[DictConfig], None],
    config_name: str,
    schema: type,
    conclude: Callable[[Mapping[int, str]], int | None] = lambda told: None,
) -> None:
    """Run `task` on every composed configuration; exit 1 when a run failed, 2 when the request is wrong.

    Args:
        conclude: called after the last run, however it ended, with what went wrong in cells that other processes ran,
            by their place in the sweep; returns the exit status if it knows it better.
    """
    _quieten()
    ConfigStore.instance().store(name=f"{config_name}_schema", node=schema)
    register_launchers()
    traceback_wanted = os.environ.get("HYDRA_FULL_ERROR") == "1" or "debug=true" in (a.lower() for a in sys.argv)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then raises instead of printing and exiting with 1
    base, statuses, signum = home(), [], 0

    def guarded(composed: DictConfig) -> None:
        if not base.is_here:
            return _run_elsewhere(task, composed, base, None if traceback_wanted else schema)
        try:
            task(composed)
            statuses.append(0)
        except Exception as error:
            if traceback_wanted:
                raise
            statuses.append(report(*judge(error, schema)))
        return None

    try:
        refuse_company(os.environ)
        hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(guarded)()
    except (KeyboardInterrupt, Interrupted) as interrupted:
        signum = interrupted.signum if isinstance(interrupted, Interrupted) else signal.SIGINT
    except Exception as error:
        if traceback_wanted:
            raise
        begun = statuses or base.folder.exists()
        # Nothing ran yet: whatever was raised came from reading the request.
        statuses.append(report(*judge(error if begun else RequestError(explain(error, schema)), schema)))
    signum = signum or base.told_to_end()
    words = tell(base)
    concluded = conclude({number: word.message for number, word in words.items() if word.message})
    status = max([*statuses, *(w.status for w in words.values())], default=0) if concluded is None else concluded
    sys.exit(128 + signum if signum else status)


def _quieten() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger(PACKAGE).setLevel(logging.INFO)
    # Libraries warning each other of their next major version: the test suite listens, a user need not.
    warnings.simplefilter("ignore", FutureWarning)


def _run_elsewhere(task: Callable[[DictConfig], None], composed: DictConfig, base: Home, schema: type | None) -> None:
    """A cell in a process that a launcher started: how it ends is written down for `base`.

    `schema`: None raises what the cell raises.
    """
    _quieten()
    number, cell = HydraConfig.get().job.num, tuple(HydraConfig.get().overrides.task)
    if "trainer" in composed:
        composed.trainer.progress = False  # the bars of several cells would write over each other
    try:
        with saved_at_limit():
            settle(base)
            refuse_company(os.environ)
            task(composed)
        word = Word(cell, 0)
    except Interrupted as interrupted:
        word = Word(cell, 1, f"interrupted by {interrupted}; {GOES_ON}")
        if is_job():  # which may be queued again: only a result would end it
            base.leave_word(number, word)
            raise
    except Exception as error:
        if schema is None:
            raise
        word = Word(cell, *judge(error, schema))
    base.leave_word(number, word)


def tell(base: Home) -> dict[int, Word]:
    """Print what went wrong with cells in other processes, each by what tells it from the others; all their words."""
    words = base.hear()
    for word in words.values():
        if word.message:
            print(": ".join([*([" ".join(word.cell)] if word.cell else []), word.message]), file=sys.stderr)
    return words


def judge(error: Exception, schema: type) -> tuple[int, str]:
    """The exit status that `error` stands for, and one message for it."""
    if isinstance(error, (RequestError, HydraException, OmegaConfBaseException)):
        return 2, explain(error, schema)
    return 1, f"failed: {type(error).__name__}: {error}"


def report(status: int, message: str) -> int:
    """Print the message on standard error; returns the status."""
    if message:
        hint = "\n(HYDRA_FULL_ERROR=1 shows the traceback)" if status == 1 else ""
        print(message + hint, file=sys.stderr)
    return status
