"""The one model in memory that the weights of each checkpoint are put into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from peft import PeftModel, set_peft_model_state_dict
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor
from transformers import PreTrainedModel
from transformers.utils.logging import disable_progress_bar

from ..config import AdapterConfig, ModelConfig, RequestError
from ..config.track import TrackConfig
from ..training.adapter import resume_adapter
from ..training.check_model import check_blocks
from ..training.loading import load_weights
from ..training.network import Network
from ..training.reasons import list_names
from .checkpoint import Checkpoint, read_lightning, weight_files
from .find import Series


class SeriesModel:
    """Built from the first checkpoint; `at` shows it with the weights of a step."""

    def __init__(self, config: TrackConfig, series: Series) -> None:
        """Raises RequestError if model or checkpoints cannot be read, or do not fit each other."""
        disable_progress_bar()
        self.config, self.series = config, series
        first = series.first
        where = str(first.path) if first.kind == "model" else config.model.path
        causal = load_weights(replace(config.model, path=where), "auto")
        causal.config.use_cache = False
        check_blocks(where, causal)
        self.network = Network(causal, causal)
        if first.kind == "adapter":
            adapter = AdapterConfig(kind="lora", resume=str(first.path), dropout=0.0)
            self.network = Network(resume_adapter(causal, adapter), causal)
        self.network.model.eval().requires_grad_(False)
        if torch.cuda.is_available():
            self.network.model.to("cuda")

    def check_fit(self) -> None:
        """Put the weights of the base and of one checkpoint into the model; all checkpoints have the same tensors.

        Raises:
            RequestError: if they do not fit.
        """
        for step in sorted({self.config.track.steps[0], self.series.steps[0]}):
            with self.at(step):
                pass

    @contextmanager
    def at(self, step: int) -> Iterator[Network]:
        """The network with the weights of a step; of step 0, where the series has none, with those of the base.

        Raises:
            RequestError: if a checkpoint does not fit the model.
        """
        checkpoint = self.series.checkpoints.get(step)
        base = self.config.track.base
        if checkpoint is not None:
            self._put(checkpoint)
        elif base is not None:
            self._copy_model(base, "track.base")
        elif isinstance(self.network.model, PeftModel):
            with self.network.model.disable_adapter():
                yield self.network
            return
        else:
            self._put(self.series.first)
        yield self.network

    def _put(self, checkpoint: Checkpoint) -> None:
        if isinstance(self.network.model, PeftModel):
            set_peft_model_state_dict(self.network.model, load_file(weight_files(checkpoint)[0]))
        elif checkpoint.kind == "lightning":
            self._copy_lightning(checkpoint)
        elif not self._copy_files(checkpoint):
            self._copy_model(str(checkpoint.path), "track.checkpoints")

    def _copy_files(self, checkpoint: Checkpoint) -> bool:
        """Tensor by tensor, where the files call them as the model does; whether they do."""
        own = self.network.causal.state_dict()
        opened: list[Any] = [safe_open(file, framework="pt") for file in weight_files(checkpoint)]
        places = {name: content for content in opened for name in content.keys() if name in own}  # noqa: SIM118
        if _lacking(self.network.causal, set(places)):
            return False
        for name, content in places.items():
            own[name].copy_(content.get_tensor(name))
        return True

    def _copy_model(self, path: str, key: str) -> None:
        """As transformers reads it: a second model in memory, for as long as that takes."""
        try:
            other = load_weights(ModelConfig(name=key, path=path, stage=self.config.model.stage), "auto").state_dict()
        except RequestError as error:
            raise RequestError(str(error).replace("model.path=", f"{key}=", 1)) from error
        self._copy(other, f"{key}={path}")

    def _copy_lightning(self, checkpoint: Checkpoint) -> None:
        prefix = self.config.track.prefix
        stored: Mapping[str, Tensor] = read_lightning(checkpoint)["state_dict"]
        weights = {name.removeprefix(prefix): tensor for name, tensor in stored.items() if name.startswith(prefix)}
        key = f"track.prefix={prefix}"
        if not weights:
            there = sorted({name.partition(".")[0] + "." for name in stored})
            raise RequestError(f"{key}: no weight of {checkpoint.named} begins so; they begin with {list_names(there)}")
        self._copy(weights, f"{key}, {checkpoint.named}")

    def _copy(self, weights: Mapping[str, Tensor], where: str) -> None:
        own = self.network.causal.state_dict()
        if lacking := _lacking(self.network.causal, own.keys() & weights.keys()):
            raise RequestError(f"{where}: lacks {list_names(lacking)} of the model {self.config.model.path}")
        for name in own.keys() & weights.keys():
            if own[name].shape != weights[name].shape:
                raise RequestError(
                    f"{where}: {name} is {list(weights[name].shape)}, the model has {list(own[name].shape)}; give the "
                    "model that the series is of"
                )
            own[name].copy_(weights[name])


def _lacking(causal: PreTrainedModel, found: set[str]) -> list[str]:
    """Parameters that no tensor of these names is for; one that is tied to another needs none of its own."""
    parameters = dict(causal.named_parameters(remove_duplicate=False))
    covered = {id(parameter) for name, parameter in parameters.items() if name in found}
    return sorted(name for name, parameter in parameters.items() if id(parameter) not in covered)
