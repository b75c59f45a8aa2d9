"""Files of a run directory damaged on purpose, before the same command, `src.analyze`, `src.compare` and `src.sync`.

What must hold: a command that ends with status 0 has the numbers of the undamaged directory, one that does not names
the damaged file and says what to do, and none is stuck: the same command again ends, too. 400 trials take about an
hour on two quiet cores.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import runpy
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from src.rundir import RunDirectory

from ..support.processes import wait_until
from ..support.runs import WORDS, Point, Reference, only_run, points_of, start, stored

SECONDS = 300
"""After which a command counts as stuck."""

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["src.run", "src.training.fit", "src.pipeline.session", "src.tracking.tracker", "src.comparison.build"]
)

DAMAGES = ("flip", "overwrite", "cut", "excise", "empty", "delete")

KINDS = {
    "resume": (
        "config.yaml", "status.json", "metrics.jsonl", "journal.jsonl", "delivered.json", "mlflow_run_id", "last.ckpt",
        "step_*/clouds.safetensors", "step_*/floor.safetensors", "step_*/base.safetensors", "step_*/diagrams.npz",
        "step_*/diagrams.png", "step_*/metrics.json", "step_*/adapter/*",
    ),
    "analyze": (
        "config.yaml", "status.json", "metrics.jsonl", "mlflow_run_id", "delivered.json", "step_*/clouds.safetensors",
        "step_*/floor.safetensors", "step_*/diagrams.npz", "topology.parquet",
    ),
    "compare": ("topology.parquet", "mlflow_run_id", "status.json", "step_*/diagrams.npz"),
    "sync": (
        "metrics.jsonl", "journal.jsonl", "delivered.json", "mlflow_run_id", "status.json", "config.yaml",
        "topology.parquet", "step_*/diagrams.png", "step_*/diagrams.npz", "figures/*",
    ),
}  # fmt: skip
"""Command -> the files that it may read."""

Row = tuple[str, int, int, str]
"""What was damaged, trials, how many ended as they should, and how the others did."""


def damage(path: Path, how: str, rng: random.Random) -> None:
    """Damage a file; `how` is one of `DAMAGES`."""
    content = bytearray(path.read_bytes())
    place = rng.randrange(max(1, len(content)))
    end = min(len(content), place + rng.randint(1, 64))
    if how == "flip" and content:
        content[place] ^= 1 << rng.randrange(8)
    elif how == "overwrite":
        content[place:end] = rng.randbytes(end - place)
    elif how == "cut":
        del content[place:]
    elif how == "excise":
        del content[place:end]
    elif how == "empty":
        content.clear()
    path.unlink() if how == "delete" else path.write_bytes(content)


@dataclass(frozen=True)
class Ended:
    status: int
    """-1: it was stuck."""
    out: str
    error: str


def _command(folder: Path, module: str, words: Sequence[str]) -> None:
    """In a process of its own: the command as a user starts it."""
    os.chdir(folder)
    for name, number in (("out.txt", 1), ("error.txt", 2)):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.argv = [module, *words]
    status = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        status = int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def run_command(folder: Path, module: str, *words: str) -> Ended:
    """`python -m <module> <words>` in `folder`, without the seconds that its imports take."""
    process = CONTEXT.Process(target=_command, args=(folder, module, words))
    process.start()
    process.join(SECONDS)
    if process.exitcode is None:
        process.kill()
        process.join()
        return Ended(-1, "", "stuck")
    return Ended(process.exitcode, *((folder / name).read_text(errors="replace") for name in ("out.txt", "error.txt")))


@dataclass(frozen=True)
class Undamaged:
    """The folders that copies are made of, and what the commands make of them."""

    finished: Path
    stopped: Path
    """A run that was killed in the middle."""
    planted: Path
    """Finished runs of a sweep that none trained."""
    reference: Reference
    analysis: pd.DataFrame
    sentences: str

    @classmethod
    def make(cls, place: Path, finished: Path, stopped: Path, reference: Reference) -> Undamaged:
        analysed = shutil.copytree(finished, place / "analysed")
        planted = place / "planted"
        planted.mkdir()
        ended = run_command(planted, "tests.faults.plant")
        assert ended.status == 0, ended
        ended = run_command(analysed, "src.analyze", *_analysis_of(analysed))
        assert ended.status == 0, ended.error
        table = pd.read_parquet(next(only_run(analysed).path.glob("analysis/*/topology.parquet")))
        compared = run_command(shutil.copytree(planted, place / "compared"), "src.compare", "sweep=first")
        assert compared.status == 0, compared.error
        return cls(finished, stopped, planted, reference, table, compared.out)


def _analysis_of(folder: Path) -> list[str]:
    return [f"run={only_run(folder).path.relative_to(folder)}", "tda.subsamples=2", "tda.null_draws=2"]


def try_resume(undamaged: Undamaged, folder: Path, run: RunDirectory) -> tuple[Ended, list[str]]:
    ended = run_command(folder, "src.run", *WORDS)
    if ended.status not in (0, 2):  # once more: nothing may be stuck
        ended = run_command(folder, "src.run", *WORDS)
    wrong = undamaged.reference.differences(run, folder / "multirun" / "mlflow.db") if not ended.status else []
    return ended, wrong


def try_analyze(undamaged: Undamaged, folder: Path, run: RunDirectory) -> tuple[Ended, list[str]]:
    ended = run_command(folder, "src.analyze", *_analysis_of(undamaged.finished))
    if ended.status:
        return ended, []
    table = pd.read_parquet(next(run.path.glob("analysis/*/topology.parquet")))
    return ended, [] if table.equals(undamaged.analysis) else ["another table"]


def try_compare(undamaged: Undamaged, folder: Path, run: RunDirectory) -> tuple[Ended, list[str]]:
    ended = run_command(folder, "src.compare", "sweep=first")
    return ended, ["other findings"] if not ended.status and ended.out != undamaged.sentences else []


def try_sync(undamaged: Undamaged, folder: Path, run: RunDirectory) -> tuple[Ended, list[str]]:
    run_id = (only_run(undamaged.finished)).mlflow_run_id.read_text()
    ended = run_command(folder, "src.sync")
    points: list[Point] = points_of(stored(folder / "multirun" / "mlflow.db", run_id))
    return ended, [] if points == undamaged.reference.points else ["other points in MLflow"]


TRIES: dict[str, Callable[[Undamaged, Path, RunDirectory], tuple[Ended, list[str]]]] = {
    "resume": try_resume, "analyze": try_analyze, "compare": try_compare, "sync": try_sync,
}  # fmt: skip


def run_trial(undamaged: Undamaged, command: str, pattern: str, how: str, rng: random.Random) -> list[str]:
    """What is wrong with how a command ends after one file was damaged; nothing if all is as it should be."""
    source = {"resume": undamaged.stopped, "compare": undamaged.planted}.get(command, undamaged.finished)
    with tempfile.TemporaryDirectory() as name:
        folder = shutil.copytree(source, Path(name) / "copy")
        run = (
            only_run(folder)
            if command != "compare"
            else RunDirectory(rng.choice(sorted(folder.glob("multirun/*/*/*/seed*"))))
        )
        found = [path for path in sorted(run.path.glob(pattern)) if path.is_file()]
        if not found:
            return []
        path = rng.choice(found)
        damage(path, how, rng)
        ended, wrong = TRIES[command](undamaged, folder, run)
        if ended.status == -1:
            wrong.append("stuck")
        if "Traceback" in ended.error:
            wrong.append(f"a traceback: {ended.error.splitlines()[-1]}")
        if ended.status and not (path.name in ended.error or path.parent.name in ended.error):
            wrong.append(f"status {ended.status} without its name: {ended.error.strip()[-200:]}")
        return [f"{command} after {how} of {path.relative_to(run.path)}: {one}" for one in wrong]


@contextmanager
def make_undamaged() -> Iterator[Undamaged]:
    """One run to its end, one that is killed in the middle, and what is made of them."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        finished, stopped = place / "finished", place / "stopped"
        for folder in (finished, stopped):
            folder.mkdir()
        reference = Reference.make(finished)
        process = start(stopped)
        wait_until(lambda: bool(list(stopped.rglob("step_000010/clouds.safetensors"))), SECONDS)
        process.kill()
        process.communicate()
        yield Undamaged.make(place, finished, stopped, reference)


def main(trials: int, seed: int) -> list[Row]:
    """`trials` in all, spread evenly over commands, kinds of files and ways to damage them."""
    rng, rows = random.Random(seed), []
    plan = [(command, kind, how) for command, kinds in KINDS.items() for kind in kinds for how in DAMAGES]
    rng.shuffle(plan)
    chosen = [plan[n % len(plan)] for n in range(trials)]
    with make_undamaged() as undamaged:
        for command in KINDS:
            wrong = []
            mine = [(kind, how) for one, kind, how in chosen if one == command]
            for kind, how in mine:
                wrong += run_trial(undamaged, command, kind, how, rng)[:1]
            rows.append((f"a damaged file before {command}", len(mine), len(mine) - len(wrong), "; ".join(wrong)))
    return rows
