"""A stop has a deadline, whatever hangs."""

import subprocess
import sys

STUCK = """
import asyncio, os, signal, threading
from bot.runtime import logs, stopping

async def deaf():
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass

async def main():
    logs.configure("text")
    stop = asyncio.Event()
    stopping.stop_on_signals(stop, 0.05)
    task = asyncio.create_task(deaf(), name="the deaf one")
    os.kill(os.getpid(), signal.SIGTERM)
    await stop.wait()
    threading.Thread(target=threading.Event().wait).start()

asyncio.run(main())
"""


def test_a_process_whose_parts_hang_is_ended_and_says_what_hung() -> None:
    ended = subprocess.run([sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert "stopping took too long" in ended.stderr
    assert "the deaf one" in ended.stderr
