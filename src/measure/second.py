"""Whether a run is measured a second time, with standardized distances: read off the clouds of step 0 alone.

So the answer is the same at every checkpoint, in a run that was resumed, and when stored clouds are analysed again.
"""

from __future__ import annotations

import numpy as np

from ..clouds.store import layer_names, read_cloud
from ..config import SECOND_METRIC, TdaConfig
from ..geometry import dominant_share
from ..metrics.table import MAX_DOMINANT_SHARE
from ..rundir import RunDirectory


def has_second_metric(source: RunDirectory, tda: TdaConfig) -> bool:
    """Whether that was asked for or, left to the clouds, two coordinates of some layer hide the others.

    Args:
        source: holds the clouds.
    """
    if tda.second_metric != "auto":
        return tda.second_metric == SECOND_METRIC
    path = source.clouds(0)
    with np.errstate(invalid="ignore"):  # what is not finite is named where its diagram is made
        shares = (dominant_share(read_cloud(path, layer)) for layer in layer_names(path))
        return tda.metric == "euclidean" and any(share > MAX_DOMINANT_SHARE for share in shares)
