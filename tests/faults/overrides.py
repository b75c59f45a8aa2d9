"""Command lines at random: composed and checked as `python -m src.run` does, in this process."""

from __future__ import annotations

import random
import sys

from src.cli import classify_error
from src.config import Config, RequestError
from src.config.messages import explain, key_names
from src.config.resolve import resolve_config
from src.config.schedule import plan_schedule

from ..support.builders import composed, directory, options
from .inputs import pick_some

GROUPS = ("model", "objective", "tda", "schedule", "adapter", "trainer", "probe", "tracking", "experiment")
KEYS = [*key_names(Config), *GROUPS]
VALUES = [
    "-1", "0", "1", "2", "3.5", "1e400", "-1e-400", "nan", "inf", "-inf", "null", "''", "' '", "[]", "[1,2]", "[0]",
    "{}", "{a: 1}", "9" * 30, "true", "auto", "é", "a,b", "range(0,3)", "interval(0,1)", "choice(1,2)", "${seed}",
    "${nowhere}", "${oc.env:NOWHERE}", "???", "x" * 3000, '"', "'", "[", "{", "\\", "-0", "0x10", "../..", "/dev/null",
    "none", "plain", "chat", "1_000", "1e9", "2147483648", "4294967296", "[nan]", "[null]", "[[0]]",
    "{_target_: os.system}", " ", "=", "a=b", "\n", "\x00", "~", ".", "/", "jsonl", "list", "every",
]  # fmt: skip
SOUND = [
    "0", "1", "2", "8", "48", "100", "1000", "0.5", "1e-3", "true", "false", "plain", "chat", "last", "all", "mean",
    "auto", "linear", "dense_early", "every", "euclidean", "cosine", "null", "name", "[1,2]",
]  # fmt: skip


def compose_and_check(rng: random.Random) -> str:
    """Up to three words; either a configuration with a schedule and a directory of its own, or one clear message."""
    words = [make_word(rng) for _ in range(rng.choice([1, 1, 2, 3]))]
    sys_argv, sys.argv = sys.argv, ["run", *words]
    try:
        try:
            request = composed(*words)
        except Exception as error:
            # As in `launch`: whatever is raised before anything ran came from reading the request.
            raise _message(error, words) from error
        try:
            config = resolve_config(request)
            plan_schedule(config.schedule, config.trainer.max_steps)
            directory(*words)
        except Exception as error:
            status, text = classify_error(error, Config)
            if status != 2:
                return f"{words}: {text[:200]}"
            raise RequestError(text) from error
    finally:
        sys.argv = sys_argv
    return ""


def _message(error: Exception, words: list[str]) -> RequestError:
    text = explain(error, Config)
    if not text.strip() or "Traceback" in text:
        raise AssertionError(f"{words}: no message for {type(error).__name__}")
    return RequestError(text)


def make_word(rng: random.Random) -> str:
    key = rng.choice(KEYS) if rng.random() < 0.9 else "".join(pick_some(rng, ["a", ".", "@", "seed", "é", " "], 4))
    if key in GROUPS and rng.random() < 0.7:
        return f"{key}={rng.choice([*options(key), 'nowhere'])}"
    if rng.random() < 0.6:
        return f"{key}={rng.choice(SOUND)}"
    if rng.random() < 0.05:
        return f"~{key}"
    return f"{rng.choice(['', '', '', '', '', '+', '++'])}{key}={rng.choice(VALUES)}"
