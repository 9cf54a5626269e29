"""One picture for the README: an edition as a web page, on Telegram in Korean, and as an Arabic mail at night.

To draw it again: python -m tests.support.overview_picture docs/pictures/overview.webp
"""

from __future__ import annotations

import asyncio
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw

from bot.delivery.rendering import compose
from bot.model import Preferences, Style, Text
from bot.publishing.feed import sample
from tests.support import chat_pictures, mail_pictures, web_pictures
from tests.support.browser import chromium

HEIGHT = 720
"""Of each of the three, in pixels."""
GAP, RADIUS = 40, 14
BACKGROUND = (233, 226, 214)
IN_KOREAN = """
재귀적 멀티 에이전트 시스템
여러 에이전트가 반복해서 함께 생각하면서 글 대신 은닉 상태를 주고받는다.
팀은 더 정확해지고 실행 비용은 줄어든다.

DV-World: 실제 상황에서 데이터 시각화 에이전트 평가하기
사람들이 스프레드시트와 차트로 하는 작업 260가지를 초안부터 바뀌는 요구 사항까지 시험한다.
현재 가장 뛰어난 에이전트도 절반을 풀지 못한다.

데이터로 프로그래밍하기: 스스로 나아지는 LLM을 위한 테스트 주도 데이터 엔지니어링
학습 데이터를 프로그램처럼 다룬다.
모델이 틀린 답은 실패한 테스트이고, 그 원인이 된 데이터를 조금 고치는 것이 수정이다.

재생성으로 다듬기: 통합 멀티모달 모델의 이미지 개선
생성된 그림이 프롬프트와 어긋나면 고치는 대신 첫 그림을 길잡이 삼아 새로 그린다.
그 결과 프롬프트를 더 잘 따른다.

AutoResearchBench: 복잡한 과학 문헌 탐색으로 AI 에이전트 평가하기
에이전트에게 특정한 논문 한 편이나 조건에 맞는 논문 전부를 찾게 한다.
강력한 모델도 성공률이 10%에 못 미친다.
"""
"""Title and sentences of the sample's papers, in their order."""


async def web_page() -> bytes:
    """The first page on a laptop, in English."""
    async with chromium() as browser:
        taken = await web_pictures.shoot(browser, "en", 1200, "light", 1)
    return taken[0][1]


def phones() -> list[bytes]:
    """Telegram in Korean by day, and a mail in Arabic at night, on a phone."""
    edition = mail_pictures.pictured(sample.edition())
    with mail_pictures.window() as window:
        said = {
            ranked.paper.id: {
                Style.TRANSLATION: Text(
                    "", "ko", Style.TRANSLATION, {"title": title, "abstract": text.replace("\n", " ")}
                )
            }
            for ranked, written in zip(edition.papers, IN_KOREAN.strip().split("\n\n"), strict=True)
            for title, text in [written.split("\n", 1)]
        }
        wanted = Preferences(language="ko", style=Style.TRANSLATION)
        made = compose(edition, wanted, chat_pictures.channel("telegram", Path()), texts=said)
        assert made is not None
        chat = chat_pictures.shoot(window, chat_pictures.html_of(made, "ko", "light"), (393, 852), tall=False)
        html = mail_pictures.mail(edition, "ar", Style.HEADLINE).parts()["html"]
        mail_pictures.show(window, mail_pictures.with_picture(html), 393, "dark")
        window.set_viewport_size({"width": 393, "height": 852})
        return [chat, window.screenshot()]


def join(pictures: list[bytes]) -> Image.Image:
    """The pictures beside each other at one height, with round corners."""
    scaled = []
    for content in pictures:
        picture = Image.open(BytesIO(content)).convert("RGB")
        width = round(picture.width * HEIGHT / picture.height)
        scaled.append(picture.resize((width, HEIGHT), Image.Resampling.LANCZOS))
    width = sum(each.width for each in scaled) + GAP * (len(scaled) + 1)
    joined = Image.new("RGB", (width, HEIGHT + 2 * GAP), BACKGROUND)
    left = GAP
    for each in scaled:
        corners = Image.new("L", each.size)
        ImageDraw.Draw(corners).rounded_rectangle((0, 0, *each.size), RADIUS, fill=255)
        joined.paste(each, (left, GAP), corners)
        left += each.width + GAP
    return joined


def main(path: Path) -> None:
    join([asyncio.run(web_page()), *phones()]).save(path, quality=82, method=6)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
