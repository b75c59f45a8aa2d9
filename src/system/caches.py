"""Where libraries may keep what they compiled, when neither the code's folder nor a home can be written."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

NUMBA, MATPLOTLIB = "NUMBA_CACHE_DIR", "MPLCONFIGDIR"
"""How Numba and Matplotlib are told a folder."""


def choose_caches(environment: MutableMapping[str, str], code: Path) -> None:
    """Name a private temporary folder to the libraries that find none of their own, unless the user named one.

    Numba, for one, fails at the import of a function that it cannot keep. Its cache is a folder of pickles, so it must
    be one that nobody else can write, and none that comes with somebody's runs.

    Args:
        environment: of this process, and of those that it starts.
        code: the folder of this package, beside whose files compiled functions usually lie.
    """
    home_folder = Path(environment.get("HOME") or "/nonexistent")
    wanted = [NUMBA] if not (_is_writable(code / "topology") or _is_writable(home_folder)) else []
    wanted += [MATPLOTLIB] if not _is_writable(home_folder) else []
    missing = [name for name in wanted if name not in environment]
    if not missing:
        return
    folder = str(_private_folder())
    environment.update(dict.fromkeys(missing, folder))
    if NUMBA in missing and "numba" in sys.modules:  # which reads the environment once, when it is imported
        sys.modules["numba"].config.CACHE_DIR = folder


def _is_writable(folder: Path) -> bool:
    """Whether a file can be made there; what the permissions say is not all, a file system may be read-only."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _private_folder() -> Path:
    """The same folder each time, if it is this user's alone; else a new one."""
    folder = Path(tempfile.gettempdir()) / f"topotrace-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
        return folder
    return Path(tempfile.mkdtemp(prefix="topotrace-"))
