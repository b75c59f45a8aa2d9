"""Whether the hub can be asked at all: its client tries for a minute where one connection is enough."""

from __future__ import annotations

import logging
import socket
from urllib.parse import urlsplit
from urllib.request import getproxies

from huggingface_hub import constants

CONNECT_SECONDS = 5.0


def require_hub() -> None:
    """Do nothing if the hub answers, or if offline mode or a proxy makes the question pointless.

    Raises:
        OSError: if it cannot be reached.
    """
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # each of its retries would be a line
    address = urlsplit(constants.ENDPOINT)
    if constants.is_offline_mode() or getproxies():
        return
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        socket.create_connection((address.hostname or "", port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise OSError(f"{address.hostname} cannot be reached: {error.strerror or error}") from error
