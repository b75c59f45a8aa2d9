"""What training is given: seed, tokenizer, data, model; and whom it hands its results to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import lightning
import torch
from transformers.utils.logging import disable_progress_bar

from ..config import Config
from ..config.devices import SHARDED
from ..data.objectives import RunData, load_data
from ..system.signals import SignalHandler
from .check_model import check_network, check_sharding
from .check_packing import try_packing
from .loading import load_tokenizer
from .model import check_context, check_precision, check_template, load_network
from .module import Log
from .network import Network
from .quantization import check_quantization
from .rehearsal import rehearse


@dataclass(frozen=True)
class RunInputs:
    """All that a run needs, read and found sound before anything is written."""

    network: Network
    data: RunData


def load_inputs(config: Config) -> RunInputs:
    """Load data and model.

    Raises:
        RequestError: if one of them cannot be had, or does not fit the other.
    """
    check_precision(config)
    check_quantization(config)
    disable_progress_bar()  # of the weights' loading
    lightning.seed_everything(config.seed, verbose=False)
    tokenizer = load_tokenizer(config.model)
    check_template(config, tokenizer)
    data = load_data(config, tokenizer)
    network = load_network(config.model, config.adapter, config.trainer, config.seed)
    check_network(config.model.path, network.causal, tokenizer)
    if config.trainer.strategy == SHARDED:
        check_sharding(config.model.path, network)
    rehearse(config.model.path, network, config.adapter)
    check_context(config, network)
    network = try_packing(network)
    layout = replace(data.training.layout, packed=network.packed, multiple=_row_multiple(network))
    data.training.layout = layout
    return RunInputs(network, data)


def _row_multiple(network: Network) -> int:
    """Tokens that packed rows are filled up to a multiple of; a CPU gains nothing by it.

    What fills a row counts its own positions, of which a model may have few.
    """
    context = getattr(network.causal.config.get_text_config(), "max_position_embeddings", None) or 64
    return min(64, int(context)) if torch.cuda.is_available() else 1


@dataclass(frozen=True)
class RunHooks:
    """Whom training hands its results to: it knows neither workers nor MLflow."""

    submit: Callable[[int], None]
    """`submit(step)` follows each captured step and checkpoint, when its files are on disk."""
    log: Log
    """`log(values, step)` takes every number."""
    signals: SignalHandler
    stops: Callable[[int], bool] = lambda step: False
    """`stops(step)`, asked after that and where training goes on from: whether it ends here."""
