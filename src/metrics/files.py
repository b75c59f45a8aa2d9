"""The long table on disk: a checkpoint's rows, and the table of a run."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from dataclasses import astuple, fields
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from ..rundir import RunDirectory
from ..system.files import UNSEALED, DamagedError, read_json, read_sealed, replacing, seal, write_json
from ..system.jsonl import read_jsonl
from .table import BEHAVIOR, COLUMNS, Row, _types, tabulate


def write_rows(path: Path, rows: Iterable[Row], **facts: float) -> None:
    """One JSON array per row under the names of its columns, and other facts by name."""
    named = {"columns": [item.name for item in fields(Row)], "rows": [_without_nan(astuple(row)) for row in rows]}
    write_json(path, named | facts)


def _without_nan(values: tuple[object, ...]) -> list[object]:
    return [None if isinstance(value, float) and math.isnan(value) else value for value in values]


def read_rows(path: Path) -> tuple[pd.DataFrame, dict[str, float]]:
    """What `write_rows` wrote, the rows as a table with `COLUMNS`.

    Raises:
        DamagedError: if that is not what is there.
    """
    stored = read_json(path)
    frame = pd.DataFrame(stored.pop("rows"), columns=stored.pop("columns"))
    return frame.astype(_types())[list(COLUMNS)], stored


def build_table(run: RunDirectory, steps: Iterable[int], behavior: Path) -> pd.DataFrame:
    """All rows of a run: the checkpoints' measurements, then behaviour from the spool of the run that was trained.

    Raises:
        DamagedError: if one of the files is not what was written.
    """
    parts = [read_rows(run.metrics(step))[0] for step in steps if run.metrics(step).exists()]
    trained = [
        Row(line["step"], key.removeprefix(BEHAVIOR), value)
        for line, _ in read_jsonl(behavior)
        for key, value in line["metrics"].items()
        if key.startswith(BEHAVIOR)
    ]
    return pd.concat([*parts, tabulate(trained)], ignore_index=True)


def write_table(run: RunDirectory, table: pd.DataFrame) -> None:
    """`topology.parquet`, sealed: Parquet itself notices no changed value."""
    frame = pa.Table.from_pandas(table, preserve_index=False)
    frame = frame.replace_schema_metadata({**(frame.schema.metadata or {}), "seal": UNSEALED})
    with replacing(run.table) as partial:
        parquet.write_table(frame, partial)
        seal(partial)


def read_stored_table(path: Path) -> pd.DataFrame:
    """What `write_table` wrote.

    Raises:
        DamagedError: if that is not what is there.
    """
    content = read_sealed(path)
    try:
        return pd.read_parquet(io.BytesIO(content))
    except (ValueError, OSError) as error:  # pyarrow's errors are of these
        raise DamagedError(path, "it is no table") from error
