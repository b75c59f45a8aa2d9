"""Run directories with all that could go of one, without a run."""

from __future__ import annotations

from pathlib import Path

from src.rundir import RunDirectory
from src.system.files import write_json


def make_run(path: Path, state: str) -> RunDirectory:
    """All kinds of files, a megabyte each."""
    run = RunDirectory(path)
    content = bytes(10**6)
    for step in (0, 4):
        run.adapter(step).mkdir(parents=True)
        files = (run.clouds(step), run.diagrams(step), run.picture(step), run.adapter(step) / "adapter.safetensors")
        for one in files:
            one.write_bytes(content)
    run.figures.mkdir()
    partial = (run.path / ".123.topology.parquet", run.step(4) / "diagrams.npz.damaged", run.figures / ".5.x.png")
    for one in (run.last, run.base(), run.table, run.config, run.figures / "drift.png", *partial):
        one.write_bytes(content)
    run.journal.touch()
    run.write_status(state)
    write_json(run.offsets, {"store": "", "started": 0, "done": True, "run_id": "x"})
    return run
