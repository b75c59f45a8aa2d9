"""Topotrace: watch the shape of a language model's representations while it is fine-tuned."""

import os
import sys
from pathlib import Path

PACKAGE = __name__
"""`src` in a clone, `topotrace` where a wheel was installed."""

from .system.invocation import is_command

if is_command(sys.orig_argv):  # and not where somebody else imports it: signals are his then
    from .system.signals import leave_on_signal

    leave_on_signal()  # before anything that takes its time is imported

from .system.caches import choose_caches

choose_caches(os.environ, Path(__file__).parent)  # before Numba is imported, which looks for a folder then
