"""Find GoogleTest, or take it from Debian without touching the system."""

from pathlib import Path
import shutil
import subprocess

from conftest import ENVIRONMENT

PACKAGE = "libgtest-dev"


def _in(root: Path) -> tuple[Path, Path] | None:
    """Return the folders of the headers and the library under a root."""
    library = next(root.glob("usr/lib/**/libgtest.a"), None)
    include = root / "usr" / "include"
    return (include, library.parent) if library and (include / "gtest" / "gtest.h").exists() else None


def _unpack(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lists, archives = folder / "lists" / "partial", folder / "archives" / "partial"
    for path in (lists, archives):
        path.mkdir(parents=True, exist_ok=True)
    # Lists of our own: a bare machine has none, and only root may fetch the system's
    private = ("-o", f"Dir::State::lists={lists.parent}", "-o", f"Dir::Cache::archives={archives.parent}")
    for command in ("update", "download"):
        names = [PACKAGE] if command == "download" else []
        subprocess.run(["apt-get", "-q", *private, command, *names], cwd=folder, check=True, capture_output=True)
    package = next(folder.glob(f"{PACKAGE}_*.deb"))
    subprocess.run(["dpkg", "-x", package, folder], check=True)
    for path in (folder / "lists", folder / "archives", package):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def google_test() -> tuple[Path, Path] | None:
    """Return the folders of GoogleTest's headers and library; None where it cannot be had."""
    if found := _in(Path("/")):
        return found
    folder = ENVIRONMENT / "googletest"
    if not _in(folder) and shutil.which("apt-get") and shutil.which("dpkg"):
        try:
            _unpack(folder)
        except subprocess.CalledProcessError, StopIteration:
            return None
    return _in(folder)
