"""Pure geometry of a cloud and of its movement, the companion of topology."""

from .movement import displacement as displacement
