"""One model in memory, with the weights of each checkpoint in turn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, PreTrainedModel

from src.config import RequestError
from src.config.track import TrackConfig
from src.series.find import complete_track, find_series
from src.series.weights import SeriesModel
from tests.support.series import TINY, asked

IDS = torch.tensor([[5, 6, 7, 8, 9]])


def moved(seed: int) -> PreTrainedModel:
    """The embedded model, each weight a little elsewhere."""
    model = AutoModelForCausalLM.from_pretrained(TINY)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.01 * torch.randn(parameter.shape, generator=generator)
    return model.eval()


@torch.no_grad()
def logits(model: torch.nn.Module) -> torch.Tensor:
    return model(input_ids=IDS).logits


def built(config: TrackConfig) -> SeriesModel:
    series = find_series(config)
    return SeriesModel(complete_track(config, series), series)


def check(model: SeriesModel, expected: dict[int, torch.Tensor]) -> None:
    """Each step gives what it should, in whatever order."""
    for step in [*sorted(expected), *sorted(expected, reverse=True)]:
        with model.at(step) as network:
            assert torch.equal(logits(network.causal), expected[step]), step


def save_series(folder: Path, save: Callable[[PreTrainedModel, int], None]) -> dict[int, torch.Tensor]:
    expected = {}
    for step in (3, 4):
        model = moved(step)
        save(model, step)
        expected[step] = logits(model)
    return expected


def test_whole_models_stand_on_their_base_or_on_the_first(tmp_path: Path) -> None:
    expected = save_series(tmp_path, lambda model, step: model.save_pretrained(tmp_path / f"checkpoint-{step}"))
    pattern = [f"{tmp_path}/checkpoint-*"]
    check(built(asked(TINY, checkpoints=pattern)), expected | {0: expected[3]})
    base = logits(AutoModelForCausalLM.from_pretrained(TINY).eval())
    check(built(asked(TINY, checkpoints=pattern, base=TINY)), expected | {0: base})


def test_adapters_are_swapped_and_step_0_is_without_one(tmp_path: Path) -> None:
    expected = {0: logits(AutoModelForCausalLM.from_pretrained(TINY).eval())}
    torch.manual_seed(0)
    for step in (3, 4):
        lora = LoraConfig(r=2, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
        model = get_peft_model(AutoModelForCausalLM.from_pretrained(TINY), lora).eval()
        model.save_pretrained(tmp_path / f"checkpoint-{step}")
        expected[step] = logits(model)
    assert not torch.equal(expected[3], expected[4])
    model = built(asked(checkpoints=[f"{tmp_path}/checkpoint-*"]))
    assert model.config.model.path == TINY, "the adapters say their base"
    check(model, expected)


def test_weights_of_lightning_are_read_by_their_prefix(tmp_path: Path) -> None:
    def save(model: PreTrainedModel, step: int) -> None:
        state = {f"net.{name}": tensor for name, tensor in model.state_dict().items()}
        torch.save({"state_dict": state, "global_step": step}, tmp_path / f"{step}.ckpt")

    expected = save_series(tmp_path, save)
    check(built(asked(TINY, checkpoints=[f"{tmp_path}/*.ckpt"], prefix="net.")), expected)
    with pytest.raises(
        RequestError, match=r"track.prefix=model.: no weight of .*3.ckpt begins so; they begin with net."
    ):
        built(asked(TINY, checkpoints=[f"{tmp_path}/*.ckpt"])).check_fit()
    with pytest.raises(RequestError, match=r"does not say which model it is of"):
        built(asked(checkpoints=[f"{tmp_path}/*.ckpt"]))


def test_a_ckpt_that_would_run_code_is_refused(tmp_path: Path) -> None:
    for step in (1, 2):
        torch.save({"state_dict": {}, "global_step": step, "hyper_parameters": Path}, tmp_path / f"step={step}.ckpt")
    with pytest.raises(RequestError, match="cannot be read with weights_only"):
        built(asked(TINY, checkpoints=[f"{tmp_path}/*.ckpt"]))


def test_a_base_that_is_another_model_is_refused(tmp_path: Path) -> None:
    save_series(tmp_path, lambda model, step: model.save_pretrained(tmp_path / f"checkpoint-{step}"))
    request = asked(TINY, checkpoints=[f"{tmp_path}/checkpoint-*"], base=str(tmp_path / "gone"))
    with pytest.raises(RequestError, match=r"^track\.base=.*gone"):
        built(request).check_fit()
