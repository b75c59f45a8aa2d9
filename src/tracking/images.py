"""A file of a run on its way to MLflow; a picture as the image grid reads it: two files that say key, step and time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from mlflow import MlflowClient
from PIL import Image

from ..rundir import RunDirectory
from ..system.files import check_file
from ..system.jsonl import Entry
from .journal import file_of

FOLDER = "images"

THUMBNAIL = 256
"""Pixels along the longer side of the small picture that MLflow's image grid shows first."""


def image_names(entry: Entry) -> Iterator[str]:
    """The full and the small picture of a journal's entry, the same at every try."""
    key, step, at = entry["key"].replace("/", "~"), entry["step"], entry["timestamp"]
    name = f"{key}+step+{step}+timestamp+{at}+{UUID(int=step)}"
    yield f"{name}.png"
    yield f"{name}+compressed.webp"


def upload_file(client: MlflowClient, run_id: str, run: RunDirectory, entry: Entry) -> None:
    """Send the artifact or the picture that an entry of the journal names.

    Raises:
        DamagedError: if it is not what was written, or gone.
    """
    path = file_of(run, entry["artifact"] if "artifact" in entry else entry["picture"])
    check_file(path)
    if "artifact" in entry:
        client.log_artifact(run_id, str(path), entry["folder"])
    else:
        upload_image(client, run_id, entry, path)


def upload_image(client: MlflowClient, run_id: str, entry: Entry, path: Path) -> None:
    """What `log_image` does, but under the names of `image_names`."""
    with tempfile.TemporaryDirectory() as folder:
        full, small = (Path(folder, name) for name in image_names(entry))
        with Image.open(path) as picture:
            picture.save(full)
            picture.thumbnail((THUMBNAIL, THUMBNAIL))
            picture.save(small)
        for made in (full, small):
            client.log_artifact(run_id, str(made), FOLDER)
    client.set_tag(run_id, "mlflow.loggedImages", "True")
