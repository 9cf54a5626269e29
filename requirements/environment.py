"""Virtualenvs of `./run` and `./check`, created on first use from pinned, hashed requirements.

Any Python may start this, so it parses on 3.8 and needs only the standard library. Later starts only
compare a stamp, so modules for set-up are imported when set-up begins.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import IO, NoReturn

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
SCRATCH = os.path.join(ROOT, ".setup")
WINDOWS = sys.platform == "win32"
OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11", "python3")


class SetupError(Exception):
    """Set-up failed; the message is one sentence for the person at the terminal."""


LEFT_OUT = {"PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}


class Environment:
    """A virtualenv at the top of the checkout with exactly the packages of its lock."""

    def __init__(self, folder: str, lock: str) -> None:
        self.folder = os.path.join(ROOT, folder)
        self.lock = os.path.join(ROOT, "requirements", lock)
        self.programs = os.path.join(self.folder, "Scripts" if WINDOWS else "bin")
        self.python = self.program("python")
        self._stamp = os.path.join(self.folder, "made-from")

    def program(self, name: str) -> str:
        """Give the path of a program of this environment."""
        return os.path.join(self.programs, name + (".exe" if WINDOWS else ""))

    def variables(self) -> dict[str, str]:
        """Give the environment variables for programs of this virtualenv, without those of others.

        Compiled modules are written whatever the caller's setting: otherwise every process would compile them again.
        """
        path = self.programs + os.pathsep + os.environ.get("PATH", os.defpath)
        kept = {k: v for k, v in os.environ.items() if k not in LEFT_OUT}
        return {**kept, "PATH": path, "VIRTUAL_ENV": self.folder}

    def is_ready(self) -> bool:
        """Whether this was created completely, for this Python, this folder and this lock."""
        try:
            with open(self._stamp, "rb") as stamp:
                return os.path.exists(self.python) and stamp.read() == self._made_from()
        except OSError:
            return False

    def ensure(self) -> None:
        """Create the environment unless it is ready. Raises SetupError."""
        require_python()
        if self.is_ready():
            return
        try:
            os.makedirs(SCRATCH, exist_ok=True)
            with hold_lock() as held:
                # The previous holder of the lock may have created it.
                if not self.is_ready():
                    self._make(held)
        except (OSError, ImportError, UnicodeError) as error:
            raise SetupError(f"Set-up of {self.folder} failed: {error}.") from error

    def _made_from(self) -> bytes:
        # The whole lock rather than its hash: as quick to compare, and nothing to import.
        # The interpreter's real path changes when the system upgrades Python.
        head = "\n".join(("1", sys.implementation.cache_tag, os.path.realpath(self.python), ROOT, ""))
        with open(self.lock, "rb") as lock:
            return os.fsencode(head) + lock.read()

    def _make(self, held: IO[bytes]) -> None:
        import time

        begun = time.monotonic()
        say("Setting up (once, about half a minute): making " + self.folder)
        installation = Installation(self, held)
        if os.path.exists(self._stamp):
            os.remove(self._stamp)  # first, so that a half-removed environment does not look ready
        installation.run()
        self._point_to_checkout()
        with open(self._stamp + ".part", "wb") as stamp:
            stamp.write(self._made_from())
        os.replace(self._stamp + ".part", self._stamp)
        say(f"Set up in {time.monotonic() - begun:.0f} s.")

    def _point_to_checkout(self) -> None:
        import sysconfig

        packages = sysconfig.get_path("purelib", "venv", {"base": self.folder})
        # Relative, hence plain ASCII: the locale decides the encoding in which such a file is read.
        with open(os.path.join(packages, "checkout.pth"), "w", encoding="ascii") as path:
            path.write(os.path.relpath(ROOT, packages) + "\n")


class Installation:
    """Installs packages into an environment: with uv if available, since it is faster, else with pip."""

    def __init__(self, environment: Environment, held: IO[bytes]) -> None:
        self._environment = environment
        self._held = held
        self._log = os.path.join(SCRATCH, "log")
        # A person's own pip settings must not install the packages elsewhere.
        own = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        ways = {"uv": [self._uv], "pip": [self._pip], "": [self._uv, self._pip]}
        wanted = os.environ.get("PAPERS_INSTALLER", "")
        if wanted not in ways:
            raise SetupError(f"PAPERS_INSTALLER is {wanted!r}; it may be 'uv', 'pip' or unset.")
        self._ways = ways[wanted]
        self._variables = {**environment.variables(), **own, "UV_PYTHON_DOWNLOADS": "never"}

    def run(self) -> None:
        """Try each installer in turn. Raises SetupError with the last one's reason."""
        import venv

        failure: Exception = SetupError("")
        for way in self._ways:
            venv.create(self._environment.folder, clear=True, symlinks=not WINDOWS)
            try:
                way()
            except (SetupError, OSError) as error:
                # Go on: each installer has its own settings for index, proxy and certificates.
                failure = error
            else:
                return
        raise failure

    def _uv(self) -> None:
        import shutil

        uv = shutil.which("uv") or self._fetch_uv()
        # uv does not read pip's settings; most people behind a mirror have only those.
        if not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & os.environ.keys():
            self._variables.update(self._pip_setting("index-url", "UV_DEFAULT_INDEX"))
        if "SSL_CERT_FILE" not in os.environ:
            self._variables.update(self._pip_setting("cert", "SSL_CERT_FILE"))
        into = ("--python", self._environment.python)
        self._announce("uv")
        self._call(uv, "pip", "sync", *into, "--require-hashes", "--compile-bytecode", self._environment.lock)

    def _fetch_uv(self) -> str:
        import hashlib
        import shutil

        lock = os.path.join(ROOT, "requirements", "setup.lock")
        with open(lock, "rb") as content:
            home = os.path.join(SCRATCH, "uv-" + hashlib.sha256(content.read()).hexdigest()[:12])
        if not os.path.exists(home):
            say("Fetching the installer, uv")
            part = home + ".part"
            shutil.rmtree(part, ignore_errors=True)
            self._call(*self._find_pip(), "install", "--require-hashes", "--target", part, "-r", lock)
            os.replace(part, home)
        return os.path.join(home, "bin", "uv.exe" if WINDOWS else "uv")

    def _pip(self) -> None:
        pip = self._find_pip()
        self._announce("pip")
        into = [] if pip[0] == self._environment.python else ["--python", self._environment.python]
        self._call(*pip, *into, "install", "--require-hashes", "--no-deps", "-r", self._environment.lock)

    def _announce(self, installer: str) -> None:
        with open(self._environment.lock, encoding="utf-8") as lock:
            packages = sum("==" in line for line in lock)
        say(f"Fetching and installing {packages} packages with {installer}")

    def _find_pip(self) -> list[str]:
        """Give this Python's pip, else one created in the environment: Debian has either, both or none."""
        if self._ask(sys.executable, "-m", "pip", "--version") is not None:
            return [sys.executable, "-m", "pip"]
        if self._ask(self._environment.python, "-m", "ensurepip") is not None:
            return [self._environment.python, "-m", "pip"]
        return fail("this Python has no pip: install uv, or python3-pip on Debian and Ubuntu")

    def _pip_setting(self, name: str, variable: str) -> dict[str, str]:
        value = os.environ.get("PIP_" + name.upper().replace("-", "_"))
        value = value or self._ask(sys.executable, "-m", "pip", "config", "get", "global." + name)
        return {variable: value.strip()} if value else {}

    def _ask(self, *command: str) -> str | None:
        import subprocess

        done = subprocess.run(command, env=self._variables, capture_output=True, text=True, check=False)
        return None if done.returncode else done.stdout

    def _call(self, *command: str) -> None:
        import subprocess

        # The child holds the lock too: if this process is killed, the child may still be writing.
        held = () if WINDOWS else (self._held.fileno(),)
        with open(self._log, "w+", encoding="utf-8", errors="replace") as log:
            code = subprocess.call(
                command,
                env=self._variables,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=held,
            )
            log.seek(0)
            lines = [line.strip() for line in log if line.strip()]
        if code:
            faults = [line for line in lines if line.lower().startswith(("error", "caused by", "×"))]
            said = [f"{command[0]} gave no reason", *lines, *faults][-1].removeprefix("ERROR: ").rstrip(".")
            fail(f"the packages could not be installed: {said} (full log: {self._log})")


def fail(reason: str) -> NoReturn:
    """Raise SetupError with a reason that completes its sentence."""
    raise SetupError(f"Set-up failed: {reason}.")


def hold_lock() -> IO[bytes]:
    """Wait for this checkout's set-up lock; closing the file releases it, or the end of all processes that hold it."""
    import time

    held = open(os.path.join(SCRATCH, "lock"), "ab")  # noqa: SIM115 - the caller closes it
    if not is_taken(held):
        say("Waiting for another set-up to finish ...")
        while not is_taken(held):
            time.sleep(0.1)
    return held


def is_taken(held: IO[bytes]) -> bool:
    """Try to take the lock without waiting; return whether it was free."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(held.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def require_python() -> None:
    """Continue with a newer Python if this one is too old. Raises SetupError if there is none."""
    if sys.version_info[:2] >= OLDEST:
        return
    import shutil
    import subprocess

    probe = f"import sys; sys.exit(sys.version_info[:2] < {OLDEST})"
    for candidate in filter(None, map(shutil.which, NEWER)):
        # A name on PATH may be a stub for a Python that is not installed: run it.
        if subprocess.run([candidate, "-c", probe], capture_output=True, check=False).returncode == 0:
            become([candidate, *sys.argv], os.environ)
    here = "{}.{}".format(*sys.version_info)
    raise SetupError(f"Python 3.11 or newer is needed; this is {here}, and no newer one was found on PATH.")


def enter(name: str, lock: str) -> Environment:
    """Give the environment, ready to use; if that fails, print one sentence and exit with 1."""
    environment = Environment(name, lock)
    try:
        environment.ensure()
    except SetupError as error:
        say(str(error))
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        say("Set-up was interrupted; the next start begins again.")
        raise SystemExit(130) from None
    return environment


def become(command: Sequence[str], variables: Mapping[str, str]) -> None:
    """Replace this process by another program; on Windows run it and exit with its code."""
    sys.stdout.flush()
    sys.stderr.flush()
    if not WINDOWS:
        os.execve(command[0], list(command), dict(variables))
    import subprocess

    with subprocess.Popen(command, env=dict(variables)) as child:
        while True:
            try:
                raise SystemExit(child.wait())
            except KeyboardInterrupt:
                continue  # the child was interrupted too and ends by itself


def say(line: str) -> None:
    """Print a line to standard error; standard output belongs to the command itself."""
    print(line, file=sys.stderr, flush=True)
