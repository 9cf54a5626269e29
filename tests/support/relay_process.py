"""A relay as a process: it accepts every mail after a while, and writes down to whom each was, and its Message-ID.

    python -m tests.support.relay_process ADDRESS PORT FILE SECONDS

A line is written before the answer, so that no mail that a client knows to be accepted is missing.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

PLAIN = {b"DATA": b"354 go on", b"QUIT": b"221 good bye"}


class Conversation(asyncio.Protocol):
    """One connection."""

    def __init__(self, file: int, seconds: float) -> None:
        self._file, self._seconds = file, seconds
        self._got = b""
        self._to = ""
        self._in_text = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._say(b"220 relay")

    def data_received(self, data: bytes) -> None:
        self._got += data
        while self._text() if self._in_text else self._command():
            pass

    def _command(self) -> bool:
        line, found, rest = self._got.partition(b"\r\n")
        if not found:
            return False
        self._got, verb = rest, line[:4].upper()
        if verb == b"EHLO":
            self._say(b"250-relay\r\n250 PIPELINING")
        elif verb == b"RCPT":
            self._to = line.partition(b"<")[2].partition(b">")[0].decode()
            self._say(b"250 ok")
        else:
            self._say(PLAIN.get(verb, b"250 ok"))
        self._in_text = verb == b"DATA"
        if verb == b"QUIT":
            self._transport.close()
        return True

    def _text(self) -> bool:
        text, found, rest = self._got.partition(b"\r\n.\r\n")
        if not found:
            return False
        self._got, self._in_text = rest, False
        named = re.search(rb"(?im)^message-id:\s*(\S+)", text)
        os.write(self._file, f"{self._to} {named[1].decode() if named else ''}\n".encode())
        asyncio.get_running_loop().call_later(self._seconds, self._say, b"250 accepted")
        return True

    def _say(self, line: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(line + b"\r\n")


async def serve(address: str, port: int, file: Path, seconds: float) -> None:
    """Serve for ever."""
    opened = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    server = await asyncio.get_running_loop().create_server(lambda: Conversation(opened, seconds), address, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])))
