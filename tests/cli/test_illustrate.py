"""`papers illustrate`: the pictures of an edition, drawn now, once."""

from __future__ import annotations

from pathlib import Path

from tests.support.papers_program import Papers


async def test_the_latest_edition_gets_its_pictures_once(papers: Papers, tmp_path: Path) -> None:
    before = await papers("illustrate", "--language", "ko")
    assert before.code == 1
    assert "There is no edition yet" in before.err
    assert (await papers("publish", "--date", "2025-11-03")).code == 0
    drawn = await papers("illustrate", "--language", "ko")
    assert (drawn.code, drawn.err) == (0, "")
    assert drawn.out == "2025-11-03: 4 pictures drawn, 0 were there.\n"
    made = sorted(path.name.split(".")[0] for path in (tmp_path / "media" / "2025-11-03" / "ko").iterdir())
    assert made == ["card", "poster"]
    assert (await papers("illustrate", "--language", "ko")).out.endswith("0 pictures drawn, 4 were there.\n")
    again = await papers("illustrate", "--date", "2025-11-03", "--language", "ko", "--force")
    assert again.out.endswith("4 pictures drawn, 0 were there.\n")
    wrong = await papers("illustrate", "--language", "xx")
    assert wrong.code == 2
