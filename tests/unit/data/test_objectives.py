"""What is trained on, judged and probed is kept apart."""

from __future__ import annotations

from collections.abc import Iterable

from transformers import PreTrainedTokenizerBase

from src.config.resolve import resolve_config
from src.data.batches import Batch
from src.data.dialogues import Dialogue, Turn
from src.data.objectives import load_data
from tests.support.builders import composed


def test_what_is_trained_on_judged_and_probed_share_no_opening(tiny: PreTrainedTokenizerBase) -> None:
    def openings(batches: Iterable[Batch]) -> set[str]:
        texts = [tiny.decode(ids) for batch in batches for ids in batch["input_ids"]]
        asked = [text.split("Human: ", 1)[1].split("\n\nAssistant:")[0] for text in texts]
        return {Dialogue((Turn("user", text),), "", "").opening for text in asked}

    config = resolve_config(composed("objective=mixed", "objective.eval_size=100000", "trainer.max_length=2048"))
    data = load_data(config, tiny)
    assert len(data.probes.openings) > 100
    evaluated = set[str]()
    for source in data.held_out.values():
        evaluated |= openings(source.chosen)
    trained = openings(data.training)
    assert min(len(evaluated), len(trained)) > 30, "enough of them to meet"
    assert not evaluated & data.probes.openings
    assert not trained & data.probes.openings
    assert not trained & evaluated
