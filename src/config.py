"""Typed configuration: every group's fields with their defaults, units and limits.

The one place for defaults; YAML under `conf/` holds only what differs. Checks across groups are in `resolve.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from .method import Method

SOURCES = ("helpful", "harmless")
"""The dialogue sources: probes are drawn half and half from them, objectives weigh them."""


class RequestError(ValueError):
    """The request itself is wrong. One message: the dotted key, its value, what to do. Ends with status 2."""


def limited(default: Any = MISSING, **limits: Any) -> Any:
    """A field with limits that `resolve_config` checks: `at_least`, `at_most`, `above`, `below`, `one_of`."""
    return field(default=default, metadata=limits)


@dataclass
class ModelConfig:
    name: str = MISSING
    """What the run is called in MLflow."""
    path: str = MISSING
    """Hub id or folder. `embedded:<name>` is a folder of `src/assets`."""
    stage: str = limited(one_of=("pretrained", "instruct"))
    """What the weights are before fine-tuning."""
    twin: str | None = None
    """The config of the same model at the other stage."""
    dialogues: str = limited("hh_rlhf", one_of=("embedded", "hh_rlhf"))
    """Where dialogues come from unless `objective.dialogues` says."""
    learning_rate: float = limited(2e-4, at_least=0)
    """The peak learning rate unless `trainer.learning_rate` says."""
    draws: int = limited(20, at_least=2)
    """Subsamples and null draws unless `tda.subsamples` and `tda.null_draws` say."""
    parameters: float | None = limited(None, above=0)
    """Of the weights; with `width` and `blocks` for the estimate of disk and memory. Null: read off the folder."""
    width: int | None = limited(None, at_least=1)
    """Coordinates of an activation."""
    blocks: int | None = limited(None, at_least=1)
    """Transformer blocks."""
    vocabulary: int | None = limited(None, at_least=1)
    """Tokens that the model knows: what it says at a probe is a number for each."""
    gated: bool = False
    """Whether the hub asks for an accepted licence and an access token."""


@dataclass
class ObjectiveConfig:
    name: str = MISSING
    """What the run is called in MLflow."""
    weights: dict[str, float] = field(default_factory=dict)
    """Share of the training dialogues per source; need not add up to 1."""
    dialogues: str | None = limited(None, one_of=("embedded", "hh_rlhf", "jsonl"))
    """`embedded`, `hh_rlhf` or `jsonl`; by default what the model's config names."""
    data_dir: str | None = None
    """Folder with `<source>-base/{train,test}.jsonl.gz` (implies `hh_rlhf`), or with `<source>.jsonl` for `jsonl`."""
    template: str = limited("plain", one_of=("plain", "chat"))
    """How dialogues are rendered for training."""
    loss_on: str = limited("last", one_of=("last", "all"))
    """Replies that the loss is taken on: the last one, or every one."""
    held_out: float = limited(0.15, above=0, below=1)
    """Share of the dialogues, by hash of their prompt, that is never trained on: probes and held-out loss use it."""
    eval_size: int = limited(64, at_least=1)
    """Dialogues per source for the held-out loss."""
    eval_pairs: int = limited(32, at_least=0)
    """How many of them, at most, are judged with their rejected reply as well (preference accuracy)."""


@dataclass
class TdaConfig(Method):
    name: str = MISSING
    """What the run is called in MLflow."""
    transformer: dict[str, Any] | None = None
    """A transformer by `_target_` that turns distances or points into diagrams; null measures nothing."""
    metric: str = limited("euclidean", one_of=("euclidean", "cosine", "standardized"))
    """Distance between activations; `standardized` divides each coordinate by its step-0 standard deviation."""
    points: int | None = limited(None, at_least=3)
    """Probes taken into a diagram, the first of the probe set; null takes all."""
    engine: str = limited("auto", one_of=("auto", "giotto", "reduced_rips"))
    """What computes plain Rips bars: `reduced_rips`, ours, does H0 and H1; `auto` takes it wherever it can."""
    workers: int | None = limited(None, at_least=1)
    """Processes that compute topology while training goes on; null takes half the cores."""
    max_memory_gb: float | None = limited(None, above=0)
    """GiB that the workers may take together; null takes half of the machine's."""
    geometry: bool = True
    """Describe each cloud's geometry as well (ranks, anisotropy, alignment to step 0) and how rigidly it moves."""
    subsamples: int | None = limited(None, at_least=0)
    """Random halves of the probes that intervals come from; 0 gives none, null takes the model's `draws`."""
    null_draws: int | None = limited(None, at_least=0)
    """Random movements, of each of two kinds, that excess is measured by; 0 gives none, null takes `draws`."""
    drop_sinks: bool = False
    """Leave out the probes that are sinks at step 0, norms above 20 x the median, for the whole run."""
    takes: str | None = limited(None, one_of=("distances", "points"))
    """What the transformer is given; null: distances where its `metric` is `precomputed`, else points."""
    components: int | None = limited(None, at_least=1)
    """Principal components of step 0 that points are projected on at every step; null keeps all coordinates."""


@dataclass
class ProbeConfig:
    size: int = limited(256, at_least=6)
    """Number of probe prompts, half helpful and half harmless. Each also takes 4 bytes x vocabulary of disk, once."""
    file: str | None = None
    """The user's own probe prompts: text, one per line, or JSONL; null chooses held-out prompts."""
    pooling: str = limited("last", one_of=("last", "mean"))
    """The activation at the last prompt token, or its mean over the prompt's tokens."""
    template: str = limited("plain", one_of=("plain", "chat"))
    """How probe prompts are rendered; with `chat`, models with different templates read different texts."""
    max_chars: int = limited(1200, at_least=1)
    """Characters of the longest prompt, in the plain template, that may become a probe."""
    max_length: int = limited(512, at_least=2)
    """Tokens; a longer probe prompt loses its beginning."""
    batch_size: int = limited(32, at_least=1)
    """Prompts per forward pass."""
    precision: str = limited("auto", one_of=("auto", "float32"))
    """`auto` captures in the arithmetic of training; `float32` lowers the rounding floor and doubles frozen weights."""


@dataclass
class ScheduleConfig:
    kind: str = limited(one_of=("dense_early", "linear", "every", "list"))
    """How the checkpoints lie over the run."""
    lag: int = limited(1, at_least=1)
    """Optimizer steps between the two captures of a pair; one lag for the whole run."""
    repeats: int = limited(2, at_least=1)
    """Consecutive pairs per checkpoint, their velocities averaged."""
    early: int = limited(7, at_least=1)
    """dense_early: checkpoints in the first tenth of the steps, log-spaced."""
    late: int = limited(13, at_least=1)
    """dense_early: checkpoints after the first tenth, evenly spaced."""
    count: int = limited(20, at_least=2)
    """linear: checkpoints, evenly spaced."""
    interval: int = limited(10, at_least=1)
    """every: optimizer steps between checkpoints."""
    steps: list[int] = field(default_factory=list)
    """list: the checkpoints themselves, in optimizer steps."""


@dataclass
class AdapterConfig:
    kind: str = limited(one_of=("lora", "full"))
    """`lora` trains a low-rank adapter, `full` every weight."""
    rank: int = limited(8, at_least=1)
    """lora: rank of each update."""
    alpha: float = limited(16.0, above=0)
    """lora: scaling is alpha / rank."""
    dropout: float = limited(0.0, at_least=0, below=1)
    """lora: dropout on the adapter's input."""


@dataclass
class TrainerConfig:
    max_steps: int = limited(240, at_least=1)
    """Optimizer steps of the run."""
    batch_size: int = limited(8, at_least=1)
    """Dialogues per optimizer step."""
    micro_batch_size: int | None = limited(None, at_least=1)
    """Dialogues per forward pass; must divide batch_size. Null: batch_size. Smaller needs less memory."""
    max_length: int = limited(512, at_least=8)
    """Tokens; a longer dialogue loses its beginning."""
    learning_rate: float | None = limited(None, at_least=0)
    """Peak learning rate of AdamW; null takes the model's."""
    lr_schedule: str = limited("linear", one_of=("constant", "linear", "cosine"))
    """Course of the learning rate after warm-up."""
    warmup_steps: int = limited(10, at_least=0)
    """Optimizer steps of linear warm-up, which counts from 1: the first step already moves."""
    weight_decay: float = limited(0.0, at_least=0)
    """AdamW's decoupled weight decay."""
    clip: float = limited(1.0, above=0)
    """Largest gradient norm; a longer gradient is scaled down."""
    precision: str = limited("auto", one_of=("auto", "float32", "bfloat16"))
    """Of the frozen weights and the arithmetic; `auto` is bfloat16 where the accelerator has it."""
    gradient_checkpointing: bool = False
    """Trade a second forward pass for activation memory."""
    progress: bool = True
    """Show a progress bar."""


@dataclass
class StoreConfig:
    uri: str | None = None
    """MLflow tracking URI; null takes MLFLOW_TRACKING_URI, else sqlite:///multirun/mlflow.db."""


@dataclass
class TrackingConfig(StoreConfig):
    experiment: str = "alignment-topology"
    """MLflow experiment."""
    patience: float = limited(30.0, at_least=0)
    """Seconds that the end of a run waits for a store that takes nothing; `python -m src.sync` brings it the rest."""


@dataclass
class Config:
    model: ModelConfig = field(default_factory=ModelConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    tda: TdaConfig = field(default_factory=TdaConfig)
    probe: ProbeConfig = field(default_factory=ProbeConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    adapter: AdapterConfig = field(default_factory=AdapterConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    seed: int = limited(0, at_least=0)
    """Adapter initialisation and data order, nothing else."""
    sweep: str = "single"
    """Name shared by the runs of one sweep."""
    force: bool = False
    """Start over even if the run is done."""
    debug: bool = False
    """Show tracebacks."""
