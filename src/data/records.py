"""Rows of people's files: JSON lines or one JSON array, plain or gzip, Parquet, and folders that `datasets` saved."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from ..config import RequestError
from .texts import name_kind, open_text, read_lines

T = TypeVar("T")
Record = tuple[str, Callable[[], Any]]
"""Where a row lies in its file, and what decodes it."""

MAX_NAMED = 5
"""Bad rows that a message names."""
_WHOLE = "give one value a line, or one array of all"


def read_rows(key: str, file: Path, parse: Callable[[Any], T], advice: str = "") -> list[tuple[T, str]]:
    """`parse` of every row, with its file and line.

    Args:
        key: whose value the file is, for messages.
        file: `.parquet`, a folder that `datasets` saved, or text: JSON, one value a line or one array of all.
        advice: what a message ends with.

    Raises:
        RequestError: with the number of rows that are no JSON or that `parse` refuses, and the first of them.
    """
    found, bad, rows = list[tuple[T, str]](), list[tuple[str, str]](), 0
    for place, decode in _read_records(key, file):
        rows += 1
        try:
            found.append((parse(decode()), f"{file.name}: {place}"))
        except RecursionError:
            bad.append((place, "nested too deeply"))
        except (KeyError, TypeError, ValueError) as error:
            bad.append((place, _explain(error)))
    if bad:
        raise RequestError(f"{key}={file}: {_describe(bad, rows)}{'; ' + advice if advice else ''}")
    return found


def _explain(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"no {error}"
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    if error.pos >= len(error.doc.rstrip()):
        return f"ends in the midst of a value; {_WHOLE}"
    more = f"; {_WHOLE}" if error.msg == "Extra data" else ""
    return f"no JSON: {error.msg} at character {error.colno}: {error.doc[error.pos : error.pos + 20]!r}{more}"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; of a name that is there twice nobody knows which value was meant."""
    values = dict(pairs)
    if len(values) < len(pairs):
        [(name, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{name!r} is there twice in one object")
    return values


def _describe(bad: list[tuple[str, str]], rows: int) -> str:
    (place, reason), *others = bad[:MAX_NAMED]
    text = f"{place} cannot be used ({reason})"
    if len(bad) == 1:
        return f"{text}; mend or remove it"
    named = ", ".join(f"{place} ({reason})" for place, reason in others)
    return f"{text}, nor {named}; {len(bad):,} of {rows:,} in all; mend or remove them"


def _read_records(key: str, file: Path) -> Iterator[Record]:
    if file.is_dir():
        return _read_saved(key, file)
    if file.suffix == ".parquet":
        return _read_parquet(key, file)
    return _read_json(key, file)


def _read_json(key: str, file: Path) -> Iterator[Record]:
    with open_text(key, file) as lines:
        first = next((line for line in lines if line.strip()), "")
    if first.lstrip().startswith("["):
        with open_text(key, file) as lines:
            yield from _array_records(lines.read())
        return
    for number, line in read_lines(key, file):
        yield f"line {number}", lambda line=line: json.loads(line, object_pairs_hook=_unique)  # type: ignore[misc]


def _array_records(text: str) -> Iterator[Record]:
    """The values of an array, each decoded when it is asked for; after one that is no JSON there is no next."""
    decoder, at, line, number = json.JSONDecoder(object_pairs_hook=_unique), text.index("[") + 1, 1, 0
    counted = 0
    while True:
        at = _skip_spaces(text, at)
        line, counted = line + text.count("\n", counted, at), at
        place = f"line {line}"
        if text[at : at + 1] == "]" and not number:
            yield from _nothing_behind(text, at + 1)
            return
        number += 1
        try:
            value, at = decoder.raw_decode(text, at)
        except (RecursionError, ValueError) as error:
            yield f"entry {number} ({place})", _raiser(error)
            return
        yield f"entry {number} ({place})", lambda value=value: value  # type: ignore[misc]
        at = _skip_spaces(text, at)
        if text[at : at + 1] == "]":
            yield from _nothing_behind(text, at + 1)
            return
        if text[at : at + 1] != ",":
            yield f"behind entry {number} ({place})", _raiser(ValueError("no comma and no end of the array"))
            return
        at += 1


def _nothing_behind(text: str, at: int) -> Iterator[Record]:
    """A record that cannot be used, if something stands behind the end of the array."""
    at = _skip_spaces(text, at)
    if at < len(text):
        line = text.count("\n", 0, at) + 1
        yield f"line {line}", _raiser(ValueError(f"something stands behind the end of the array; {_WHOLE}"))


def _skip_spaces(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _raiser(error: Exception) -> Callable[[], Any]:
    def decode() -> Any:
        raise error

    return decode


def _read_parquet(key: str, file: Path) -> Iterator[Record]:
    import pyarrow
    import pyarrow.parquet

    try:
        kind = name_kind(file)
        if kind is not None and not kind.startswith("Parquet"):
            raise RequestError(f"{key}={file}: is no Parquet, but {kind}")
        number, opened = 0, pyarrow.parquet.ParquetFile(file)
        names = Counter(opened.schema_arrow.names)
        if names.total() > len(names):
            raise RequestError(f"{key}={file}: has two columns {max(names, key=lambda name: names[name])!r}; drop one")
        for batch in opened.iter_batches():
            for row in batch.to_pylist():
                number += 1
                yield f"row {number}", lambda row=row: row  # type: ignore[misc]
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, pyarrow.ArrowException) as error:
        raise RequestError(f"{key}={file}: is no Parquet that can be read ({error}); write it again") from error


def is_saved_dataset(folder: Path) -> bool:
    """Whether `datasets` has saved a data set, or several splits of one, as this folder."""
    return any((folder / name).is_file() for name in ("dataset_dict.json", "state.json"))


def _read_saved(key: str, folder: Path) -> Iterator[Record]:
    from datasets import Dataset, load_from_disk

    try:
        loaded = load_from_disk(str(folder))
        splits: Iterable[tuple[str, Any]] = [("", loaded)] if isinstance(loaded, Dataset) else loaded.items()
        for split, rows in splits:
            for number, row in enumerate(rows, start=1):
                yield f"{split} row {number}".strip(), lambda row=row: row  # type: ignore[misc]
    except (OSError, LookupError, TypeError, ValueError, ImportError) as error:
        raise RequestError(
            f"{key}={folder}: is no folder that datasets can load ({str(error).splitlines()[0]}); save it again"
        ) from error
