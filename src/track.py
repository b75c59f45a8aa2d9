"""`python -m src.track`: topology of a series of checkpoints that somebody saved. No training."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from .cli import launch
from .config import Config
from .config.resolve import complete_config, resolve_advice, resolve_track
from .config.track import AdviseConfig, TrackConfig
from .pipeline.note import describe_start, show_summary
from .pipeline.removable import discard_left_over
from .rundir import RunDirectory
from .rundir.naming import directory_of_run
from .rundir.state import check_earlier_start
from .series.content import refuse_other_content
from .series.find import Series, complete_track, find_series
from .sweeps.plan import IDENTIFYING

if TYPE_CHECKING:
    from .pipeline.observer import Observer

ADVISE = "advise"

Watch = Callable[["Observer"], object]


def track(composed: DictConfig) -> None:
    """Compose, validate, look at the headers, skip what is done, else measure the series."""
    request, choices = resolve_track(composed), HydraConfig.get().runtime.choices
    run = track_request(request, compose_baseline(choices))
    show_summary(run.read_status()["summary"])


def compose_baseline(choices: Mapping[str, Any]) -> Config:
    """The same model, objective and method with nothing else overridden; while Hydra can compose.

    Args:
        choices: options of the groups that a request was composed of.
    """
    return complete_config(compose("track", [f"{group}={choices[group]}" for group in IDENTIFYING]), TrackConfig)


def track_request(
    request: TrackConfig, baseline: Config, *, is_guest: bool = False, watch: Watch = lambda observer: None
) -> RunDirectory:
    """Look at the headers, skip what is done, else measure the series.

    Args:
        baseline, is_guest, watch: of `compose_baseline`, and of `track_series`.

    Returns:
        The run's directory, which is done.

    Raises:
        RequestError: if checkpoints cannot be read or do not fit together; also as `track_series` does.
    """
    series = find_series(request)
    config = complete_track(request, series)
    directory = directory_of_run(config, baseline)
    is_done = check_earlier_start(directory, config)
    refuse_other_content(directory, config)
    if is_done:
        print(f"{directory.path}: done already, skipped (force=true starts over)", flush=True)
        discard_left_over(directory, config)
    else:
        track_series(config, series, directory, is_guest=is_guest, watch=watch)
    return directory


def track_series(
    config: TrackConfig, series: Series, run: RunDirectory, *, is_guest: bool = False,
    watch: Watch = lambda observer: None,
) -> None:  # fmt: skip
    """Measure every checkpoint of a series.

    Args:
        is_guest: the process is somebody else's, and so are its signals.
        watch: called with the observer once it has begun: somebody may show how far it is.

    Raises:
        RequestError: before anything is written, if a model, the probes or the store cannot be had, or checkpoints do
            not fit the model.
        RuntimeError: at the end, if a checkpoint could not be measured.
    """
    # Late: composing and checking a request must not wait for torch and MLflow.
    from .data.objectives import load_probes, read_split
    from .measure.prepared_cloud import check_transformer
    from .pipeline.observer import Observer
    from .series.history import read_history
    from .series.weights import SeriesModel
    from .training.check_model import check_network
    from .training.loading import load_tokenizer
    from .training.model import check_context, check_precision, check_template

    check_transformer(config.tda, config.probe.size)
    check_precision(config)
    tokenizer = load_tokenizer(replace(config.model, path=series.tokenizer_path(config.model.path)))
    check_template(config, tokenizer)
    probes = load_probes(config, {} if config.probe.file else read_split(config)[1], tokenizer)
    model = SeriesModel(config, series)
    check_network(config.model.path, model.network.causal, tokenizer)
    check_context(config, model.network)
    model.check_fit()
    observer = Observer(config, run, probes, is_guest=is_guest)
    observer.start()
    watch(observer)
    try:
        print(f"{run.path}: {describe_start(config, len(observer.schedule.checkpoints), None)}", flush=True)
        for step, numbers in read_history(series):
            observer.log(numbers, step)
        for step in sorted(observer.schedule.captured):
            if observer.has(step):
                observer.observe(model.network, step)
                continue
            with model.at(step) as network:
                observer.observe(network, step)
    except BaseException as error:
        observer.close(error)
        raise
    observer.finish()


def advise(composed: DictConfig) -> None:
    """Print which steps a training to come has to save."""
    from .series.advice import advise as lines_of

    for line in lines_of(resolve_advice(composed)):
        print(line)


if __name__ == "__main__":
    if sys.argv[1:2] == [ADVISE]:
        del sys.argv[1]
        launch(advise, ADVISE, AdviseConfig)
    launch(track, "track", TrackConfig)
