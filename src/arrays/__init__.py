"""Arrays and numbers as notebooks hold them, read or refused; depends on nothing of ours."""

from .read import read_array, read_diagram, read_integer, read_integers, read_number, read_points

__all__ = ["read_array", "read_diagram", "read_integer", "read_integers", "read_number", "read_points"]
