"""arXiv and Hugging Face in one local server: pages of papers, pictures, and whatever a server can do wrong.

    async with PaperServer() as server:
        server.add("/html/2511.00001", page())
        server.fault("/pdf/2511.00001", Fault.status(429, retry_after="60"))
        ...                                          # a client that reads server.url
        assert server.requests == ["/html/2511.00001"]

The pages are ours, written in the shape that LaTeXML gives to arXiv's.
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, ClassVar, Self

from aiohttp import web
from PIL import Image

MEGABYTE = 1 << 20
FILLER = "We measure how the length of a day changes what people read, and find that it does so only a little. "


@dataclass(frozen=True)
class Fault:
    """One way to misbehave. What it gets is the request, the good body and the end of the server."""

    answer: Callable[[web.Request, bytes, asyncio.Event], Awaitable[web.StreamResponse]]

    endless: ClassVar["Fault"]
    bomb: ClassVar["Fault"]
    hang: ClassVar["Fault"]
    drop: ClassVar["Fault"]

    @staticmethod
    def status(code: int, *, retry_after: str | None = None, **headers: str) -> "Fault":
        headers |= {"Retry-After": retry_after} if retry_after is not None else {}

        async def answer(request: web.Request, body: bytes, closing: asyncio.Event) -> web.StreamResponse:
            return web.Response(status=code, text="<h1>Not now</h1>", content_type="text/html", headers=headers)

        return Fault(answer)

    @staticmethod
    def redirect(to: str) -> "Fault":
        return Fault.status(302, Location=to)


async def _stream(
    request: web.Request, blocks: Iterator[bytes], closing: asyncio.Event, **headers: str
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/html", **headers})
    await response.prepare(request)
    try:
        for block in blocks:
            if closing.is_set():
                break
            await response.write(block)
    except ConnectionError:
        pass  # who has seen enough hangs up
    return response


async def _endless(request: web.Request, body: bytes, closing: asyncio.Event) -> web.StreamResponse:
    return await _stream(request, iter(lambda: body or b" " * MEGABYTE, None), closing)


async def _bomb(request: web.Request, body: bytes, closing: asyncio.Event) -> web.StreamResponse:
    squeeze = zlib.compressobj(wbits=31)
    small = b"".join([*(squeeze.compress(b" " * MEGABYTE) for _ in range(64)), squeeze.flush()])
    return await _stream(request, iter([small]), closing, **{"Content-Encoding": "gzip"})


async def _hang(request: web.Request, body: bytes, closing: asyncio.Event) -> web.StreamResponse:
    await closing.wait()
    return web.Response()


async def _drop(request: web.Request, body: bytes, closing: asyncio.Event) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_length = len(body) + 100
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


Fault.endless, Fault.bomb, Fault.hang, Fault.drop = Fault(_endless), Fault(_bomb), Fault(_hang), Fault(_drop)


class PaperServer:
    """Answers what was added, 404 to the rest, and misbehaves where it was told to; notes every request."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self._bodies: dict[str, tuple[bytes, str]] = {}
        self._faults: dict[str, Fault] = {}
        self._closing = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer, allow_head=False)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._closing.set()
        await self._runner.cleanup()

    def add(self, path: str, body: bytes | str, kind: str = "text/html") -> str:
        """Answer `path` with `body`; its address."""
        self._bodies[path] = (body.encode() if isinstance(body, str) else body, kind)
        return self.url + path

    def fault(self, path: str, fault: Fault | None) -> str:
        """Misbehave at `path`, or (None) no more; its address."""
        if fault is None:
            del self._faults[path]
        else:
            self._faults[path] = fault
        return self.url + path

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.path)
        self.headers.append(dict(request.headers))
        body, kind = self._bodies.get(request.path, (b"", ""))
        if fault := self._faults.get(request.path):
            return await fault.answer(request, body, self._closing)
        if not kind:
            return web.Response(status=404, text="<h1>No such paper</h1>", content_type="text/html")
        return web.Response(body=body, content_type=kind)


def section(title: str, number: int, text: str = FILLER * 5, *, tag: str = "section") -> str:
    return (
        f'<section id="S{number}" class="ltx_{tag}"><h2 class="ltx_title ltx_title_{tag}">'
        f'<span class="ltx_tag ltx_tag_{tag}">{number} </span>{title}</h2>'
        f'<div class="ltx_para" id="S{number}.p1"><p class="ltx_p">{text}</p></div></section>'
    )


def figure(source: str, caption: str, *, kind: str = "figure") -> str:
    return (
        f'<figure class="ltx_{kind}"><img src="{source}" class="ltx_graphics" width="598" alt="Refer to caption">'
        f'<figcaption class="ltx_caption"><span class="ltx_tag ltx_tag_{kind}">{kind.title()} 1: </span>{caption}'
        "</figcaption></figure>"
    )


def formula(tex: str) -> str:
    """A formula as LaTeXML writes it: its signs, its meaning and its TeX."""
    return (
        f'<math alttext="{tex}" class="ltx_Math" display="inline"><semantics><mrow><mi>GLYPH</mi></mrow>'
        f'<annotation-xml encoding="MathML-Content"><ci>MEANING</ci></annotation-xml>'
        f'<annotation encoding="application/x-tex">{tex}</annotation></semantics></math>'
    )


def page(*more: str, base: str | None = "/html/2511.00001v2/", body: str | None = None) -> str:
    """A whole paper. `more` stands between the introduction and the results; `body` in place of everything."""
    if body is None:
        body = (
            '<div class="ltx_abstract"><h6 class="ltx_title ltx_title_abstract">Abstract</h6>'
            f'<p class="ltx_p">We ask about days. {FILLER}</p></div>'
            + section("Introduction", 1)
            + "".join(more)
            + section("Experiments", 4)
            + section("Conclusion", 5)
            + '<section class="ltx_bibliography"><h2 class="ltx_title ltx_title_bibliography">References</h2>'
            '<ul class="ltx_biblist"><li class="ltx_bibitem">A. Author. Some cited book.</li></ul></section>'
            + section("Proofs", 6, f"Here is a proof. {FILLER}", tag="appendix")
        )
    return (
        "<!DOCTYPE html><html><head><title>Days and readers</title>"
        + (f'<base href="{base}">' if base else "")
        + "<style>.ltx { color: red }</style></head><body>"
        '<header class="desktop_header"><a href="/">Back to arXiv</a></header><nav class="ltx_page_navbar">MENU</nav>'
        '<div class="package-alerts ltx_document"><p>HTML conversions sometimes display errors.</p></div>'
        '<div class="ltx_page_main"><div class="ltx_page_content"><article class="ltx_document">'
        '<h1 class="ltx_title ltx_title_document">Days and readers</h1>'
        '<div class="ltx_authors"><span class="ltx_personname">Ada Example</span></div>'
        f"{body}</article></div><footer class='ltx_page_footer'>Generated by LaTeXML</footer></div>"
        "<script>var secret = '<p>SCRIPT</p>';</script></body></html>"
    )


def written_markdown() -> str:
    return (
        "---\ntitle: Days and readers\n---\n# Days and readers\n\n## Abstract\n\nWe ask about days.\n\n"
        f"## 1 Introduction\n\n{FILLER * 8}\n\n![Refer to caption](https://arxiv.org/html/2511.00001v1/x1.png)\n\n"
        f"### 1.1 What is new\n\nSee [the code](https://example.org/code). {FILLER}\n\n"
        "| a | b |\n|---|---|\n| CELL | 2 |\n\n```python\n# NOT A HEADING\n```\n\n"
        f"## 2 Experiments\n\n{FILLER * 10}\n\n"
        "## References\n\n[1] A. Author. Some cited book.\n\n## A Proofs\n\nA proof.\n"
    )


def printed(lines: list[str], **more: Any) -> bytes:
    """A PDF of one page with these lines, made by hand."""
    shown = (
        b"BT /F1 6 Tf 7 TL 20 780 Td " + b" ".join(b"(" + line.encode("latin-1") + b") '" for line in lines) + b" ET"
    )
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    body, places = bytearray(b"%PDF-1.4\n"), []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % place for place in places)
    body += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(body)


def printed_paper() -> bytes:
    text = [FILLER[:60].strip(), FILLER[60:].strip()] * 5
    lines = ["Days and readers", "Abstract", "We ask about days.", "1 Introduction", *text]
    lines += ["arXiv:2511.00001v1 [cs.CL]", "12 Rows of a table", "1.1 What is new", *text]
    lines += ["2 Experiments", *text, "3", "4 Conclusion of nothing", "3 Conclusion", *text]
    return printed([*lines, "References", "[1] A. Author. Some cited book.", "A Proofs", *text])


def picture(width: int = 640, height: int = 480, *, kind: str = "PNG", mode: str = "RGB", **more: Any) -> bytes:
    """A picture with some colours in it."""
    drawn = Image.linear_gradient("L").resize((width, height))
    drawn = Image.merge("RGB", (drawn, drawn.transpose(Image.Transpose.FLIP_TOP_BOTTOM), drawn)).convert(mode)
    body = BytesIO()
    drawn.save(body, kind, **more)
    return body.getvalue()
