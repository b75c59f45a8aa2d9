"""Lightning's strategy for the processes that train together."""

from __future__ import annotations

from lightning.pytorch.plugins.environments import LightningEnvironment
from lightning.pytorch.strategies import DDPStrategy, Strategy

from ..system.placement import Placement
from .network import Network
from .ranks import Ranks


class Environment(LightningEnvironment):
    """Lightning's view of processes that have found each other already."""

    def __init__(self, placement: Placement) -> None:
        super().__init__()
        self.placement = placement

    @property
    def creates_processes_externally(self) -> bool:
        return True

    def world_size(self) -> int:
        return self.placement.world

    def set_world_size(self, size: int) -> None:
        pass

    def global_rank(self) -> int:
        return self.placement.rank

    def set_global_rank(self, rank: int) -> None:
        pass

    def local_rank(self) -> int:
        return self.placement.local_rank

    def node_rank(self) -> int:
        return self.placement.node


def choose_strategy(ranks: Ranks, network: Network) -> Strategy | str:
    """How Lightning keeps so many models the same."""
    if ranks.world == 1:
        return "auto"
    return DDPStrategy(find_unused_parameters=may_be_unused(network))


def may_be_unused(network: Network) -> bool:
    """Whether a step may give some of what is trained no gradient.

    An expert may meet no token, and of a model that also sees only the text is trained on. Where everything is used,
    looking for the rest at every step would be of no use.
    """
    head = network.causal.get_output_embeddings()
    used = {id(p) for part in (network.trunk, head) if part is not None for p in part.parameters()}
    # A number for the block, another one for the expert in it.
    return any(
        tensor.requires_grad and (id(tensor) not in used or sum(map(str.isdigit, name.split("."))) > 1)
        for name, tensor in network.causal.named_parameters()
    )


def choose_environment(ranks: Ranks) -> LightningEnvironment:
    return LightningEnvironment() if ranks.world == 1 else Environment(ranks.placement)
