"""What was listed is looked at again before it goes, and what an unfinished run begins from stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from src.config import AdapterConfig
from src.config.commands import REMOVABLE
from src.pipeline.removable import Removable, adapters_in_use, find_removable
from src.rundir import RunDirectory
from src.rundir.state import write_config
from src.tracking.journal import try_lock
from tests.support.removable import make_run
from tests.support.tracked import configure


@pytest.fixture
def done(place: Path) -> RunDirectory:
    return make_run(Path("multirun/a/b/c/done"), "done")


def listed(run: RunDirectory) -> dict[str, Removable]:
    return {one.kind: one for one in find_removable(run, REMOVABLE, adapters_in_use([run]))}


@pytest.mark.parametrize("where", ["run", "analysis"])
def test_nothing_goes_where_a_process_has_begun_since_it_was_listed(done: RunDirectory, where: str) -> None:
    analysis = RunDirectory(done.path / "analysis" / "cosine")
    analysis.path.mkdir(parents=True)
    analysis.write_status("done")
    found = listed(done)
    assert set(found) == set(REMOVABLE)
    lock = try_lock(done if where == "run" else analysis)
    assert lock is not None
    gone = {kind for kind, one in found.items() if one.remove(()) != (0, 0)}
    lock.release()
    assert gone == (set() if where == "run" else set(REMOVABLE) - {"clouds"})
    assert done.clouds(0).exists()


def test_nothing_goes_that_is_needed_since_it_was_listed(done: RunDirectory) -> None:
    found = listed(done)
    done.write_status("interrupted")
    assert {kind: one.remove(()) for kind, one in found.items() if kind != "partial"} == dict.fromkeys(
        set(REMOVABLE) - {"partial"}, (0, 0)
    )
    assert found["partial"].remove(()) == (3, 3 * 10**6)
    assert done.last.exists()


@pytest.mark.parametrize("state", ["interrupted", "done"])
def test_an_adapter_that_an_unfinished_run_begins_from_stays(done: RunDirectory, state: str) -> None:
    other = RunDirectory(Path("multirun/a/b/c/other"))
    other.path.mkdir()
    write_config(other, replace(configure(), adapter=AdapterConfig(kind="lora", resume=str(done.adapter(0)))))
    other.write_status(state)
    assert ("adapters" in listed(done)) == (state == "done")


def test_an_adapter_that_is_begun_from_since_it_was_listed_stays(done: RunDirectory) -> None:
    assert listed(done)["adapters"].remove({done.adapter(0).resolve()}) == (0, 0)
    assert listed(done)["adapters"].remove(()) == (1, 10**6)
