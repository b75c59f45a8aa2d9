"""What a store has of a run, held against what its spool and journal say that it was brought.

One request tells every key, tag, parameter and the status. Points are counted key by key, but not of each of the
thousands of keys that a run may have: of each line of the spool so many that every batch that was sent has one of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path, PurePosixPath

from .store import first_line

# isort: split
from mlflow import MlflowClient
from mlflow.entities import Run

from ..rundir import RunDirectory
from ..system.jsonl import Entry, read_jsonl
from .images import FOLDER, image_names
from .offsets import UploadOffsets
from .refusals import TROUBLES, OutageError

BATCH = 1000
"""Metrics that MLflow takes in one call."""


NUMBERS, PARAMETERS, END = "numbers", "parameters", "the end of the run"
"""What a part of a run is called in messages and in `delivered.json`."""


@dataclass(frozen=True)
class Lacking:
    """What a store lacks of what it was brought."""

    metrics: bool = False
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Entry, ...] = ()
    """Entries of the journal whose files are not all there."""
    end: Entry | None = None
    """The last entry of the journal, if the run has ended and the store does not know it."""
    trouble: Exception | None = None
    """Why the files could not all be looked for: they lie where the server says, and each place has its errors."""

    @property
    def parts(self) -> list[str]:
        """What is lacking, as messages and `UploadOffsets.left_out` call it."""
        known = {NUMBERS: self.metrics, PARAMETERS: self.params, END: self.end}
        return [
            *(part for part, lacks in known.items() if lacks),
            *map(tag_label, self.tags), *map(file_label, self.files),
        ]  # fmt: skip


def tag_label(key: str) -> str:
    return f"the tag {key}"


def is_file(entry: Entry) -> bool:
    """Whether an entry of the journal names a file."""
    return "artifact" in entry or "picture" in entry


def file_label(entry: Entry) -> str:
    """What a file of the journal is called in messages: its place in MLflow, or which picture it is."""
    if "picture" in entry:
        return f"the picture {entry['key']} of step {entry['step']}"
    return str(PurePosixPath(entry["folder"] or "") / PurePosixPath(entry["artifact"]).name)


def find_lacking(client: MlflowClient, found: Run, run: RunDirectory, start: Entry, offsets: UploadOffsets) -> Lacking:
    """What the store lacks of a run, as far as it was brought it.

    Args:
        found: the run as the store has it.
        start: the first line of the journal.

    Raises:
        OutageError: if the store does not answer.
        DamagedError: if spool or journal are not what was written.
    """
    entries = list(read_jsonl(run.journal))
    tags = start["tags"] | {
        key: value for entry, behind in entries if behind <= offsets.journal
        for key, value in entry.get("tags", {}).items()
    }  # fmt: skip
    files = [entry for entry, behind in entries if behind <= offsets.artifacts and is_file(entry)]
    ends = [entry for entry, _ in entries if "end" in entry]
    lost, trouble = _find_lost_files(client, found.info.run_id, files)
    try:
        return Lacking(
            metrics=_lacks_points(client, found, run.spool, offsets.metrics),
            params={key: value for key, value in start["params"].items() if key not in found.data.params},
            tags={key: value for key, value in tags.items() if key not in found.data.tags},
            files=tuple(lost),
            end=ends[-1] if ends and offsets.ended and found.info.status == "RUNNING" else None,
            trouble=trouble,
        )
    except TROUBLES as error:
        raise OutageError(first_line(error)) from error


def _lacks_points(client: MlflowClient, found: Run, spool: Path, up_to: int) -> bool:
    """Whether a point of the spool's first `up_to` bytes is not there."""
    points, witnesses = defaultdict[str, set[tuple[int, int]]](set), set[str]()
    for line, _ in takewhile(lambda read: read[1] <= up_to, read_jsonl(spool)):
        keys = list(line["metrics"])
        # A batch that was lost began or ended within the line, or is all of it, or is as long as a batch can be.
        witnesses.update([*keys[::BATCH], *keys[-1:]])
        for key in keys:
            points[key].add((line["step"], line["timestamp"]))
    if points.keys() - found.data.metrics.keys():
        return True
    return any(len(client.get_metric_history(found.info.run_id, key)) < len(points[key]) for key in sorted(witnesses))


def _find_lost_files(client: MlflowClient, run_id: str, files: Iterable[Entry]) -> tuple[list[Entry], Exception | None]:
    listed: dict[str, set[str]] = {}
    lost: list[Entry] = []
    for entry in files:
        folder = FOLDER if "picture" in entry else entry["folder"] or ""
        if folder not in listed:
            try:
                there = client.list_artifacts(run_id, folder or None)
            except Exception as error:  # of a cloud's library, or that there is none
                return lost, error
            listed[folder] = {PurePosixPath(item.path).name for item in there}
        names = image_names(entry) if "picture" in entry else [PurePosixPath(entry["artifact"]).name]
        if not set(names) <= listed[folder]:
            lost.append(entry)
    return lost, None
