"""Home Assistant installs its own engine under this name before anything imports it."""

from probatio import *
