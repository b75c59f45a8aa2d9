"""Checks of this machine. None of them asks the network for anything but the store, or leaves a file behind."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from .. import PACKAGE
from ..config import RequestError, TrackingConfig
from ..rundir import ROOT
from ..system.caches import NUMBA
from ..system.console import has_screen
from ..system.invocation import PROGRAM, command_line
from ..system.machine import GIB, free_memory_gb, machine_memory_gb, usable_cores
from ..system.version import describe_version

State = Literal["ok", "note", "problem"]
"""`note`: a run works, but not as it could; `problem`: it does not."""

PACKAGES = (
    "torch", "lightning", "transformers", "peft", "datasets", "mlflow", "hydra-core", "gudhi", "numpy", "numba",
)  # fmt: skip
"""Whose versions are shown: what a report of a fault has to name."""

OPTIONAL = ("giotto-tda",)
"""Shown too, and missed where no wheel of it was to be had, as `tda.transformer` then says."""

SMALL_DISK_GB = 5.0
"""GiB below which a run of a real model may not fit: it keeps clouds and an adapter of every checkpoint."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: State
    found: str
    remedy: str = ""


def run_checks(tracking: TrackingConfig) -> Iterator[Check]:
    """All checks, one after the other, the quick ones first."""
    yield Check("version", "ok", f"{describe_version()}; Python {platform.python_version()}, {platform.platform()}")
    yield check_packages()
    yield check_folder()
    yield check_disk()
    yield check_screen()
    yield check_login()
    yield check_devices()
    yield check_homology()
    yield check_store(tracking)


def check_packages() -> Check:
    """Versions, and what an installed package asks for that is not there."""
    from packaging.requirements import Requirement

    shown, wrong = [], []
    for name in PACKAGES:
        try:
            shown.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            wrong.append(f"{name} is not installed")
    for name in OPTIONAL:
        with contextlib.suppress(PackageNotFoundError):
            shown.append(f"{name} {version(name)}")
    asked = (requires(PROGRAM) or []) if PACKAGE == PROGRAM else []
    for needed in map(Requirement, asked):
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue
        try:
            if not needed.specifier.contains(version(needed.name), prereleases=True):
                wrong.append(f"{needed.name} {version(needed.name)} is installed, {needed.specifier} is needed")
        except PackageNotFoundError:
            if needed.name not in PACKAGES:
                wrong.append(f"{needed.name} is not installed")
    if wrong:
        return Check("packages", "problem", "; ".join(wrong), "install the package again into a fresh environment")
    return Check("packages", "ok", ", ".join(shown))


def check_folder() -> Check:
    """Whether runs can be written where the command was started."""
    folder = ROOT if ROOT.is_dir() else Path()
    try:
        with tempfile.TemporaryFile(dir=folder):
            return Check("write access", "ok", f"runs go to {ROOT.resolve()}")
    except OSError as error:
        return Check("write access", "problem", f"{folder.resolve()}: {error.strerror}", "start from another folder")


def check_disk() -> Check:
    """Room for runs."""
    free = shutil.disk_usage(ROOT if ROOT.is_dir() else Path()).free / GIB
    found = f"{free:.1f} GiB free"
    if free < SMALL_DISK_GB:
        return Check("disk", "note", found, "enough for the embedded models; a model of 7B takes more")
    return Check("disk", "ok", found)


def check_screen() -> Check:
    """Whether the MLflow UI can be opened in a browser here."""
    if has_screen():
        return Check("browser", "ok", f"{command_line('ui')} opens one")
    return Check(
        "browser", "note", "no screen here", f"{command_line('ui')} prints the address, and how to reach it by ssh"
    )


def check_login() -> Check:
    """Whether gated models can be asked for; the token is shown to nobody."""
    from huggingface_hub import get_token
    from huggingface_hub.constants import HF_HUB_CACHE, HF_HUB_OFFLINE

    if HF_HUB_OFFLINE:
        return Check("model hub", "note", f"offline; models come from {HF_HUB_CACHE}", "HF_HUB_OFFLINE is set")
    if get_token():
        return Check("model hub", "ok", f"a token is there; models are kept in {HF_HUB_CACHE}")
    return Check("model hub", "note", "no token", "gated models (Llama) need one in HF_TOKEN; the others need none")


def check_devices() -> Check:
    """What training computes on."""
    from ..training.device import describe_gpus, is_cpu_build

    cores = f"{len(usable_cores())} cores, {free_memory_gb():.1f} of {machine_memory_gb():.1f} GiB memory free"
    gpus = describe_gpus()
    if gpus:
        return Check("devices", "ok", f"{'; '.join(gpus)}; {cores}")
    if shutil.which("nvidia-smi"):
        why = "this torch is built for CPUs alone" if is_cpu_build() else "torch finds none"
        return Check("devices", "problem", f"there is a GPU driver, but {why}; {cores}", "install torch with CUDA")
    return Check("devices", "note", f"no GPU; {cores}", "enough for models of about 1B parameters and less")


def check_homology() -> Check:
    """Whether diagrams can be computed, and where Numba keeps what it compiles for that."""
    import numpy as np

    from ..topology import compute_diagram
    from ..topology.deaths import find_deaths

    start = time.perf_counter()
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    loops = compute_diagram(np.stack([np.cos(angles), np.sin(angles)], axis=1), max_dimension=1)
    seconds = time.perf_counter() - start
    kept = str(find_deaths.stats.cache_path)
    found = f"{seconds:.1f} s for the first diagram; compiled code is kept in {kept}"
    if int((loops[:, 2] == 1).sum()) != 1:
        return Check("homology", "problem", "a circle has not one loop", f"delete {kept} and try again")
    if not os.access(kept, os.W_OK):
        return Check("homology", "note", f"{found}, which cannot be written", f"name another folder in {NUMBA}")
    return Check("homology", "ok", found)


def check_store(tracking: TrackingConfig) -> Check:
    """Whether the MLflow store answers; nothing is made in it."""
    from ..tracking.store import describe_store

    try:
        return Check("store", "ok", describe_store(tracking))
    except RequestError as error:
        return Check("store", "problem", str(error), f"runs wait on disk meanwhile; {command_line('sync')} brings them")
