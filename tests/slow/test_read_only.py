"""Code that cannot be written and no home, as in a container or on a cluster: a run goes on, its files private."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT, require
from tests.support.runs import all_runs

WORDS = (
    "experiment=smoke trainer.max_steps=4 trainer.warmup_steps=1 probe.size=16 schedule.early=1 schedule.late=1 "
    "tda.subsamples=0 tda.null_draws=0 objective.eval_size=4 trainer.progress=false"
)


@pytest.mark.slow
def test_a_run_needs_neither_writable_code_nor_a_home(tmp_path: Path) -> None:
    mounts = subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0
    require(mounts, "no mount namespace of one's own is allowed here")
    for name in ("src", "conf"):
        shutil.copytree(ROOT / name, tmp_path / "code" / name, ignore=shutil.ignore_patterns("__pycache__"))
    script = f"""
        set -e
        mount --bind code code
        mount -o remount,ro,bind code
        ! touch code/written 2> /dev/null
        mkdir work temporary
        cd work
        umask 077
        {sys.executable} -m src.run {WORDS}
    """
    environment = {"HOME": "/proc/nohome", "PYTHONPATH": str(tmp_path / "code"), "TMPDIR": str(tmp_path / "temporary")}
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script], cwd=tmp_path, capture_output=True, text=True,
        env={"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    (run,) = all_runs(tmp_path / "work")
    assert run.read_status()["state"] == "done"
    assert list((tmp_path / "temporary").rglob("*.nbi")), "what Numba compiled is kept"
    others = [path for path in (tmp_path / "work").rglob("*") if path.lstat().st_mode & 0o077 and not path.is_symlink()]
    assert not others, "the umask says that they are the user's alone"
