"""What the cells of a sweep leave for the process that started them."""

from __future__ import annotations

import os
from pathlib import Path

from src.sweeps.parent import JobResult, ParentProcess, distinguish


def test_a_cell_is_named_by_what_tells_it_from_the_others(tmp_path: Path) -> None:
    directory = ParentProcess("here", os.getpid(), tmp_path / "sweep", None)
    assert directory.collect_results() == {}
    directory.write_result(10, JobResult(("model=tiny", "seed=1"), 1, "no"))
    directory.write_result(2, JobResult(("model=tiny", "seed=0"), 0))
    directory.write_result(2, JobResult(("model=tiny", "seed=0"), 1, "later"), replace_earlier=False)
    results = directory.collect_results()
    assert results == {2: JobResult(("model=tiny", "seed=0"), 0), 10: JobResult(("model=tiny", "seed=1"), 1, "no")}
    assert distinguish(results) == {2: JobResult(("seed=0",), 0), 10: JobResult(("seed=1",), 1, "no")}
    assert not directory.folder.exists()
