"""The observer of a loop by hand, which the callbacks of the trainers stand on: two lines, `observe` and `finish`."""

from __future__ import annotations

import atexit
import logging
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig
from peft import PeftModel
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from .. import PACKAGE
from ..clouds.layers import choose_layers
from ..config.track import UNTRAINED, TrackConfig, schedule_of
from ..data.objectives import load_probes, read_split
from ..measure.prepared_cloud import check_transformer
from ..pipeline.note import describe_start, show_summary
from ..pipeline.observer import Observer
from ..rundir import RunDirectory
from ..training.model import check_precision, check_template
from ..training.network import Network
from .place import choose_run
from .processes import agree, describe_waiting, is_main_process, others_waiting
from .settings import Settings, compose_request, name_of_model

logger = logging.getLogger(__name__)


class TopologyObserver:
    """Topology of a model while a loop trains it.

        observer = TopologyObserver(tokenizer, total_steps=1000, probes=prompts)
        for step, batch in enumerate(batches):
            observer.observe(model, step)      # before the update that follows; nothing where no capture is due
            ...
        observer.observe(model, 1000)
        observer.finish()

    The first call is of step 0, before the first update. Training is not changed: neither weights nor random numbers.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, total_steps: int, *,
        probes: Sequence[str] | str | Path | None = None, tda: str = "vietoris_rips",
        steps: Sequence[int] | str | None = None, objective: str = UNTRAINED, model: str | None = None,
        run: str | None = None, config: Mapping[str, Any] | DictConfig | None = None,
    ) -> None:  # fmt: skip
        """
        Args:
            tokenizer: of the model.
            total_steps: optimizer steps of the whole training.
            probes: prompts whose activations are read, or a file of them; by default held-out prompts of HH-RLHF.
            tda: a method of `conf/tda/`.
            steps: the checkpoints, or a schedule of `conf/schedule/` such as `linear`; by default dense early ones.
            objective: what the model is trained to be; a name, for the tables.
            model: what the model is called; by default as where it came from.
            run: name of the run directory; by default the time. One that an earlier start of the same training has is
                gone on with.
            config: further settings as `conf/track.yaml` has them: `{"tda": {"null_draws": 0}}`, or a Hydra node.

        Raises:
            ValueError: at the first `observe`, if a setting is wrong.
        """
        self._settings = Settings(probes, tda, steps, objective, model, run, config)
        self._tokenizer, self._total_steps = tokenizer, total_steps
        self._observer: Observer | None = None
        self._config: TrackConfig | None = None
        self._captured: frozenset[int] = frozenset()
        self._last = 0
        self.should_stop = False
        """Whether the course has levelled off, by the rule of `config={"trainer.stop": "topology"}`: a loop by hand
        leaves then, the callbacks end their trainer. The same in every process."""
        self.run: RunDirectory | None = None
        """Where the results are, once the first step was observed; only in the main process."""

    def observe(self, model: nn.Module, step: int) -> None:
        """Capture the model as it is after `step` optimizer steps, if that is due.

        Raises:
            ValueError: if a setting is wrong, the model is none that can be read, or step 0 was not observed.
        """
        self._last = max(self._last, step)
        if self._config is not None and step not in self._captured:
            return
        with _undisturbed():
            network = network_of(model)
            if self._config is None:
                self._plan(network)
            with others_waiting(step in self._captured or step == 0):
                if is_main_process():
                    self._observe(network, step)
            self.should_stop = agree(self.should_stop)

    def _observe(self, network: Network, step: int) -> None:
        if self._observer is None:
            self._start(step)
        assert self._observer is not None
        self._observer.observe(network, step)
        self.should_stop = self._observer.stops(step)

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Numbers of the training by name: `train_loss`, `learning_rate`, `grad_norm`; findings look at them."""
        if self._observer is not None:
            self._observer.log(dict(values), step)

    def finish(self) -> dict[str, Any]:
        """Wait until all is measured, write tables, figures, findings and note, and show what it comes to.

        Returns:
            The summary of the run; empty in a process that is not the main one, or if nothing was observed. Of a
            training that ended early it is of the checkpoints whose pairs were captured.

        Raises:
            RuntimeError: if a checkpoint could not be measured, or none was captured with all of its pairs.
        """
        if self._observer is None:
            return {}
        observer, self._observer = self._observer, None
        atexit.unregister(self._abandon)
        with _undisturbed():
            summary = observer.finish(self._last)
        show_summary(summary)
        return summary

    def close(self, error: BaseException) -> None:
        """End the run as failed, or interrupted, by what was raised; nothing after `finish`."""
        if self._observer is not None:
            observer, self._observer = self._observer, None
            atexit.unregister(self._abandon)
            observer.close(error)

    def _abandon(self) -> None:
        self.close(KeyboardInterrupt("the training ended before it was finished"))

    def __enter__(self) -> TopologyObserver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.finish()
        else:
            self.close(error)

    def _plan(self, network: Network) -> None:
        """The configuration, and which steps are captured; the same in every process."""
        path = str(getattr(network.causal, "name_or_path", "") or "")
        stage = "instruct" if self._tokenizer.chat_template else "pretrained"
        name = name_of_model(path, type(network.causal).__name__)
        config = compose_request(self._settings, name, path or name, stage, self._total_steps)
        check_transformer(config.tda, config.probe.size)
        check_precision(config)
        check_template(config, self._tokenizer)
        choose_layers(len(network.blocks))
        self._config, self._captured = config, schedule_of(config).captured

    def _start(self, step: int) -> None:
        assert self._config is not None
        config = self._config
        run = choose_run(config, self._settings.run, step)
        probes = load_probes(config, {} if config.probe.file else read_split(config)[1], self._tokenizer)
        logging.getLogger(PACKAGE).setLevel(logging.INFO)
        observer = Observer(config, run, probes, is_guest=True)
        observer.start(step)
        self._observer, self.run = observer, run
        atexit.register(self._abandon)
        print(f"{run.path}: {describe_start(config, len(observer.schedule.checkpoints), step or None)}", flush=True)
        if waiting := describe_waiting():
            print(waiting, flush=True)


def network_of(model: nn.Module) -> Network:
    """The model inside of what a trainer wraps around it.

    Raises:
        ValueError: if it is none that can be read here.
    """
    while True:
        inner = getattr(model, "_orig_mod", None) or (
            model.module if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)) else None
        )
        if not isinstance(inner, nn.Module):
            break
        model = inner
    if not isinstance(model, (PeftModel, PreTrainedModel)):
        raise ValueError(f"model is a {type(model).__name__}; give the model of transformers or PEFT that is trained")
    if any(hasattr(p, "ds_id") or hasattr(p, "device_mesh") for p in model.parameters()):
        raise ValueError("the weights are spread over several processes (FSDP, ZeRO-3), none of which has the model")
    network = Network(model, model.get_base_model() if isinstance(model, PeftModel) else model)
    network.blocks  # noqa: B018 (raises ValueError where there are none)
    return network


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Afterwards all random numbers of this process go on as if nothing had been."""
    python, numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(cpu)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)
