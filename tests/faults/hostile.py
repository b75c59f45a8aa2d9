"""`python -m tests.faults hostile [trials=<in all>] [seed=<n>]`: nothing may come of what others hand on.

Configurations, pickles, journals, names, chat templates, tags and addresses, each drawn at random from every kind that
is known. Python's own audit events tell what was run, opened for writing, removed or connected to meanwhile.
"""

from __future__ import annotations

import json
import os
import pickle
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import yaml
from omegaconf import OmegaConf

from src.comparison.note import _escape
from src.comparison.select import _printable
from src.config import RequestError, TdaConfig
from src.config.identity import plain
from src.config.resolve import complete_config, resolve_config
from src.data.dialogues import Turn
from src.data.rendering import render_prompt
from src.figures.page import Section, assemble
from src.measure.layer_diagrams import read_layer_diagrams
from src.measure.transformer import build_transformer
from src.rundir import RunDirectory
from src.rundir.naming import directory_of_run
from src.rundir.state import load_config
from src.system.secrets import redact
from src.tracking.journal import check_journal
from src.training.fit import read_last_step

from ..support.builders import composed
from ..support.processes import ROOT

Row = tuple[str, int, int, str]
"""What was tried, how often, how often nothing came of it, and what came of it otherwise."""
Trial = Callable[[random.Random, Path], str]
"""Draws one case in an empty folder; returns what is wrong, or nothing."""

# What a process does, as its own interpreter sees it.

_RUNS = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "subprocess.Popen", "socket.connect")
_CHANGES = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.symlink", "os.link", "os.chmod", "shutil.rmtree")
_watching: list[tuple[Path, list[str]]] = []
_hooked: list[bool] = []
"""A hook stays as long as the process."""


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if not _watching:
        return
    place, seen = _watching[-1]
    if event.startswith(_RUNS):
        seen.append(event)
    elif event in _CHANGES or (event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")):
        changed = args[1] if event in ("os.symlink", "os.link") else args[0]
        path = os.path.realpath(os.fsdecode(changed)) if isinstance(changed, (str, bytes, os.PathLike)) else ""
        if not path.startswith(f"{place}{os.sep}") and "__pycache__" not in path:
            seen.append(f"{event} {path}")


@contextmanager
def watch(place: Path) -> Iterator[list[str]]:
    """What this process runs, connects to, and changes outside of `place` inside the block."""
    seen: list[str] = []
    _watching.append((place.resolve(), seen))
    try:
        yield seen
    finally:
        _watching.pop()


# Code by name.

DANGEROUS = (
    "os.system", "os.popen", "subprocess.run", "builtins.eval", "builtins.exec", "pickle.load", "pandas.read_pickle",
    "numpy.load", "torch.load", "joblib.load", "shutil.rmtree", "pathlib.Path.unlink", "importlib.import_module",
    "webbrowser.open", "urllib.request.urlopen", "hydra.utils.instantiate", "src.system.files.set_aside",
    "src.cli.launch", "src.system.secrets.os.system", "sklearn.datasets.fetch_openml", "sklearn.datasets.load_files",
    "sklearn.utils.Bunch", "sklearn.clone", "gtda.__builtins__.eval", "topotrace.topology.cech.np.load",
)  # fmt: skip
RIPS = "gtda.homology.VietorisRipsPersistence"


def walk(rng: random.Random) -> str:
    """A name of something that a module of an allowed package imported: from there on anything can be reached."""
    modules = sorted(n for n in sys.modules if n.startswith(("gtda.", "sklearn.", "src.topology.")))
    name = rng.choice(modules)
    inner = [k for k, v in vars(sys.modules[name]).items() if isinstance(v, ModuleType)] or ["os"]
    end = rng.choice(["load", "system", "read_pickle", "path.join", "loads", "popen", "open", "run", "rmtree", "exec"])
    return f"{name}.{rng.choice(inner)}.{end}"


def try_target(rng: random.Random, folder: Path) -> str:
    target = rng.choice(DANGEROUS) if rng.random() < 0.4 else walk(rng)
    word = rng.choice(["file", "filename", "command", "filepath_or_buffer", "path", "cmd", "args"])
    part = {"_target_": target, word: str(folder / "planted.pkl")}
    if rng.random() < 0.5:
        part["_args_"] = [str(folder / "planted.pkl")]  # type: ignore[assignment]
    if rng.random() < 0.3:
        part["_partial_"] = True  # type: ignore[assignment]
    transformer = rng.choice([
        part, {"_target_": RIPS, "metric_params": part}, {"_target_": RIPS, "_args_": [part]},
        {"_target_": "sklearn.pipeline.make_pipeline", "_args_": [{"_target_": RIPS}, part]},
        {"_target_": "sklearn.preprocessing.FunctionTransformer", "func": part},
    ])  # fmt: skip
    try:
        build_transformer(TdaConfig(name="x", transformer=transformer))
    except RequestError:
        return ""
    return f"{transformer} was made"


# Files.


class Planted:
    """A pickle of it makes a file when it is read."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


def try_pickle(rng: random.Random, folder: Path) -> str:
    made = folder / "made"
    data, run = pickle.dumps(Planted(str(made))), RunDirectory(folder / "run")
    run.step(0).mkdir(parents=True)
    kind = rng.choice(["last", "npz", "npy", "yaml"])
    if kind == "last":
        import torch

        run.last.write_bytes(data) if rng.random() < 0.5 else torch.save({"global_step": Planted(str(made))}, run.last)
    elif kind == "npz":
        arrays = {f"layer_01.{k}": np.array([Planted(str(made))], dtype=object) for k in ("diagram", "scale")}
        np.savez(run.diagrams(0), **arrays)
    elif kind == "npy":
        run.diagrams(0).write_bytes(data)
    else:
        command = f"mkdir {made}"
        tag = rng.choice(["!!python/object/apply:os.system", "!!python/object/new:os.system"])
        run.config.write_text(f"sweep: {tag} ['{command}']\n")
    for read in (lambda: read_last_step(run), lambda: read_layer_diagrams(run.diagrams(0)), lambda: load_config(run)):
        with suppress(Exception):
            read()
    return f"a planted {kind} was run" if made.exists() else ""


def try_reference(rng: random.Random, folder: Path) -> str:
    secret = f"s{rng.getrandbits(64):x}"
    os.environ["PLANTED_VALUE"] = secret
    (folder / "file.txt").write_text(secret)
    inner = "oc.env:PLANTED_VALUE"
    reference = rng.choice([f"${{{inner}}}", f"a ${{{inner}}}", f"${{oc.decode:${{{inner}}}}}", f"\\\\${{{inner}}}"])
    run, stored = RunDirectory(folder / "run"), plain(resolve_config(composed()))
    run.path.mkdir()
    group = rng.choice(["model", "objective", "tda"])
    stored[group]["name"] = stored["sweep"] = reference
    run.config.write_text(yaml.safe_dump(stored))
    with suppress(Exception):
        return f"{reference} was resolved" if secret in json.dumps(plain(load_config(run))) else ""
    return ""


def try_journal(rng: random.Random, folder: Path) -> str:
    run = RunDirectory(folder / "run")
    run.path.mkdir()
    (folder / "secret").write_text("x")
    (run.path / "link").symlink_to(folder)
    name = rng.choice(["link/secret", str(folder / "secret"), "../" * rng.randint(1, 9) + "secret", "x/../../secret",
                       "link/../secret", "/etc/passwd", "../run/../secret", "link"])  # fmt: skip
    kind = rng.choice(["artifact", "picture"])
    lines = [{"start": {"uri": None}}, {kind: name, "key": "k", "step": 0, "timestamp": 1, "folder": None}]
    run.journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    try:
        check_journal(run)
    except RequestError:
        return ""
    return f"{name} would be sent"


def try_name(rng: random.Random, folder: Path) -> str:
    alphabet = [
        "..",
        "/",
        "\\",
        ".",
        "~",
        "a",
        "-",
        "$",
        "\0",
        "\n",
        " ",
        "comparison",
        "mlflow.db",
        "multirun",
        "\u2024",
    ]
    name = "".join(rng.choices(alphabet, k=rng.randint(1, 5)))
    request = composed()
    OmegaConf.update(request, rng.choice(["model.name", "objective.name", "tda.name"]), name)
    try:
        config = resolve_config(request)
    except RequestError:
        return ""
    path = directory_of_run(config, complete_config(composed())).path
    parts = Path(os.path.normpath(path)).parts
    is_own = len(parts) == 5 and parts[0] == "multirun" and parts[1] not in ("comparison", "mlflow.db")
    return "" if is_own else f"{name!r} became {path}"


# Texts.

TEMPLATES = (
    "{{{{ cycler.__init__.__globals__.os.mkdir('{}') }}}}",
    "{{{{ ''.__class__.__mro__[1].__subclasses__() }}}}",
    "{{{{ self.__init__.__globals__.__builtins__.__import__('os').mkdir('{}') }}}}",
    "{{{{ messages.__class__.__base__.__subclasses__()[80].__init__.__globals__['sys'].modules['os'].mkdir('{}') }}}}",
    "{{% set x = lipsum.__globals__.os.mkdir('{}') %}}x",
    "{{% include '{}' %}}",
    "{{{{ namespace.__init__.__globals__ }}}}",
    "{{{{ (messages|attr('__class__')).mro() }}}}",
    "{{{{ raise_exception.__globals__ }}}}",
)


def try_template(rng: random.Random, folder: Path) -> str:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(ROOT / "src" / "assets" / "tiny")
    tokenizer.chat_template = rng.choice(TEMPLATES).format(folder / "made")
    with suppress(Exception):
        shown = render_prompt([Turn("user", "Hi")], "chat", tokenizer)
        if "<class" in shown or "__builtins__" in shown:
            return f"{tokenizer.chat_template} shows {shown[:40]}"
    return f"{tokenizer.chat_template} was run" if (folder / "made").exists() else ""


MARKUP = (
    "<script>planted()</script>", "<img src=x onerror=planted()>", "</script><b>planted", '" onload="planted()',
    "![x](http://evil/planted.png)", "[x](javascript:planted())", "\x1b]0;planted\x07", "\u202eplanted",
    "<svg/onload=planted()>", "'><iframe src=//evil>planted", "`planted` <a href=//evil>", "\x9b2Jplanted",
)  # fmt: skip


def try_markup(rng: random.Random, folder: Path) -> str:
    name = _printable({"model": "".join(rng.choices(MARKUP, k=rng.randint(1, 3)))})["model"]
    if set(name) & {"\x1b", "\x07", "\x9b", "\u202e"}:
        return f"{name!r} steers a terminal"
    page = assemble(name, [Section(name, name, name, "")], contents=True)
    tags = ("<img src=x", "<script>planted", "<svg/", "<iframe src=//", "<a href=//evil", "<b>planted")
    found = [tag for tag in tags if tag in page] + [' onload="planted'] * (' onload="planted' in page)
    note = _escape(name)
    unescaped = any(note[n] in "<[`" and note[n - 1 : n] != "\\" for n in range(len(note)))
    return f"{name!r} became markup: {found or note}" if found or unescaped else ""


def try_address(rng: random.Random, folder: Path) -> str:
    letters = "abcXYZ019-._~!$&'()*+,;=:%2F"
    user, password = (
        "u" + "".join(rng.choices("abc.-_", k=6)),
        "P" + "".join(rng.choices(letters, k=rng.randint(8, 20))),
    )
    password = password.replace("'", "q")  # ends what is quoted
    scheme = rng.choice(["http", "https", "postgresql", "mysql+pymysql", "s3"])
    address = f"{scheme}://{user}:{password}@host{rng.choice(['', ':5000', '/path', '/?x=1'])}"
    text = rng.choice(["{}", "failed: {} refused", "url='{}'", "<{}>"]).format(address)
    shown = redact(text)
    return f"{address} is shown as {shown}" if password in shown or f"{user}:" in shown else ""


TRIALS: dict[str, Trial] = {
    "a target in a configuration": try_target,
    "a pickle, or YAML that makes objects, in a run directory": try_pickle,
    "a reference in a stored configuration": try_reference,
    "a file elsewhere in a journal": try_journal,
    "a path as a name": try_name,
    "a chat template": try_template,
    "markup and control characters in a name": try_markup,
    "a login in an address": try_address,
}


def main(trials: int, seed: int) -> list[Row]:
    """`trials` in all, spread evenly over what others hand on."""
    import sklearn.datasets
    import sklearn.pipeline  # noqa: F401 (so that no trial imports them: names are drawn from what is there)

    if not _hooked:
        sys.addaudithook(_audit)
        _hooked.append(True)
    rng, rows = random.Random(seed), []
    for place, (label, trial) in enumerate(TRIALS.items()):
        count, wrong = trials // len(TRIALS) + (place < trials % len(TRIALS)), []
        for _ in range(count):
            with tempfile.TemporaryDirectory() as name:
                with watch(Path(name)) as seen:
                    problem = trial(rng, Path(name))
                wrong += [problem or f"it did {', '.join(seen[:3])}"] if problem or seen else []
        rows.append((label, count, count - len(wrong), "; ".join(wrong[:3])))
    return rows
