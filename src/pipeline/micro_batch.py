"""`trainer.micro_batch_size=auto`: the most dialogues of a forward pass that the memory has room for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch

from ..config import Config, RequestError
from ..config.schema import AUTO
from ..data.labels import Example
from ..forecast.estimate import estimate_memory
from ..forecast.shapes import ADAM, ShapedNetwork
from ..forecast.workload import measure_workload
from ..rundir import RunDirectory
from ..system.files import DamagedError, read_json, write_json
from ..system.machine import GIB, describe_bytes, free_memory_gb
from ..training.architecture import training_device
from ..training.inputs import RunInputs
from ..training.loss import summed_loss
from ..training.model import computes_mixed

KEPT = 2.0
"""What the allocator of a CPU keeps at most of a step's memory, beside what its tensors hold."""

logger = logging.getLogger(__name__)


def resolve_micro_batch(config: Config, inputs: RunInputs, run: RunDirectory) -> Config:
    """The configuration with a number: the one it names, the one an earlier start chose, or one that is chosen now.

    Losses do not hang on it beyond rounding: a step is the mean over all its tokens.

    Raises:
        RequestError: if not even one dialogue fits.
    """
    if config.trainer.micro_batch_size != AUTO:
        return config
    micro = None if config.force else _read(run)
    if micro is None:
        micro = _choose(config, inputs)
    inputs.data.training.micro = micro
    return with_micro_batch(config, micro)


def with_micro_batch(config: Config, micro: int) -> Config:
    return replace(config, trainer=replace(config.trainer, micro_batch_size=micro))


def keep_micro_batch(config: Config, run: RunDirectory) -> None:
    """Note in the run directory what was chosen, for a start that goes on."""
    trainer = config.trainer
    logger.info(
        "trainer.micro_batch_size=auto: %s of %d dialogues share a pass", trainer.micro_batch_size, trainer.batch_size
    )
    write_json(run.micro_batch, {"micro_batch_size": config.trainer.micro_batch_size})


def _read(run: RunDirectory) -> int | None:
    if not run.micro_batch.exists():
        return None
    try:
        return int(read_json(run.micro_batch)["micro_batch_size"])
    except DamagedError:
        return None  # it is chosen and written again


def _choose(config: Config, inputs: RunInputs) -> int:
    fits = _tries(config, inputs) if torch.cuda.is_available() else _figures(config, inputs)
    for micro in halved(config.trainer.batch_size):
        if fits(micro):
            return micro
    raise RequestError(
        "trainer.micro_batch_size=auto: not even one dialogue fits into the memory that is free "
        f"({describe_bytes(_free())}); {remedies(config)}"
    )


def halved(batch_size: int) -> Iterator[int]:
    """Divisors of a number, from itself down, each at most half of the one before."""
    last = 2 * batch_size
    for divisor in range(batch_size, 0, -1):
        if batch_size % divisor == 0 and 2 * divisor <= last:
            last = divisor
            yield divisor


def is_out_of_memory(error: Exception) -> bool:
    """Whether memory was short, of a device or of the machine; torch has no type for the latter."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error)


def remedies(config: Config) -> str:
    """Settings by which a step takes less memory, those that are not set yet."""
    found = [
        *(["trainer.micro_batch_size=1"] if config.trainer.micro_batch_size not in (1, AUTO) else []),
        *(["trainer.gradient_checkpointing=true"] if not config.trainer.gradient_checkpointing else []),
        *(["adapter=lora"] if config.adapter.kind == "full" else []),
        *(["adapter=qlora"] if config.adapter.kind == "lora" and torch.cuda.is_available() else []),
        f"trainer.max_length={max(8, config.trainer.max_length // 2)}", "a smaller model",
    ]  # fmt: skip
    return f"give {', '.join(found[:-1])}, or {found[-1]}"


def _free() -> float:
    return float(torch.cuda.mem_get_info()[0]) if torch.cuda.is_available() else free_memory_gb() * GIB


def _figures(config: Config, inputs: RunInputs) -> Callable[[int], bool]:
    """By the memory that the plan says, beside the weights, which are there already."""
    shaped, free = ShapedNetwork(config), _free()

    def fits(micro: int) -> bool:
        settings = with_micro_batch(config, micro)
        memory = estimate_memory(settings, shaped, measure_workload(settings, inputs.data), KEPT)
        return memory.moments + memory.step + max(memory.capture, memory.evaluation) <= free

    return fits


def _longest(inputs: RunInputs, micro: int) -> list[Example]:
    """The dialogues of the forward pass with the most tokens."""
    stream = inputs.data.training
    parts = (
        [stream.encode(pick) for pick in picks[start : start + micro]]
        for picks in stream.batches
        for start in range(0, len(picks), micro)
    )
    return max(parts, key=lambda part: sum(len(example.ids) for example in part))


def _tries(config: Config, inputs: RunInputs) -> Callable[[int], bool]:
    """By a pass over the longest dialogues, with as much beside it as the moments will take."""
    device, network = training_device(), inputs.network
    trained = [p for p in network.model.parameters() if p.requires_grad]
    moments = ADAM * sum(p.numel() for p in trained)

    def fits(micro: int) -> bool:
        batch = inputs.data.training.layout(_longest(inputs, micro))
        held: torch.Tensor | None = None
        try:
            network.model.to(device)
            held = torch.empty(moments, dtype=torch.uint8, device=device)
            with (
                torch.random.fork_rng(devices=[device]),
                torch.autocast(device.type, torch.bfloat16, enabled=computes_mixed(config.adapter, config.trainer)),
            ):
                moved = {n: v.to(device) if isinstance(v, torch.Tensor) else v for n, v in batch.items()}
                loss = summed_loss(network.causal, moved)
            loss.backward()  # type: ignore[no-untyped-call]
        except torch.OutOfMemoryError:
            return False
        finally:
            del held
            for parameter in trained:
                parameter.grad = None
            torch.cuda.empty_cache()
        return True

    return fits
