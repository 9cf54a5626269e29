"""Git, run as a process of its own: what was written becomes a commit, and goes to where the repository says.

Nothing but the named paths is added or committed, whatever else lies changed or staged beside them.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 60.0
"""A git that takes longer hangs: at a prompt that nobody sees, or at a server that does not answer."""

TERMINATE_SECONDS = 3.0
"""Seconds that git has to end by itself before it is killed."""
_OURS = Path(__file__).resolve().parents[2]
"""The checkout that this program runs from, which is nobody's site."""
_SECRET = re.compile(r"//[^@/\s]+@")


class GitError(Exception):
    """Git could not do it; the message is what it said, in one line and without passwords."""


@dataclass(frozen=True, slots=True)
class Git:
    """The repository around a folder, committed to in `author`'s name ("Ada" or "Ada <ada@example.org>")."""

    folder: Path
    author: str
    seconds: float = SECONDS
    _environ: Mapping[str, str] = field(default_factory=lambda: _environment(os.environ))

    async def fault(self, *, push: bool) -> str | None:
        """Why this is no repository to commit to (and to push from), in one clause; None where it is one."""
        try:
            root = Path(await self._run("rev-parse", "--show-toplevel"))
            if root == _OURS:
                return f"{self.folder} is in the checkout of this program, which is not ours to commit to"
            if await self._says("check-ignore", "--quiet", str(self.folder)):
                return f"the repository {root} ignores {self.folder}"
            branch = await self._run("symbolic-ref", "--short", "HEAD")
        except GitError as error:
            return f"{self.folder} cannot be committed to: {error}"
        if not os.access(root / ".git", os.W_OK):
            return f"the repository {root} cannot be written to"
        if push and not await self._says("rev-parse", "--verify", "--quiet", "@{upstream}"):
            return f"the branch {branch} of {root} has no upstream; push it once with `git push -u`"
        return None

    async def commit(self, paths: Sequence[str], message: str) -> bool:
        """Commit these paths as they are, and nothing else; whether there was anything to commit. Raises GitError."""
        if (why := await self.fault(push=False)) is not None:
            raise GitError(why)
        if not await self._run("status", "--porcelain", "--untracked-files=all", "--", *paths):
            return False
        await self._run("add", "--", *paths)
        await self._run("commit", "--quiet", "--only", "-m", message, "--", *paths)
        return True

    async def push(self) -> bool:
        """Push what the upstream lacks, after one rebase where it has moved on; whether there was any.

        Raises GitError; then nothing is lost, and no rebase is left half done.
        """
        if (why := await self.fault(push=True)) is not None:
            raise GitError(why)
        if not await self._count("@{upstream}..HEAD"):
            return False
        try:
            await self._push()
        except GitError as refused:
            await self._run("fetch", "--quiet")
            if not await self._count("HEAD..@{upstream}"):
                raise refused from None
            await self._rebase()
            await self._push()
        return True

    async def _push(self) -> None:
        await self._run("-c", "push.default=upstream", "push", "--quiet")

    async def _rebase(self) -> None:
        try:
            await self._run("rebase", "--quiet", "@{upstream}")
        except BaseException:  # cut off as well: a rebase that is left half done would stop every later edition
            with suppress(GitError):
                await asyncio.shield(self._run("rebase", "--abort"))
            raise

    async def _count(self, commits: str) -> int:
        return int(await self._run("rev-list", "--count", commits))

    async def _says(self, *words: str) -> bool:
        """Whether git answers a question with yes."""
        try:
            await self._run(*words)
        except GitError:
            return False
        return True

    async def _run(self, *words: str) -> str:
        """What git printed. Raises GitError where it failed, was not there, or took too long."""
        name, email = _identity(self.author)
        given = ["-c", f"user.name={name}", "-c", f"user.email={email}", "-c", "commit.gpgSign=false"]
        try:
            process = await asyncio.create_subprocess_exec(
                "git",
                *given,
                *words,
                cwd=self.folder,
                env=self._environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,  # what git itself started ends with it
            )
        except OSError as error:
            raise GitError(f"git cannot be run ({error.strerror or error})") from error
        try:
            async with asyncio.timeout(self.seconds):
                out, err = await process.communicate()
        except TimeoutError:
            raise GitError(f"git {_verb(words)} took longer than {self.seconds:.0f} seconds") from None
        finally:
            if process.returncode is None:
                await _end(process)
        if process.returncode:
            raise GitError(f"git {_verb(words)}: {_last_line(err) or f'exit code {process.returncode}'}")
        return out.decode("utf-8", "replace").strip()


async def _end(process: asyncio.subprocess.Process) -> None:
    """End git and what it started: kindly first, so that it takes its lock files with it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        async with asyncio.timeout(TERMINATE_SECONDS):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Git's surroundings: no repository named from outside, no question to anybody, no translated answers."""
    kept = {name: value for name, value in environ.items() if not name.startswith("GIT_") or name.startswith("GIT_SSH")}
    return kept | {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true", "LC_ALL": "C.UTF-8", "LANGUAGE": "C"}


def _identity(author: str) -> tuple[str, str]:
    """A name and an address for commits; one that cannot be reached where none was given."""
    found = re.fullmatch(r"\s*([^<>]*?)\s*<([^<>\s]+)>\s*", author)
    name = found[1] if found else author
    name = " ".join(re.sub(r"[<>\x00-\x1f]", " ", name).split()) or "Morning Papers"
    return name, found[2] if found else "morning-papers@localhost"


def _verb(words: Sequence[str]) -> str:
    return next(word for word in words if not word.startswith("-") and "=" not in word)


def _last_line(err: bytes) -> str:
    """The line of git's complaint that says why: the last that is no hint."""
    lines = [line.strip() for line in err.decode("utf-8", "replace").splitlines()]
    said = [line for line in lines if line and not line.startswith("hint:")]
    alerting = [line for line in said if re.match(r"(?:fatal|error):| ?! \[", line)]
    return _SECRET.sub("//", (alerting or said or [""])[0])
