"""Typed configuration: every group's fields with their defaults, units and limits.

The one place for defaults; YAML under `conf/` holds only what differs. Checks across groups are in `resolve.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .devices import Devices
from .setting import setting
from .transformer import Method

SOURCES = ("helpful", "harmless")
"""The dialogue sources: probes are drawn half and half from them, objectives weigh them."""

SECOND_METRIC = "standardized"
"""What `tda.second_metric` measures with, and what stands before the names of what it measures."""


AUTO, RANDOM, QLORA = "auto", "random", "qlora"

MAX_CHECKPOINTS = 100_000
"""Checkpoints of a run that can be planned and looked at."""

RESERVED = r"comparison|probes|mlartifacts|mlruns|mlflow\.db.*|mlflow_server\.log"
"""What lies in multirun/ beside the folders of the models: a pattern."""


@dataclass
class ModelConfig:
    name: str = setting(identity=True, is_name=True, reserved=RESERVED)
    """What the run is called in MLflow."""
    path: str = setting(identity=True, is_path=True)
    """Hub id or folder. `embedded:<name>` is a folder of `src/assets`."""
    stage: str = setting(identity=True, one_of=("pretrained", "instruct", RANDOM))
    """What the weights are before fine-tuning; `random` is filled in where they are."""
    weights: str = setting("pretrained", identity="where changed", one_of=("pretrained", RANDOM))
    """`random` draws them in the architecture of `path`, of which only `config.json` is needed: no model, but what a
    run takes. Its name then ends in `-random`, and its dialogues are the embedded ones unless others are given."""
    twin: str | None = setting(None, identity=False)
    """The config of the same model at the other stage."""
    dialogues: str = setting("hh_rlhf", identity=False, one_of=("embedded", "hh_rlhf"))
    """Where dialogues come from unless `objective.dialogues` says."""
    learning_rate: float = setting(2e-4, identity=False, at_least=0)
    """The peak learning rate unless `trainer.learning_rate` says."""
    draws: int = setting(20, identity=False, at_least=2)
    """Subsamples and null draws unless `tda.subsamples` and `tda.null_draws` say."""
    parameters: float | None = setting(None, identity=False, above=0)
    """Of the weights; with `width` and `blocks` for the estimate of disk and memory. Null: read off the folder."""
    width: int | None = setting(None, identity=False, at_least=1)
    """Coordinates of an activation."""
    blocks: int | None = setting(None, identity=False, at_least=1)
    """Transformer blocks."""
    vocabulary: int | None = setting(None, identity=False, at_least=1)
    """Tokens that the model knows: its prediction at a probe is a number for each."""
    gated: bool = setting(False, identity=False)
    """Whether the hub asks for an accepted licence and an access token."""


@dataclass
class ObjectiveConfig:
    name: str = setting(identity=True, is_name=True)
    """What the run is called in MLflow."""
    weights: dict[str, float] = setting(default_factory=dict, identity=True)
    """Share of the training dialogues per source; need not add up to 1."""
    dialogues: str | None = setting(None, identity=True, one_of=("embedded", "hh_rlhf", "jsonl"))
    """`embedded`, `hh_rlhf` or `jsonl`; by default what the model's config names."""
    data_dir: str | None = setting(None, identity=True, is_path=True)
    """Folder with `<source>-base/{train,test}.jsonl.gz` (implies `hh_rlhf`), or with `<source>.jsonl` for `jsonl`."""
    template: str = setting("plain", identity=True, one_of=("plain", "chat"))
    """How dialogues are rendered for training."""
    loss_on: str = setting("last", identity=True, one_of=("last", "all"))
    """Replies that the loss is taken on: the last one, or every one."""
    reply: str = setting("chosen", identity="where changed", one_of=("chosen", "rejected", "shuffled"))
    """Reply that is trained on: the chosen one or, as a control, the rejected one or that of another dialogue. What is
    held out keeps its own."""
    held_out: float = setting(0.15, identity=True, above=0, below=1)
    """Share of the dialogues, by hash of their prompt, that is never trained on: probes and held-out loss use it."""
    eval_size: int = setting(64, identity=True, at_least=1)
    """Dialogues per source for the held-out loss."""
    eval_pairs: int = setting(32, identity=True, at_least=0)
    """How many of them, at most, are judged with their rejected reply as well (preference accuracy)."""
    eval_every: int = setting(2, identity="where changed", at_least=1)
    """Behaviour is judged at each checkpoint of the first tenth of the steps, then at each `eval_every`-th, and at the
    end; 1 judges at every checkpoint."""


@dataclass
class TdaConfig(Method):
    name: str = setting(identity=True, is_name=True)
    """What the run is called in MLflow."""
    transformer: dict[str, Any] | None = setting(None, identity=True)
    """A transformer by `_target_` that turns distances or points into diagrams; null measures nothing."""
    allow: list[str] = setting(default_factory=list, identity=False)
    """Targets beside those of giotto-tda, scikit-learn and this package that may be run; only on the command line."""
    metric: str = setting("euclidean", identity=True, one_of=("euclidean", "cosine", "standardized"))
    """Distance between activations; `standardized` divides each coordinate by its step-0 standard deviation."""
    second_metric: str = setting("auto", identity="where changed", one_of=("auto", "none", SECOND_METRIC))
    """Another distance that everything is measured with once more; `auto`: `standardized` where `metric` is euclidean
    and two coordinates of some layer carry more than half of the squared distances at step 0."""
    points: int | None = setting(None, identity=True, at_least=3)
    """Probes taken into a diagram, the first of the probe set; null takes all."""
    engine: str = setting("auto", identity=False, one_of=("auto", "giotto", "gudhi", "reduced_rips"))
    """What computes plain Rips bars: `reduced_rips`, ours, does H0 and H1; `auto` takes it wherever it can, else
    giotto-ph, else GUDHI."""
    workers: int | None = setting(None, identity=False, at_least=1, at_most=1024)
    """Processes that compute topology while training goes on; null takes half the cores."""
    max_memory_gb: float | None = setting(None, identity=False, above=0)
    """GiB that the workers may take together; null takes half of the machine's."""
    geometry: bool = setting(True, identity=True)
    """Describe each cloud's geometry as well (ranks, anisotropy, alignment to step 0) and how rigidly it moves."""
    subsamples: int | None = setting(None, identity=True, at_least=0, at_most=10_000)
    """Random halves of the probes that intervals come from; 0 gives none, null takes the model's `draws`."""
    null_draws: int | None = setting(None, identity=True, at_least=0, at_most=10_000)
    """Random movements, of each of two kinds, that excess is measured by; 0 gives none, null takes `draws`."""
    weight_draws: int = setting(0, identity="where changed", at_least=0, at_most=10_000)
    """Random updates of the trained weights, captured once each at some checkpoints; 0 gives none, 20 are usual."""
    weight_steps: list[int] | None = setting(None, identity="where changed")
    """Checkpoints of the random updates; null: the first, each that moves further than all before it, and the last."""
    rtd_points: int = setting(512, identity="where changed", at_least=0)
    """Points of a diagram up to which topology divergence from step 0 is measured, by diagrams of twice as many; plain
    Rips with H1 only. 0 leaves it out."""
    neighbors: int | None = setting(None, identity="where changed", at_least=1, at_most=8)
    """Nearest neighbours of each point in the graphs that zigzag persistence follows through all layers; 4 are usual,
    with more than 8 it takes minutes a checkpoint. Null leaves it out."""
    drop_sinks: bool = setting(False, identity=True)
    """Leave out the probes that are sinks at step 0, norms above 20 x the median, for the whole run."""
    takes: str | None = setting(None, identity=True, one_of=("distances", "points"))
    """What the transformer is given; null: distances where its `metric` is `precomputed`, else points."""
    components: int | None = setting(None, identity=True, at_least=1)
    """Principal components of step 0 that points are projected on at every step; null keeps all coordinates."""


@dataclass
class ProbeConfig:
    size: int = setting(256, identity=True, at_least=6)
    """Number of probe prompts, half helpful and half harmless. Each also takes 4 bytes x vocabulary of disk, once."""
    file: str | None = setting(None, identity=True, is_path=True)
    """The user's own probe prompts: text, one per line, or JSONL; null chooses held-out prompts."""
    pooling: str = setting("last", identity=True, one_of=("last", "mean"))
    """The activation at the last prompt token, or its mean over the prompt's tokens."""
    template: str = setting("plain", identity=True, one_of=("plain", "chat"))
    """How probe prompts are rendered; with `chat`, models with different templates read different texts."""
    max_chars: int = setting(1200, identity=True, at_least=1)
    """Characters of the longest prompt, in the plain template, that may become a probe."""
    max_length: int = setting(512, identity=True, at_least=2)
    """Tokens; a longer probe prompt loses its beginning."""
    batch_size: int = setting(32, identity=True, at_least=1)
    """Prompts per forward pass."""
    precision: str = setting("auto", identity=True, one_of=("auto", "tf32", "float32", "bfloat16"))
    """Arithmetic of capture, whatever training computes in: `float32` activations over the model's own weights, `tf32`
    the same with TF32 products; `auto` is tf32 where a GPU has it, else float32; `bfloat16` is coarser than steps."""


@dataclass
class ScheduleConfig:
    kind: str = setting(identity=True, one_of=("dense_early", "linear", "every", "list"))
    """How the checkpoints lie over the run."""
    lag: int | str = setting(1, identity=True, at_least=1, word=AUTO)
    """Optimizer steps between the two captures of a pair; one lag for the whole run. `auto`: the shortest of 1, 2, 4, 8
    and 16 whose first pair lies 10 x above the rounding floor, found by a few steps that are thrown away."""
    repeats: int = setting(2, identity=True, at_least=1, at_most=1000)
    """Consecutive pairs per checkpoint, their velocities averaged."""
    dense_windows: int = setting(3, identity="where changed", at_least=0, at_most=1000)
    """Stretches of 8 consecutive pairs, evenly spread, that show how alike neighbouring steps are: no finding is called
    that such steps make by chance. Fewer where they would take more than a third of the steps."""
    early: int = setting(7, identity=True, at_least=1, at_most=MAX_CHECKPOINTS)
    """dense_early: checkpoints in the first tenth of the steps, log-spaced."""
    late: int = setting(13, identity=True, at_least=1, at_most=MAX_CHECKPOINTS)
    """dense_early: checkpoints after the first tenth, evenly spaced."""
    count: int = setting(20, identity=True, at_least=2, at_most=MAX_CHECKPOINTS)
    """linear: checkpoints, evenly spaced."""
    interval: int = setting(10, identity=True, at_least=1)
    """every: optimizer steps between checkpoints."""
    steps: list[int] = setting(default_factory=list, identity=True)
    """list: the checkpoints themselves, in optimizer steps."""


@dataclass
class AdapterConfig:
    kind: str = setting(identity=True, one_of=("lora", "full", QLORA))
    """`lora` trains a low-rank adapter, `qlora` the same beside weights in 4 bits, `full` every weight."""
    rank: int | None = setting(None, identity=True, at_least=1, at_most=65_536)
    """lora: rank of each update; null takes that of `adapter.resume`, else 8."""
    alpha: float | None = setting(None, identity=True, above=0)
    """lora: scaling is alpha / rank; null takes that of `adapter.resume`, else 16."""
    dropout: float | None = setting(None, identity=True, at_least=0, below=1)
    """lora: dropout on the adapter's input; null takes that of `adapter.resume`, else 0."""
    targets: Any = setting(AUTO, identity="where changed")
    """lora: the layers that are adapted, by endings of their names, such as `[q_proj,v_proj]`; `auto` takes every
    linear layer of the language model that an adapter can stand beside."""
    resume: str | None = setting(None, identity=False, is_path=True)
    """lora: folder of an adapter that training goes on from; step 0 is the model with it."""
    content: str | None = setting(None, identity="where changed")
    """lora: hash of the files of `adapter.resume`, filled in, or checked where it is given; it makes the run."""


@dataclass
class TrainerConfig(Devices):
    max_steps: int = setting(240, identity=True, at_least=1, at_most=10_000_000)
    """Optimizer steps of the run."""
    batch_size: int = setting(8, identity=True, at_least=1)
    """Dialogues per optimizer step."""
    micro_batch_size: int | str | None = setting(None, identity=True, at_least=1, word=AUTO)
    """Dialogues per forward pass; must divide batch_size, or the share of it that a process has. Null: all of them.
    Smaller needs less memory; `auto`: the most that fit, with the longest dialogues of the run."""
    max_length: int = setting(512, identity=True, at_least=8)
    """Tokens; a longer dialogue loses its beginning."""
    learning_rate: float | None = setting(None, identity=True, at_least=0)
    """Peak learning rate of AdamW; null takes the model's."""
    lr_schedule: str = setting("linear", identity=True, one_of=("constant", "linear", "cosine"))
    """Course of the learning rate after warm-up."""
    warmup_steps: int = setting(10, identity=True, at_least=0)
    """Optimizer steps of linear warm-up, which counts from 1: the first step already moves."""
    weight_decay: float = setting(0.0, identity=True, at_least=0)
    """AdamW's decoupled weight decay."""
    clip: float = setting(1.0, identity=True, above=0, endless=True)
    """Largest gradient norm; a longer gradient is scaled down."""
    diverged: str = setting("stop", identity=False, one_of=("stop", "warn"))
    """What becomes of a run whose loss, gradient norm or trained weights are not finite, or whose loss stays above ten
    times its first value for ten steps: `stop` ends it as failed, `warn` says it once and goes on."""
    stop: str = setting("none", identity="where changed", one_of=("none", "topology"))
    """`topology` ends the run early once velocity and own-scale excess have levelled off; `none` takes all steps."""
    stop_patience: int = setting(8, identity="where changed", at_least=5, at_most=1000)
    """stop=topology: checkpoints in a row, after the first tenth of the steps, over which both have to be level."""
    stop_band: float = setting(2.0, identity="where changed", above=1)
    """stop=topology: largest change over them, as a factor, that is level; a larger one must be excluded."""
    precision: str = setting("auto", identity=True, one_of=("auto", "float32", "bfloat16"))
    """Of the frozen weights and the arithmetic; `auto` is bfloat16 where the accelerator has it."""
    gradient_checkpointing: bool = setting(False, identity=True)
    """Trade a second forward pass for activation memory."""
    progress: bool = setting(True, identity=False)
    """Show a progress bar."""


@dataclass
class CloudsConfig:
    keep: str = setting("all", identity=False, one_of=("all", "last", "none"))
    """Clouds that stay when the run is done; `last`: those of step 0 and of the last checkpoint with its pair. Without
    all of them it cannot be analysed again."""


@dataclass
class StoreConfig:
    uri: str | None = setting(None, identity=False, is_address=True)
    """MLflow tracking URI; null takes MLFLOW_TRACKING_URI, else sqlite:///multirun/mlflow.db."""


@dataclass
class TrackingConfig(StoreConfig):
    experiment: str = setting("alignment-topology", identity=False, filled=500)
    """MLflow experiment."""
    patience: float = setting(30.0, identity=False, at_least=0, endless=True)
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
    clouds: CloudsConfig = field(default_factory=CloudsConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    seed: int = setting(0, identity=True, at_least=0, at_most=2**32 - 1)
    """Adapter initialisation and data order, nothing else. NumPy's random numbers set the largest."""
    sweep: str = setting("single", identity=False, is_name=True)
    """Name shared by the runs of one sweep."""
    force: bool = setting(False, identity=False)
    """Start over even if the run is done."""
    debug: bool = setting(False, identity=False)
    """Show tracebacks."""
