"""Git as a subprocess: commits the files of an edition and pushes them to the branch's upstream.

Only the named paths are added and committed, whatever else is changed or staged.
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
"""Seconds before a git command is taken to hang, at a hidden prompt or a server that does not answer."""

TERMINATE_SECONDS = 3.0
"""Seconds between SIGTERM and SIGKILL."""
_OURS = Path(__file__).resolve().parents[2]
"""The checkout that this program runs from, into which a site is never committed."""
_SECRET = re.compile(r"//[^@/\s]+@")


class GitError(Exception):
    """A git command failed; the message is git's own, one line, without passwords."""


@dataclass(frozen=True, slots=True)
class Git:
    """The repository around a folder; `author` of commits is "Ada" or "Ada <ada@example.org>"."""

    folder: Path
    author: str
    seconds: float = SECONDS
    _environ: Mapping[str, str] = field(default_factory=lambda: _environment(os.environ))

    async def fault(self, *, push: bool) -> str | None:
        """Why the folder cannot be committed to (or pushed from), as a clause for operators; None if it can."""
        try:
            root = Path(await self._run("rev-parse", "--show-toplevel"))
            if root == _OURS:
                return f"{self.folder} is in the checkout of this program, where a site does not belong"
            if await self._succeeds("check-ignore", "--quiet", str(self.folder)):
                return f"the repository {root} ignores {self.folder}"
            branch = await self._run("symbolic-ref", "--short", "HEAD")
        except GitError as error:
            return f"{self.folder} cannot be committed to: {error}"
        if not os.access(root / ".git", os.W_OK):
            return f"the repository {root} cannot be written to"
        if push and not await self._succeeds("rev-parse", "--verify", "--quiet", "@{upstream}"):
            return f"the branch {branch} of {root} has no upstream; push it once with `git push -u`"
        return None

    async def commit(self, paths: Sequence[str], message: str) -> bool:
        """Commit `paths`, relative to the folder, and nothing else. Returns whether any changed. Raises GitError."""
        if (why := await self.fault(push=False)) is not None:
            raise GitError(why)
        if not await self._run("status", "--porcelain", "--untracked-files=all", "--", *paths):
            return False
        await self._run("add", "--", *paths)
        await self._run("commit", "--quiet", "--only", "-m", message, "--", *paths)
        return True

    async def push(self) -> bool:
        """Push to the upstream, rebasing once if it has moved on. Returns whether there was anything to push.

        Raises GitError, with all commits kept and no rebase in progress.
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
        except BaseException:  # cancelled too: an unfinished rebase would block every later edition
            with suppress(GitError):
                await asyncio.shield(self._run("rebase", "--abort"))
            raise

    async def _count(self, commits: str) -> int:
        return int(await self._run("rev-list", "--count", commits))

    async def _succeeds(self, *words: str) -> bool:
        """Whether a git command succeeds."""
        try:
            await self._run(*words)
        except GitError:
            return False
        return True

    async def _run(self, *words: str) -> str:
        """Run a git command. Returns its stripped output. Raises GitError if it fails, is missing or times out."""
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
                start_new_session=True,  # so that git's own children can be stopped with it
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
                await _terminate(process)
        if process.returncode:
            raise GitError(f"git {_verb(words)}: {_last_line(err) or f'exit code {process.returncode}'}")
        return out.decode("utf-8", "replace").strip()


async def _terminate(process: asyncio.subprocess.Process) -> None:
    """Stop git and its children: SIGTERM first, so that it removes its lock files."""
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
    """Git's environment: no inherited GIT_DIR, no prompts, messages in English."""
    kept = {name: value for name, value in environ.items() if not name.startswith("GIT_") or name.startswith("GIT_SSH")}
    return kept | {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true", "LC_ALL": "C.UTF-8", "LANGUAGE": "C"}


def _identity(author: str) -> tuple[str, str]:
    """Name and address for commits; morning-papers@localhost where no address was given."""
    found = re.fullmatch(r"\s*([^<>]*?)\s*<([^<>\s]+)>\s*", author)
    name = found[1] if found else author
    name = " ".join(re.sub(r"[<>\x00-\x1f]", " ", name).split()) or "Morning Papers"
    return name, found[2] if found else "morning-papers@localhost"


def _verb(words: Sequence[str]) -> str:
    return next(word for word in words if not word.startswith("-") and "=" not in word)


def _last_line(err: bytes) -> str:
    """The first line of git's stderr that names an error, else its first line that is not a hint."""
    lines = [line.strip() for line in err.decode("utf-8", "replace").splitlines()]
    said = [line for line in lines if line and not line.startswith("hint:")]
    errors = [line for line in said if re.match(r"(?:fatal|error):| ?! \[", line)]
    return _SECRET.sub("//", (errors or said or [""])[0])
