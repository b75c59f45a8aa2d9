"""Random updates of a real adapter sent through a real model: movement as smooth as a model makes it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import torch
from torch import Tensor

from src.clouds.arithmetic import Arithmetic
from src.clouds.capture import capture_clouds
from src.clouds.floor import movement_error, reference_rows
from src.clouds.layers import choose_layers, layer_name
from src.config import ModelConfig, ObjectiveConfig, TdaConfig, TrainerConfig
from src.data.probes import encode_prompt
from src.data.rendering import render_prompt
from src.data.sources import read_dialogues
from src.measure.floor import measure_floor
from src.measure.inference import infer
from src.measure.layer import CheckpointSteps, LayerCheckpoint, compare_steps
from src.measure.layer_diagrams import compute_layer_diagram
from src.measure.rows import measure_rows
from src.metrics.table import FLOOR_FACTOR
from src.training.loading import load_tokenizer
from src.training.model import load_network
from src.training.network import Network
from src.training.weight_null import assign_trained, copy_trained, draw_update
from tests.support.builders import RIPS
from tests.support.networks import make_adapter
from tests.support.processes import SHARED

from .answer import Answer, Results, at_least, at_most, mean_within
from .pairs import EXCESS, judge_smooth
from .plant import CHANGE, change_between

PROBES, DRAWS, UPDATES = 256, 20, 10
MAX_CHARS, MAX_TOKENS = 400, 128
"""Of a prompt: short ones are read in less time."""
STORIES = SHARED / "models" / "stories260k"
"""A model that was really trained; it lies beside the repository, not in it."""


def update_trial(rng: np.random.Generator, model: str) -> dict[str, float]:
    """One update, seen by one block: every entry of the fresh adapter moves by as much, at random."""
    network, prompts = _load(model)
    layer = int(rng.choice(choose_layers(len(network.blocks))))
    probes = [prompts[n] for n in rng.choice(len(prompts), PROBES, replace=False)]
    start = copy_trained(network)
    ways = {name: torch.from_numpy(rng.standard_normal(tensor.shape, np.float32)) for name, tensor in start.items()}

    def read(update: Iterable[tuple[str, Tensor]]) -> np.ndarray:
        assign_trained(network, update)
        clouds, _ = capture_clouds(network.trunk, network.blocks, [layer], probes, pooling="last", batch_size=32)
        return clouds[layer_name(layer)]

    def walk(size: float) -> np.ndarray:
        return read((name, tensor + size * ways[name]) for name, tensor in start.items())

    size, before = 1e-3, walk(0)
    for _ in range(3):
        size *= CHANGE / change_between(before, walk(size))
    after = walk(size)
    lengths = {name: size * float(way.norm()) for name, way in ways.items()}
    seed = rng.integers(2**62)
    others = [read(draw_update(start, lengths, f"{seed} {draw}")) for draw in range(UPDATES)]
    assign_trained(network, start.items())
    return _excesses(before, after, others)


def _excesses(before: np.ndarray, after: np.ndarray, others: Sequence[np.ndarray]) -> dict[str, float]:
    """Excess and p of one pair by all three nulls; `others`: the clouds after random updates."""
    tda, clouds = replace(RIPS, subsamples=0, null_draws=DRAWS, weight_draws=UPDATES), {0: before, 1: after}
    diagrams = {step: compute_layer_diagram(cloud, before, tda) for step, cloud in clouds.items()}
    at = CheckpointSteps(0, ((0, 1),), None)
    rows = infer(measure_rows(LayerCheckpoint(at, "layer_01", clouds, diagrams, tda, 0, others)))
    found = {(row.quantity, row.dimension): row.value for row in rows if row.part == "checkpoint"}
    names = EXCESS | {"weights": "weights_excess", "weights_p": "weights_excess_p"}
    return {f"{name}_{k}": found[quantity, k] for k in (0, 1) for name, quantity in names.items()}


def judge_update(results: Results) -> Iterator[Answer]:
    """An update is chance to updates like it, and as smooth as they are; what the independent null says is reported."""
    yield from judge_smooth(results)
    for k in (0, 1):
        yield mean_within(results[f"weights_{k}"], 0.9, 1.1, f"H{k} mean excess, weights")
        yield at_most({"p": results[f"weights_p_{k}"] < 0.05}, "p", 0.07, f"H{k} p < 0.05, weights")


def rounding_trial(rng: np.random.Generator) -> dict[str, float]:
    """An update as small as it likes, read in bfloat16 and in float32: how much of the velocity is rounding."""
    network, prompts = _load("tiny")
    layer = int(rng.choice(choose_layers(len(network.blocks))))
    probes = [prompts[n] for n in rng.choice(len(prompts), PROBES // 2, replace=False)]
    start = copy_trained(network)
    size = 10 ** rng.uniform(-4, 0.3)
    ways = {name: torch.from_numpy(size * rng.standard_normal(x.shape, np.float32)) for name, x in start.items()}

    def read(arithmetic: Arithmetic) -> np.ndarray:
        clouds, _ = capture_clouds(
            network.trunk, network.blocks, [layer], probes, pooling="last", batch_size=32, arithmetic=arithmetic
        )
        return clouds[layer_name(layer)]

    coarse, fine = [read("bfloat16")], [read("float32")]
    assign_trained(network, ((name, x + ways[name]) for name, x in start.items()))
    coarse.append(read("bfloat16"))
    fine.append(read("float32"))
    assign_trained(network, start.items())
    rows = reference_rows(len(probes))
    error = movement_error((coarse[0], coarse[1]), (fine[0][rows], fine[1][rows]))
    tda = replace(RIPS, subsamples=0, null_draws=0)
    seen, true = (_as_pair(clouds, tda) for clouds in (coarse, fine))
    floors = {row.dimension: row.value for row in measure_floor(seen, error) if row.quantity == "floor/velocity"}
    values = {}
    for k in (0, 1):
        velocity, finer = (
            next(row.value for row in compare_steps(pair) if row.quantity == "velocity" and row.dimension == k)
            for pair in (seen, true)
        )
        values |= {f"times_{k}": velocity / finer, f"marked_{k}": velocity < FLOOR_FACTOR * floors[k]}
    return values


def _as_pair(clouds: Sequence[np.ndarray], tda: TdaConfig) -> LayerCheckpoint:
    diagrams = {step: compute_layer_diagram(cloud, clouds[0], tda) for step, cloud in enumerate(clouds)}
    return LayerCheckpoint(CheckpointSteps(0, ((0, 1),), None), "layer_01", dict(enumerate(clouds)), diagrams, tda, 0)


def judge_rounding(results: Results) -> Iterator[Answer]:
    """What rounding made is marked; what is marked is not the true velocity."""
    for k in (0, 1):
        times, marked = results[f"times_{k}"], results[f"marked_{k}"] > 0
        made = (np.abs(np.log(times)) > math.log(1.25)) & ~marked
        yield at_most({"made": made}, "made", 0.05, f"H{k} not marked and off by more than a quarter")
        yield at_least({"marked": marked[times > 2]}, "marked", 0.95, f"H{k} marked where rounding is more than half")
        yield Answer(f"H{k} marked in {100 * float(marked.mean()):.0f} % (reported)", True, refuted=False)


@cache
def _load(name: str) -> tuple[Network, list[list[int]]]:
    """The model with a fresh adapter and the tokens of all prompts that are short, once in each process."""
    torch.set_num_threads(1)
    own = name == "stories"
    model = ModelConfig(name=name, path=str(STORIES) if own else f"embedded:{name}", stage="pretrained")
    network = load_network(model, make_adapter(), TrainerConfig(precision="float32"), seed=0)
    tokenizer = load_tokenizer(model)
    objective = (
        ObjectiveConfig(name="mixed", dialogues="hh_rlhf", data_dir=str(SHARED / "hh-rlhf")) if own
        else ObjectiveConfig(name="mixed", dialogues="embedded")
    )  # fmt: skip
    prompts = {dialogue.prompt for source in ("helpful", "harmless") for dialogue in read_dialogues(objective, source)}
    texts = sorted({render_prompt(prompt, "plain", tokenizer) for prompt in prompts})
    return network, [encode_prompt(text, "plain", tokenizer)[-MAX_TOKENS:] for text in texts if len(text) <= MAX_CHARS]
