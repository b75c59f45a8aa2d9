"""The probe set: who is in it, how it is rendered, cut and named."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from src.config import ProbeConfig, RequestError
from src.data.probes import choose_probes, read_probes
from tests.support.processes import ROOT


def test_probes_are_half_and_half_and_distinct(tiny: PreTrainedTokenizerBase, held_out: dict) -> None:
    probes = choose_probes(held_out, ProbeConfig(size=64), tiny)
    assert Counter(probes.sources) == {"helpful": 32, "harmless": 32}
    assert probes.sources[:2] == ["helpful", "harmless"], "the first few probes are half and half as well"
    assert len({tuple(ids) for ids in probes.ids}) == 64
    assert len({ids[-1] for ids in probes.ids}) == 1, "all prompts end alike"


def test_a_larger_probe_set_begins_with_the_smaller(tiny: PreTrainedTokenizerBase, held_out: dict) -> None:
    small, large = (choose_probes(held_out, ProbeConfig(size=n), tiny) for n in (32, 64))
    assert large.ids[:32] == small.ids
    assert small.hash != large.hash


def test_the_probe_hash_sees_text_and_rendering_not_the_model(
    tiny: PreTrainedTokenizerBase, stories: PreTrainedTokenizerBase, held_out: dict
) -> None:
    plain = choose_probes(held_out, ProbeConfig(size=32), tiny)
    assert plain.hash == choose_probes(held_out, ProbeConfig(size=32), stories).hash
    assert plain.hash != choose_probes(held_out, ProbeConfig(size=32, template="chat"), tiny).hash


def test_long_probes_are_cut_on_the_left_and_counted(tiny: PreTrainedTokenizerBase, held_out: dict) -> None:
    whole, cut = (choose_probes(held_out, ProbeConfig(size=32, max_length=n), tiny) for n in (512, 20))
    assert whole.truncated == 0
    assert cut.truncated == sum(len(ids) > 20 for ids in whole.ids) > 0
    assert [ids[-20:] for ids in whole.ids] == cut.ids


def test_too_few_prompts_are_named(tiny: PreTrainedTokenizerBase, held_out: dict) -> None:
    with pytest.raises(RequestError, match=r"probe\.size=2000: needs 1000 .* there are \d+"):
        choose_probes(held_out, ProbeConfig(size=2000), tiny)


def test_own_probes_are_the_first_different_ones(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(ROOT / "src" / "assets" / "tiny")
    file = tmp_path / "p.txt"
    file.write_text("".join(f"Question {n // 2}?\n" for n in range(20)))
    probes = read_probes(ProbeConfig(size=8, file=str(file)), tokenizer)
    assert [tokenizer.decode(ids).split()[2] for ids in probes.ids] == [f"{n}?" for n in range(8)]
    with pytest.raises(RequestError, match=r"has 10 different prompts, probe\.size=12"):
        read_probes(ProbeConfig(size=12, file=str(file)), tokenizer)
