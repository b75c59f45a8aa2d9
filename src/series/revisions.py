"""Revisions of a hub model: the folder that the hub's cache holds one in, or a download."""

from __future__ import annotations

import difflib
import os
from contextlib import suppress
from pathlib import Path

from ..config import RequestError

WANTED = ["*.safetensors", "*.json", "*.txt", "*.model"]
"""What is fetched of a revision: no weights in another format."""


def find_revision(model: str, revision: str) -> Path:
    """The folder of a revision, fetched if the cache has it not.

    Raises:
        RequestError: if there is none, naming those that are like it.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RevisionNotFoundError

    if Path(model).expanduser().is_dir():
        raise RequestError(
            f"track.revisions=[{revision},...]: model.path={model} is a folder; revisions are of a hub model"
        )
    with suppress(LocalEntryNotFoundError):
        cached = Path(snapshot_download(model, revision=revision, allow_patterns=WANTED, local_files_only=True))
        if any(cached.glob("*.safetensors")):
            return cached
    known = _cached_revisions(model)
    try:
        from ..data.hub import require_hub

        require_hub()
        return Path(snapshot_download(model, revision=revision, allow_patterns=WANTED))
    except RevisionNotFoundError as error:
        raise RequestError(f"{_unknown(model, revision, known | _hub_revisions(model))}") from error
    except (HfHubHTTPError, OSError, ValueError) as error:
        if known:
            raise RequestError(f"{_unknown(model, revision, known)} (the hub cannot be asked)") from error
        raise RequestError(
            f"track.revisions=[{revision},...]: {model} is not in the hub's cache and the hub cannot be asked "
            f"({' '.join(str(error).split())[:150]}); it needs a network connection"
        ) from error


def _unknown(model: str, revision: str, known: set[str]) -> str:
    near = difflib.get_close_matches(revision, sorted(known), n=3, cutoff=0.3)
    named = f"; nearest are {', '.join(near)}" if near else f"; there are {', '.join(sorted(known)[:8])}"
    return f"track.revisions=[{revision},...]: {model} has no such revision{named}"


def _cached_revisions(model: str) -> set[str]:
    """Names that the hub's cache knows of a model."""
    from huggingface_hub import constants

    refs = Path(os.fspath(constants.HF_HUB_CACHE)) / f"models--{model.replace('/', '--')}" / "refs"
    return {str(path.relative_to(refs)) for path in refs.rglob("*") if path.is_file()}


def _hub_revisions(model: str) -> set[str]:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    try:
        refs = HfApi().list_repo_refs(model)
    except (HfHubHTTPError, OSError):
        return set()
    return {ref.name for ref in (*refs.branches, *refs.tags)}
