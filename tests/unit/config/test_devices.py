"""How many processes a training may have, and how a step is divided among them."""

from __future__ import annotations

import pytest

from src.config import RequestError
from src.config.devices import check_division, passed_at_once
from src.config.resolve import resolve_config
from tests.support.builders import composed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trainer.devices=2"], "trainer.devices=2: trainer.strategy=single is one process"),
        (["trainer.nodes=2"], "trainer.nodes=2: trainer.strategy=single is one process"),
        (["trainer=ddp", "trainer.devices=3"], "trainer.batch_size=8: cannot be divided among 3 processes"),
        (["trainer=ddp", "trainer.devices=4", "trainer.nodes=4"], "trainer.batch_size=8: cannot be divided among 16"),
        (
            ["trainer=ddp", "trainer.devices=4", "trainer.batch_size=24", "trainer.micro_batch_size=4"],
            "trainer.micro_batch_size=4: must divide the 6 dialogues",
        ),
        (["trainer=ddp", "trainer.devices=0"], "trainer.devices=0: must be at least 1"),
        (["trainer=fsdp", "adapter=full"], "trainer.strategy=fsdp: divides what is frozen, and adapter=full"),
        (["trainer=fsdp", "schedule.lag=auto"], "schedule.lag=auto: is tried on one device"),
        (["trainer=ddp", "trainer.stop=topology"], "trainer.stop=topology: is decided by one process"),
        (["trainer=ddp", "trainer.micro_batch_size=auto"], "trainer.micro_batch_size=auto: is tried on one device"),
        (["trainer.strategy=fspd"], "trainer.strategy=fspd: must be one of single, ddp, fsdp"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_what_cannot_be_divided_is_refused_by_name(words: list[str], message: str) -> None:
    with pytest.raises(RequestError) as caught:
        resolve_config(composed(*words))
    assert message in str(caught.value)


def test_a_step_is_divided_evenly() -> None:
    trainer = resolve_config(composed("trainer=ddp", "trainer.devices=4")).trainer
    assert passed_at_once(trainer, 1) == 8
    assert passed_at_once(trainer, 4) == 2
    check_division(trainer, 8)
    with pytest.raises(RequestError, match=r"give trainer\.batch_size=9,"):
        check_division(trainer, 9)
