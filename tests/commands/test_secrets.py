"""A login is used, and it stands nowhere: no file, no output, nothing in the store."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from src.rundir import RunDirectory
from src.system.jsonl import read_jsonl
from tests.support.processes import run_module
from tests.support.runs import all_runs
from tests.support.servers import MlflowServer

USER, PASSWORD, SECRET = "alice-of-the-lab", "s3cret-PW.of-hers", "hf_neverToBeSeen"
TEXT = "Quetzalcoatlus said"
"""In every prompt and reply: no file of a run has text of dialogues."""
ENVIRONMENT = {"MY_SECRET": SECRET, "HF_TOKEN": SECRET + "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}


def with_login(uri: str) -> str:
    return uri.replace("://", f"://{USER}:{PASSWORD}@")


def check_clean(folder: Path, *outputs: str) -> None:
    """No file below the folder, by name or content, and no output holds what is secret."""
    for word in (USER, PASSWORD, SECRET, TEXT):
        assert [name for name, text in enumerate(outputs) if word in text] == []
        for path in folder.rglob("*"):
            assert word not in path.name
            assert not path.is_file() or word.encode() not in path.read_bytes(), path


@pytest.fixture(scope="module")
def tracked(server: MlflowServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunDirectory]:
    """A directory with a run that was tracked by a server that is reached with a login."""
    folder, data = tmp_path_factory.mktemp("secrets"), tmp_path_factory.mktemp("dialogues")
    for kind in ("helpful", "harmless"):
        turns = [[{"role": r, "content": f"{TEXT} {kind} {n}"} for r in ("user", "assistant")] for n in range(160)]
        (data / f"{kind}.jsonl").write_text("".join(json.dumps({"messages": turn}) + "\n" for turn in turns))
    words = ["experiment=smoke", "trainer.max_steps=4", "trainer.warmup_steps=1", "probe.size=16", "tda.subsamples=0"]
    words += ["schedule.early=1", "schedule.late=1", "tda.null_draws=0", "objective.eval_size=4", f"sweep={SECRET}"]
    words += [f"tracking.uri={with_login(server.uri)}", "objective.dialogues=jsonl", f"objective.data_dir={data}"]
    done = run_module("src.run", *words, cwd=folder, **ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    check_clean(folder, done.stdout, done.stderr)
    return folder, all_runs(folder)[0]


@pytest.mark.slow
def test_a_run_uses_a_login_and_leaves_none(tracked: tuple[Path, RunDirectory], server: MlflowServer) -> None:
    _, run = tracked
    assert dict(next(read_jsonl(run.journal))[0])["start"]["uri"] == server.uri
    assert "sweep: '***'" in run.config.read_text()
    check_clean(server.folder)


@pytest.mark.slow
def test_sync_asks_for_the_login_and_uses_it(tracked: tuple[Path, RunDirectory], server: MlflowServer) -> None:
    folder, run = tracked
    run.offsets.unlink()
    without = run_module("src.sync", cwd=folder, **ENVIRONMENT)
    assert without.returncode == 2
    assert f"tracking.uri={server.uri}" in without.stderr
    assert "needs a login there" in without.stderr
    assert len(without.stderr.splitlines()) == 1
    login = {"MLFLOW_TRACKING_URI": with_login(server.uri)}
    synced = run_module("src.sync", cwd=folder, **ENVIRONMENT, **login)
    assert synced.returncode == 0, synced.stderr
    run.offsets.unlink()
    parts = {"MLFLOW_TRACKING_USERNAME": USER, "MLFLOW_TRACKING_PASSWORD": PASSWORD}
    again = run_module("src.sync", cwd=folder, **ENVIRONMENT, **parts)
    assert again.returncode == 0, again.stderr
    check_clean(folder, *(done.stdout + done.stderr for done in (without, synced, again)))
    shutil.copytree(run.path, folder / "foreign")
    foreign = run_module("src.sync", "run=foreign", cwd=folder, **ENVIRONMENT, **parts)
    assert foreign.returncode == 2
    assert "foreign lies outside multirun/" in foreign.stderr


@pytest.mark.slow
def test_a_run_that_fails_says_no_login(tmp_path: Path) -> None:
    uri = with_login("http://127.0.0.1:9")
    for words in (("debug=true",), ("-m", "seed=0,1")):
        done = run_module("src.run", "tda=none", f"tracking.uri={uri}", *words, cwd=tmp_path, **ENVIRONMENT)
        assert done.returncode != 0
        assert "tracking.uri=http://127.0.0.1:9: cannot be used" in done.stderr
        check_clean(tmp_path, done.stdout, done.stderr)
