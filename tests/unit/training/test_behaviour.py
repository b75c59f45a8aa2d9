"""Behaviour at a checkpoint against direct computations from full logits, each text alone."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, Gemma2Config, Gemma2ForCausalLM

from src.clouds.capture import capture_clouds
from src.clouds.store import read_clouds
from src.config import ObjectiveConfig
from src.config.resolve import resolve_config
from src.config.schedule import plan_schedule
from src.data.batches import Layout
from src.data.dialogues import Dialogue, Turn
from src.data.held_out import HeldOut, encode_held_out
from src.data.rendering import render_prompt
from src.rundir import RunDirectory
from src.system.signals import SignalHandler
from src.training import behaviour
from src.training.behaviour import BASE, evaluate_replies, kl_to_base, read_base_logprobs, write_base_logprobs
from src.training.check_packing import try_packing
from src.training.fit import fit
from src.training.inputs import RunHooks, load_inputs
from src.training.network import Network
from tests.support.builders import composed
from tests.support.networks import PROMPTS, make_network
from tests.support.processes import ROOT

TINY = ("experiment=smoke", "trainer.progress=false", "probe.size=12", "objective.eval_size=4", "trainer.batch_size=4")
TOKENIZER = AutoTokenizer.from_pretrained(ROOT / "src" / "assets" / "tiny")
DIALOGUES = [
    Dialogue((Turn("user", "How do I read a file?"),), "Open it, then read every line of it.", "No."),
    Dialogue((Turn("user", "Is it late?"),), "It is.", "The list of the arguments that the function takes is empty."),
    Dialogue(
        (Turn("user", "Name a colour."), Turn("assistant", "The colour is blue."), Turn("user", "Another one.")),
        "Return a string that names the other.", "Zyx qqq.",
    ),
    Dialogue((Turn("user", "Say nothing of the other."),), "This one has no second reply.", None),
    Dialogue((Turn("user", "Which file?"),), "Zyx.", "This is the name of the file that is read, and of the folder."),
]  # fmt: skip


@pytest.fixture(scope="module")
def network() -> Network:
    return try_packing(make_network("embedded:tiny"))


def held_out(dialogues: list[Dialogue], *, max_length: int = 512, **objective: object) -> HeldOut:
    settings = ObjectiveConfig(**objective)
    return encode_held_out(dialogues, settings, TOKENIZER, max_length=max_length)


def evaluate(network: Network, held: HeldOut, *, packed: bool = True) -> dict[str, float]:
    """Of one source, without its name."""
    values = evaluate_replies(network.causal, {"x": held}, Layout(pad=1, packed=packed), batch_size=2)
    return {name.removesuffix("_x"): value for name, value in values.items()}


@torch.inference_mode()
def log_probabilities(causal: torch.nn.Module, ids: list[int]) -> torch.Tensor:
    """Of every next token, float64 (T, V)."""
    return causal.eval()(input_ids=torch.tensor([ids])).logits[0].double().log_softmax(-1)


def score(network: Network, dialogue: Dialogue, reply: str) -> tuple[float, float]:
    """Log-probability of a reply and its end, summed and per token."""
    prompt = render_prompt(dialogue.prompt, "plain", TOKENIZER)
    ids = [*TOKENIZER(f"{prompt} {reply}")["input_ids"], TOKENIZER.eos_token_id]
    start = len(TOKENIZER(prompt)["input_ids"])
    each = log_probabilities(network.causal, ids)[range(start - 1, len(ids) - 1), ids[start:]]
    return float(each.sum()), float(each.mean())


def test_preference_accuracy_is_that_of_full_logits(network: Network) -> None:
    pairs = [(score(network, d, d.chosen), score(network, d, d.rejected)) for d in DIALOGUES if d.rejected]
    plain, per_token = (sum(a[k] > b[k] for a, b in pairs) / len(pairs) for k in (0, 1))
    assert len({0.0, 1.0, plain, per_token}) == 4, "the example tells the two apart"
    for loss_on in ("last", "all"):
        values = evaluate(network, held_out(DIALOGUES, loss_on=loss_on), packed=loss_on == "last")
        assert (values["preference_accuracy"], values["preference_accuracy_per_token"]) == (plain, per_token)


def test_the_held_out_loss_is_over_the_replies_that_are_learned(network: Network) -> None:
    def total(*replies: tuple[Dialogue, str]) -> tuple[float, float]:
        scores = [score(network, *reply) for reply in replies]
        return -sum(s for s, _ in scores), sum(s / each for s, each in scores)

    last = [(d, d.chosen) for d in DIALOGUES]
    loss, tokens = total(*last)
    assert evaluate(network, held_out(DIALOGUES))["eval_loss"] == pytest.approx(loss / tokens, rel=1e-5)
    more = evaluate(network, held_out(DIALOGUES, loss_on="all"))["eval_loss"]
    assert more != pytest.approx(loss / tokens, rel=1e-5)


def test_sources_share_the_passes_and_padding_makes_no_difference(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = {"a": held_out(DIALOGUES), "b": held_out(DIALOGUES[:2])}
    found = []
    for packed, tokens in ((True, 2048), (True, 40), (False, 0)):
        monkeypatch.setattr(behaviour, "ROW_TOKENS", tokens)
        found.append(evaluate_replies(network.causal, sources, Layout(pad=1, packed=packed), batch_size=3))
    assert len(found[0]) == 6
    assert found[0] == pytest.approx(found[1], rel=1e-5)
    assert found[0] == pytest.approx(found[2], rel=1e-5)


def test_a_tie_counts_half(network: Network) -> None:
    tied = replace(DIALOGUES[0], rejected=DIALOGUES[0].chosen)
    values = evaluate(network, held_out([tied]))
    assert (values["preference_accuracy"], values["preference_accuracy_per_token"]) == (0.5, 0.5)


def test_a_model_that_broke_has_no_accuracy() -> None:
    broken = make_network("embedded:tiny", kind="full")
    with torch.no_grad():
        next(broken.causal.parameters()).fill_(torch.nan)
    assert all(np.isnan(value) for value in evaluate(broken, held_out(DIALOGUES)).values())


def test_a_pair_is_judged_where_both_replies_answer_the_same_whole_prompt(network: Network) -> None:
    assert len(held_out(DIALOGUES).rejected) == 4
    assert len(held_out(DIALOGUES, eval_pairs=1).rejected) == 1
    longest = max(len(text.example.ids) for text in held_out([DIALOGUES[1]]).rejected.values())
    assert len(held_out([DIALOGUES[1]], max_length=longest + 1).rejected) == 1
    cut = held_out([DIALOGUES[1]], max_length=longest)
    for without in (cut, held_out(DIALOGUES, eval_pairs=0), held_out([DIALOGUES[3]])):
        assert evaluate(network, without).keys() == {"eval_loss"}


@pytest.mark.parametrize("words", [(), ("probe.pooling=mean", "adapter=full"), ("tda=none", "objective.eval_pairs=0")])
def test_kl_to_base_is_that_of_full_logits_after_the_probes(words: tuple[str, ...], tmp_path: Path) -> None:
    config = resolve_config(composed(*TINY, "trainer.max_steps=3", *words))
    inputs, logged = load_inputs(config), {}
    network, probes = inputs.network, inputs.data.probes.ids
    base = deepcopy(network.causal)
    run = RunDirectory(tmp_path)
    fit(
        config, inputs, plan_schedule(config.schedule, 3), run,
        RunHooks(
            lambda step: None, lambda values, step: logged.setdefault(step, {}).update(values), SignalHandler()
        ),
    )  # fmt: skip
    assert logged[0]["behavior/kl_to_base"] == 0
    now, before = (
        torch.stack([log_probabilities(causal, ids)[-1] for ids in probes]) for causal in (network.causal, base)
    )
    direct = float((now.exp() * (now - before)).sum(1).mean())
    assert direct > 1e-5
    assert logged[3]["behavior/kl_to_base"] == pytest.approx(direct, rel=1e-2)
    if network.model is not network.causal:
        with network.model.disable_adapter():
            assert torch.equal(torch.stack([log_probabilities(network.causal, ids)[-1] for ids in probes]), before)
    # Nothing but the file and the model decides: a run that goes on from here says the same.
    _, ends = capture_clouds(network.trunk, network.blocks, [], probes, pooling="mean", batch_size=32)
    assert kl_to_base(read_base_logprobs(run.base()), network.causal, ends) == logged[3]["behavior/kl_to_base"]
    assert ("behavior/preference_accuracy_helpful" in logged[3]) == ("objective.eval_pairs=0" not in words)


def test_judging_leaves_training_bit_identical(tmp_path: Path) -> None:
    losses = []
    for steps in ("[0]", "[0,1,2]"):
        words = [
            "trainer.max_steps=4",
            "objective.eval_every=1",
            "schedule=list",
            f"schedule.steps={steps}",
            "adapter.dropout=0.2",
            "tda=none",
        ]
        config = resolve_config(composed(*TINY, *words))
        logged: dict[int, dict[str, float]] = {}
        fit(
            config, load_inputs(config), plan_schedule(config.schedule, 4), RunDirectory(tmp_path / steps),
            RunHooks(
                lambda step: None, lambda values, step, logged=logged: logged.setdefault(step, {}).update(values),
                SignalHandler(),
            ),
        )  # fmt: skip
        assert sum("behavior/kl_to_base" in values for values in logged.values()) == steps.count(",") + 2
        losses.append([logged[step]["behavior/train_loss"] for step in range(4)])
    assert losses[0] == losses[1]


def test_what_a_model_does_to_its_logits_after_the_head_counts(tmp_path: Path) -> None:
    torch.manual_seed(0)
    causal = Gemma2ForCausalLM(
        Gemma2Config(
            vocab_size=96, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, head_dim=8, final_logit_softcapping=0.05,
        )
    )  # fmt: skip
    network = Network(causal, causal)
    _, ends = capture_clouds(network.trunk, network.blocks, [], PROMPTS, pooling="last", batch_size=2)
    write_base_logprobs(tmp_path / "base.safetensors", causal, ends, "x")
    direct = torch.stack([log_probabilities(causal, ids)[-1] for ids in PROMPTS])
    assert direct.std() > 0
    assert np.allclose(read_clouds(tmp_path / "base.safetensors")[BASE], direct, atol=1e-6)
