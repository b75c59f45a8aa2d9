"""Topotrace: watch the shape of a language model's representations while it is fine-tuned."""

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .notebook.arrays import track_arrays as track_arrays
    from .notebook.checkpoints import track_checkpoints as track_checkpoints
    from .notebook.comparison import compare_runs as compare_runs

PACKAGE = __name__
"""`src` in a clone, `topotrace` where a wheel was installed."""

from .system.invocation import is_command

if is_command(sys.orig_argv):  # and not where somebody else imports it: signals are his then
    from .system.signals import leave_on_signal

    leave_on_signal()  # before anything that takes its time is imported

from .system.caches import choose_caches

choose_caches(os.environ, Path(__file__).parent)  # before Numba is imported, which looks for a folder then

_FUNCTIONS = {
    "track_arrays": "notebook.arrays",
    "track_checkpoints": "notebook.checkpoints",
    "compare_runs": "notebook.comparison",
}
"""What notebooks and scripts call, and where it is. `track` and `compare` are the modules of these commands."""


def __getattr__(name: str) -> Any:
    """Each function when it is asked for: a command imports none of them."""
    if name not in _FUNCTIONS:
        raise AttributeError(f"module {__name__} has no attribute {name}; its functions are {', '.join(_FUNCTIONS)}")
    return getattr(import_module(f".{_FUNCTIONS[name]}", __name__), name)
