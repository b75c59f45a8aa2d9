"""What judging a checkpoint costs beside capturing it: `python -m tests.benchmarks.behaviour [overrides]`.

Each part against the captures of a checkpoint and its pairs, which is what a checkpoint takes of the probes; medians of
five. By default the embedded model on embedded dialogues.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from src.clouds.capture import capture_clouds
from src.clouds.layers import choose_layers
from src.clouds.store import write_clouds
from src.config.resolve import resolve_config
from src.training.behaviour import evaluate_replies, kl_to_base, read_base_logprobs, write_base_logprobs
from src.training.inputs import load_inputs

from ..support.builders import composed
from .timing import print_row, take_turns


def main(*overrides: str) -> None:
    config = resolve_config(composed(*overrides))
    inputs = load_inputs(config)
    network, data, probe = inputs.network, inputs.data, config.probe
    layers, captures = choose_layers(len(network.blocks)), 1 + config.schedule.repeats
    with tempfile.TemporaryDirectory() as folder:
        base, file = Path(folder, "base.safetensors"), Path(folder, "clouds.safetensors")

        def capture() -> None:
            for _ in range(captures):
                clouds, _ = capture_clouds(
                    network.trunk, network.blocks, layers, data.probes.ids,
                    pooling=probe.pooling, batch_size=probe.batch_size,
                )  # fmt: skip
                write_clouds(file, clouds, step=0, probe_hash=data.probes.hash)

        def assess(*, pairs: bool) -> None:
            held_out = {k: v if pairs else replace(v, rejected={}) for k, v in data.held_out.items()}
            evaluate_replies(network.causal, held_out, data.training.layout, probe.batch_size)

        _, ends = capture_clouds(network.trunk, network.blocks, [], data.probes.ids, pooling="last", batch_size=32)
        write_base_logprobs(base, network.causal, ends, data.probes.hash)
        ways = {
            "capture": capture,
            "KL": lambda: kl_to_base(read_base_logprobs(base), network.causal, ends),
            "held-out loss": lambda: assess(pairs=False),
            "and preference": lambda: assess(pairs=True),
        }
        pairs = sum(len(held_out.rejected) for held_out in data.held_out.values())
        print_row(f"{captures} captures, {pairs} pairs", take_turns(ways), "capture")


if __name__ == "__main__":
    main(*sys.argv[1:])
