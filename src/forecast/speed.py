"""How fast passes are: tried for some seconds on the device that is here, or taken from a table of devices."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..clouds.arithmetic import choose_arithmetic
from ..clouds.capture import capture_clouds
from ..clouds.layers import choose_layers
from ..config import Config
from ..data.batches import Batch
from ..measure import track
from ..system.machine import GIB, free_memory_gb
from ..training.architecture import training_device
from ..training.behaviour import ROW_TOKENS
from ..training.check_packing import try_packing
from ..training.loss import labelled_logits, summed_loss, token_losses
from ..training.network import Network
from .process import watch_memory
from .shapes import Pass, ShapedNetwork, extrapolate, make_batch
from .workload import Workload

DEVICES = {
    "NVIDIA H200": (2.2e14, 1.9e14),
}
"""Operations a second of training in bfloat16 and of capture with TF32 products, as measured on a 6.9B model."""

BUDGET = 6.0
"""Seconds that passes are tried for, about."""
TRIED = 3
"""Times that a pass is made: once to warm up, the others count."""
DRAWN = 5e7
"""Random numbers a second that a core draws for weights, about."""
SMALL = 64, 128
"""Points of the clouds that topology is tried with where a run has more."""


@dataclass(frozen=True)
class Speed:
    """Seconds."""

    step: float
    """Of an optimizer step of mean length."""
    capture: float
    """Of all probes once."""
    evaluation: float
    """Of all held-out texts once."""
    kept: float = 1.0
    """Memory that a step was seen to take, beside what its tensors hold: an allocator keeps more."""
    origin: str = "tried here"


def table_speed(rates: tuple[float, float], shaped: ShapedNetwork, work: Workload) -> Speed:
    """What a device of the table would take."""
    train, capture = rates
    probes = shaped.count_capture(1, max(1, sum(work.probes) // len(work.probes)))
    one = shaped.count_forward(work.evaluated[0])
    evaluated = sum(text.tokens for text in work.evaluated) / work.evaluated[0].tokens
    step = shaped.count_step(work.typical).flops * work.tokens / work.typical.tokens
    return Speed(step / train, len(work.probes) * probes.flops / capture, evaluated * one.flops / train)


def try_speed(config: Config, shaped: ShapedNetwork, work: Workload) -> Speed:
    """Passes made here with random weights, by the whole network or by two with fewer blocks, from which it follows.

    Where two blocks are too many to be tried in some seconds: what the products of its passes take by one product.
    """
    device = training_device()
    rate = _product_rate(device, shaped.dtype)
    depths = _choose_depths(shaped, work, device, rate)
    if not depths:
        followed = table_speed((rate, _product_rate(device, torch.float32)), shaped, work)
        return replace(followed, origin="too large to be tried: by the rate of one product of matrices")
    found = [_try_network(config, shaped, work, device, depth) for depth in depths]
    if len(found) == 1:
        return found[0]
    low, high = found
    step, capture, evaluation = (
        # On a busy machine fewer blocks may have been slower: more never take less.
        max(extrapolate([getattr(low, n), getattr(high, n)], shaped.blocks, (depths[0], depths[1])), getattr(high, n))
        for n in ("step", "capture", "evaluation")
    )
    return Speed(step, capture, evaluation, high.kept)


def _choose_depths(shaped: ShapedNetwork, work: Workload, device: torch.device, rate: float) -> list[int]:
    """As many blocks as can be made and tried in the time and fit into half of the memory: all, two numbers, none."""
    step = shaped.count_step(work.typical)
    numbers = shaped.weights / torch.finfo(shaped.dtype).bits * 8
    seconds = TRIED * step.flops / rate + (numbers / DRAWN if device.type == "cpu" else 0.0)
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory_gb() * GIB
    blocks = int(shaped.blocks * min(BUDGET / seconds, free / 2 / (shaped.weights + step.peak)))
    if blocks >= shaped.blocks or (blocks >= 2 and not shaped.is_uniform):
        return [shaped.blocks]
    deep = blocks * 2 // 3
    return [deep // 2, deep] if deep >= 2 else []


def _product_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of one product of matrices."""
    a = torch.ones((1024, 1024), device=device, dtype=dtype)
    return 2 * 1024**3 / _time(lambda: a @ a, device)


def _time(compute: Callable[[], object], device: torch.device) -> float:
    """Seconds of one, after one that warms up."""
    times = []
    for _ in range(TRIED):
        start = time.perf_counter()
        compute()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return float(np.mean(times[1:]))


def _try_network(config: Config, shaped: ShapedNetwork, work: Workload, device: torch.device, depth: int) -> Speed:
    blocks = None if depth == shaped.blocks else depth
    network = try_packing(shaped.build(shaped.dtype, device, blocks))
    with watch_memory(device) as taken:
        step = _time(_stepper(config, shaped, network, _on(device, work.typical, shaped)), device)
    kept = taken[0] / max(1, shaped.count_step(work.typical, depth).peak) if taken else 1.0
    per_step = work.tokens / work.typical.tokens
    shown = sorted(work.probes)[:: max(1, len(work.probes) // config.probe.batch_size)][: config.probe.batch_size]
    prompts = [[place % shaped.vocabulary for place in range(length)] for length in shown]
    capture = _time(
        lambda: capture_clouds(
            network.trunk, network.blocks, choose_layers(depth), prompts, pooling=config.probe.pooling,
            batch_size=8, arithmetic=choose_arithmetic(config.probe.precision, device),
        ), device,
    )  # fmt: skip
    evaluation, share = _evaluator(network, shaped, work, device)
    return Speed(
        step * per_step, capture * sum(work.probes) / max(1, sum(map(len, prompts))), _time(evaluation, device) / share,
        max(1.0, kept),
    )  # fmt: skip


def _stepper(config: Config, shaped: ShapedNetwork, network: Network, batch: Batch) -> Callable[[], None]:
    trained = [p for p in network.model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=0.0, fused=all(p.is_cuda for p in trained))

    def step() -> None:
        with torch.autocast(batch["input_ids"].device.type, dtype=torch.bfloat16, enabled=shaped.is_mixed):
            loss = summed_loss(network.causal, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(trained, config.trainer.clip)
        optimizer.step()
        optimizer.zero_grad()

    return step


def _evaluator(
    network: Network, shaped: ShapedNetwork, work: Workload, device: torch.device
) -> tuple[Callable[[], object], float]:  # fmt: skip
    """A row of held-out texts that is evaluated, and the share of all that it is."""
    texts, taken = list[Pass](), 0
    for text in work.evaluated:
        if texts and taken + text.tokens > ROW_TOKENS:
            break
        texts.append(text)
        taken += text.tokens
    row = Pass(tuple(t.lengths[0] for t in texts), tuple(t.learned[0] for t in texts))
    batch = _on(device, row, shaped)

    @torch.no_grad()
    def evaluation() -> None:
        token_losses(labelled_logits(network.causal, batch), batch["next"])

    return evaluation, taken / sum(text.tokens for text in work.evaluated)


def _on(device: torch.device, texts: Pass, shaped: ShapedNetwork) -> Batch:
    batch = make_batch(texts, lambda place: place % shaped.vocabulary)
    return {name: value.to(device) if isinstance(value, torch.Tensor) else value for name, value in batch.items()}


def try_topology(config: Config, width: int) -> float:
    """Seconds that a worker measures one layer of a checkpoint for, tried with points that move at random."""
    tda = config.tda
    if tda.transformer is None:
        return 0.0
    points = tda.count_points(config.probe.size)
    sizes = [points] if points <= SMALL[1] else list(SMALL)
    _measure_points(6, width, config)  # what is compiled is compiled once
    found = [_measure_points(size, width, config) for size in sizes]
    seconds = found[-1]
    if len(sizes) == 2:
        growth = max(1.0, np.log(found[1] / found[0]) / np.log(sizes[1] / sizes[0]))
        seconds *= (points / sizes[1]) ** growth
    return seconds


def _measure_points(points: int, width: int, config: Config) -> float:
    rng, repeats = np.random.default_rng(0), config.schedule.repeats
    start = rng.normal(size=(points, min(width, 256)))
    clouds = {0: start}
    for step in range(1, repeats + 1):
        clouds[step] = clouds[step - 1] + 0.01 * rng.normal(size=start.shape)
    begun = time.perf_counter()
    track(
        clouds, subsamples=config.tda.subsamples or 0, null_draws=config.tda.null_draws or 0,
        dimensions=[k for k in config.tda.dimensions if k < 2], repeats=repeats,
    )  # fmt: skip
    return time.perf_counter() - begun
