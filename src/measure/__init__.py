"""The measurement of one checkpoint from the clouds on disk, its worker pool, and the table of all."""

from .track import track as track
