"""Git: editions are committed and pushed, and nothing else in the repository is touched."""

import os
from pathlib import Path

import pytest

from bot.channel import Deferred, Sent
from channels.site import git
from channels.site.channel import Site
from channels.site.git import Git, GitError
from tests.support.pages import page, paper
from tests.support.site_channel import PERSONAL, contents, opened, run_git


@pytest.fixture
def remote(tmp_path: Path, blog: Path) -> Path:
    """A bare repository, and a clone of it around the site's folder with one commit and somebody's own files."""
    bare = tmp_path / "remote.git"
    run_git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    blog.mkdir(parents=True)
    run_git(blog, "init", "--quiet", "--initial-branch=main")
    (blog / "README").write_text("mine\n")
    run_git(blog, "add", "README")
    run_git(blog, "commit", "--quiet", "-m", "first")
    run_git(blog, "remote", "add", "origin", str(bare))
    run_git(blog, "push", "--quiet", "-u", "origin", "main")
    return bare


def commits(folder: Path, name: str = "HEAD") -> list[str]:
    return run_git(folder, "log", "--format=%an <%ae> %s", name).splitlines()


async def test_each_edition_becomes_one_commit_of_its_own_files(tmp_path: Path, blog: Path, remote: Path) -> None:
    channel = opened(tmp_path, SITE_GIT="commit", SITE_AUTHOR="Ada <ada@lab.example>")
    (blog / "README").write_text("changed by somebody\n")
    (blog / "draft").write_text("staged by somebody\n")
    (blog / "notes").write_text("not known to git\n")
    run_git(blog, "add", "draft")
    for _ in range(2):
        assert isinstance(await channel.send("blog", channel.compose(page(paper())), PERSONAL), Sent)
    assert commits(blog)[:-1] == ["Ada <ada@lab.example> Papers of 2026-04-29"]
    assert set(run_git(blog, "show", "--name-only", "--format=").splitlines()) == {
        name for name in contents(blog) if name not in {"README", "draft", "notes"}
    }
    assert run_git(blog, "status", "--porcelain").splitlines() == ["M README", "A  draft", "?? notes"]
    assert len(commits(remote, "main")) == 1


async def test_a_push_includes_commits_that_were_not_pushed_before(tmp_path: Path, blog: Path, remote: Path) -> None:
    kept = opened(tmp_path, SITE_GIT="commit")
    await kept.send("blog", kept.compose(page(paper())), PERSONAL)
    pushed = opened(tmp_path, SITE_GIT="push")
    assert isinstance(await pushed.send("blog", pushed.compose(page(paper())), PERSONAL), Sent)
    assert commits(remote, "main")[0].endswith("Papers of 2026-04-29")
    assert isinstance(await pushed.send("blog", pushed.compose(page(paper())), PERSONAL), Sent)
    assert len(commits(remote, "main")) == 2


def move_on(tmp_path: Path, remote: Path, name: str, text: str) -> None:
    """Somebody else pushes a file from elsewhere."""
    elsewhere = tmp_path / f"elsewhere-{name.replace('/', '-')}"
    run_git(tmp_path, "clone", "--quiet", str(remote), str(elsewhere))
    (elsewhere / name).parent.mkdir(parents=True, exist_ok=True)
    (elsewhere / name).write_text(text)
    run_git(elsewhere, "add", name)
    run_git(elsewhere, "commit", "--quiet", "-m", f"somebody's {name}")
    run_git(elsewhere, "push", "--quiet")


async def test_a_branch_behind_its_upstream_is_rebased_once(tmp_path: Path, blog: Path, remote: Path) -> None:
    channel = opened(tmp_path, SITE_GIT="push")
    move_on(tmp_path, remote, "theirs", "x\n")
    (blog / "notes").write_text("not known to git\n")
    assert isinstance(await channel.send("blog", channel.compose(page(paper())), PERSONAL), Sent)
    assert [line.split("> ")[1] for line in commits(remote, "main")] == [
        "Papers of 2026-04-29", "somebody's theirs", "first",
    ]  # fmt: skip
    assert (blog / "notes").read_text() == "not known to git\n"


async def test_a_rebase_conflict_defers_and_keeps_the_files(tmp_path: Path, blog: Path, remote: Path) -> None:
    channel = opened(tmp_path, SITE_GIT="push")
    move_on(tmp_path, remote, "index.md", "theirs\n")
    outcome = await channel.send("blog", channel.compose(page(paper())), PERSONAL)
    assert isinstance(outcome, Deferred)
    assert outcome.scope == "recipient"
    assert outcome.reason.startswith("git rebase: ")
    assert "2026-04-29" in (blog / "index.md").read_text()
    assert not (blog / ".git" / "rebase-merge").exists()
    assert commits(blog)[0].endswith("Papers of 2026-04-29")


async def test_uncommitted_changes_survive_a_refused_rebase(tmp_path: Path, blog: Path, remote: Path) -> None:
    channel = opened(tmp_path, SITE_GIT="push")
    move_on(tmp_path, remote, "theirs", "x\n")
    (blog / "README").write_text("changed by somebody\n")
    outcome = await channel.send("blog", channel.compose(page(paper())), PERSONAL)
    assert isinstance(outcome, Deferred)
    assert (blog / "README").read_text() == "changed by somebody\n"
    assert run_git(blog, "status", "--porcelain").strip() == "M README"


def move(folder: Path, elsewhere: Path) -> None:
    folder.rename(elsewhere)


async def test_an_unreachable_remote_defers_and_is_pushed_to_later(tmp_path: Path, blog: Path, remote: Path) -> None:
    channel = opened(tmp_path, SITE_GIT="push")
    move(remote, tmp_path / "away")
    outcome = await channel.send("blog", channel.compose(page(paper())), PERSONAL)
    assert isinstance(outcome, Deferred)
    assert outcome.scope == "recipient"
    assert (blog / "2026-04-29.html").is_file()
    move(tmp_path / "away", remote)
    assert isinstance(await channel.send("blog", channel.compose(page(paper())), PERSONAL), Sent)
    assert len(commits(remote, "main")) == 2


async def test_the_doctor_reports_the_repository(tmp_path: Path, blog: Path, remote: Path) -> None:
    async def says(channel: Site) -> str:
        found = await channel.check()
        assert [finding.ok for finding in found[:-1]] == [True] * (len(found) - 1)
        return f"{found[-1].ok}: {found[-1].says}"

    channel = opened(tmp_path, SITE_GIT="push")
    channel.write(blog, channel.compose(page(paper())))
    assert (await says(channel)).startswith("True: each edition in ")
    run_git(blog, "branch", "--unset-upstream")
    assert "has no upstream" in await says(channel)
    assert (await says(opened(tmp_path, SITE_GIT="commit"))).startswith("True")
    run_git(blog, "checkout", "--quiet", "--detach")
    assert "HEAD is not a symbolic ref" in await says(channel)
    outside = opened(tmp_path / "outside", SITE_GIT="commit")
    assert "not a git repository" in await says(outside)
    (blog / ".gitignore").write_text("lab/\n")
    run_git(blog, "checkout", "--quiet", "main")
    ignored = opened(tmp_path, SITE_GIT="commit", SITE_DIR=str(blog / "lab"))
    assert "ignores" in await says(ignored)


async def test_a_site_in_the_programs_own_checkout_is_not_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_git(tmp_path, "init", "--quiet")
    monkeypatch.setattr(git, "_OURS", tmp_path)
    channel = opened(tmp_path, SITE_GIT="commit")
    outcome = await channel.send("blog", channel.compose(page(paper())), PERSONAL)
    assert isinstance(outcome, Deferred)
    assert "where a site does not belong" in outcome.reason


async def test_a_hanging_git_is_terminated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nsleep 60 &\nwait\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    with pytest.raises(GitError, match="took longer than"):
        await Git(tmp_path, "Ada", seconds=0.2).commit(["x"], "y")


async def test_a_machine_without_git_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git cannot be run"):
        await Git(tmp_path, "Ada").commit(["x"], "y")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"hint: x\nfatal: unable to access 'https://ada:t0ken@git.example/x'\nhint: y\n", "t0ken"),
        (
            b"remote: no\n ! [remote rejected] main -> main (hook declined)\nerror: failed to push some refs\n",
            "remote:",
        ),
    ],
)
def test_a_git_error_is_one_line_without_passwords(said: bytes, told: str) -> None:
    line = git._last_line(said)
    assert line
    assert told not in line
    assert "\n" not in line
