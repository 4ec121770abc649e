"""What devices need of this machine."""

from pathlib import Path
import subprocess
import sys
from typing import Final

from .wallbox import NOT_HERE, DeviceError

PROJECT: Final = Path(__file__).parents[2]


def set_up(what: str) -> Path:
    """Let the set-up bring a program, and return its path. Raises DeviceError, saying what this machine lacks."""
    command: list[str | Path] = [sys.executable, PROJECT / "scripts" / "setup.py", what]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own script
    if done.returncode:
        raise DeviceError(f"{NOT_HERE}: {done.stderr.strip().splitlines()[-1].removeprefix('setup: ')}")
    return Path(done.stdout.strip())
