"""One configuration, one directory: names, place, state, search."""

from .layout import ROOT as ROOT
from .layout import RunDirectory as RunDirectory
