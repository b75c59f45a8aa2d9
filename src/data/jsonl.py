"""A user's own dialogues and probe prompts; `formats` has the forms of a row, `records` those of a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..config import RequestError
from .dialogues import Dialogue, Turn
from .formats import ACCEPTED, parse_dialogue, parse_prompt
from .records import is_saved_dataset, read_rows
from .texts import read_lines

SUFFIXES = (".jsonl", ".jsonl.gz", ".json", ".json.gz", ".parquet")


def read_own_dialogues(folder: Path, source: str) -> list[Dialogue]:
    """Dialogues of all files of a source: `<source>` with one of `SUFFIXES`, or those of a folder `<source>/`.

    Raises:
        RequestError: if there is none, or a row is no dialogue.
    """
    files = find_files(folder, source)
    if not files:
        raise RequestError(
            f"objective.data_dir={folder}: has no {source}.jsonl; objective.dialogues=jsonl reads {source}.jsonl, "
            f"{source}.json (each also as .gz), {source}.parquet, or a folder {source}/ of such files or saved by "
            f"datasets{_name_alike(folder, source)}"
        )
    dialogues = [
        replace(dialogue, origin=place)
        for file in files
        for dialogue, place in read_rows("objective.data_dir", file, parse_dialogue, ACCEPTED)
    ]
    if not dialogues:
        raise RequestError(f"objective.data_dir={folder}: {files[0].name} holds no {source} dialogue; {ACCEPTED}")
    return dialogues


def find_files(folder: Path, source: str) -> list[Path]:
    """What a folder holds of a source."""
    files = [path for suffix in SUFFIXES if (path := folder / f"{source}{suffix}").is_file()]
    return files + list(_find_inside(folder / source))


def _find_inside(folder: Path) -> Iterator[Path]:
    """Files of rows and saved data sets of a folder and the folders in it, but for hidden ones."""
    if is_saved_dataset(folder):
        yield folder
        return
    for path in sorted(folder.glob("[!.]*")):
        if path.is_dir() and not path.is_symlink():
            yield from _find_inside(path)
        elif path.name.endswith(SUFFIXES) and path.is_file():
            yield path


def _name_alike(folder: Path, source: str) -> str:
    """What a folder has instead, for messages."""
    alike = sorted(path.name for path in folder.iterdir() if path.name.lower().startswith(source))
    return f"; there is {', '.join(alike[:5])}" if alike else ""


def read_prompts(file: Path) -> list[tuple[Turn, ...]]:
    """Probe prompts: rows if the name says JSON or Parquet, else one prompt per line that is not blank.

    Raises:
        RequestError: naming the line that cannot be used.
    """
    if file.name.endswith(SUFFIXES):
        return [prompt for prompt, _ in read_rows("probe.file", file, parse_prompt)]
    return [(Turn("user", line.strip()),) for _, line in read_lines("probe.file", file)]
