"""The lobby over a bare WebSocket: pip install websockets, python3 python_websockets.py"""
import asyncio
import os

import websockets

SERVER = os.environ.get("WENZHEN_URL", "http://localhost:8080")


async def main():
    async with websockets.connect(SERVER.replace("http", "ws", 1) + "/chat?nickname=python") as chat:
        await chat.send("hello from python")
        async for line in chat:
            print(line)
            if line == "python: hello from python":
                return  # it has been delivered


asyncio.run(main())
