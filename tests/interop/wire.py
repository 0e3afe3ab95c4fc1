"""The two doors of the server as `docs/protocol.md` tells them: HTTP with problems, and one WebSocket line."""

import asyncio
import contextlib
import json
import urllib.error
import urllib.request
import uuid
from typing import Any, Callable

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

PATIENCE_S = 20


class Refused(Exception):
    """An RFC 9457 problem."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(f"{problem['status']} {problem['code']}")
        self.code = problem["code"]


class Http:
    def __init__(self, url: str, token: str | None = None) -> None:
        self.url, self.token = url, token

    def _call(self, method: str, path: str, body: Any) -> Any:
        request = urllib.request.Request(f"{self.url}/api/v1{path}", method=method)
        request.add_header("idempotency-key", uuid.uuid4().hex)
        if self.token:
            request.add_header("authorization", f"Bearer {self.token}")
        if body is not None:
            request.add_header("content-type", "application/json")
            request.data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as e:
            raise Refused(json.load(e)) from None

    async def get(self, path: str) -> Any:
        return await asyncio.to_thread(self._call, "GET", path, None)

    async def post(self, path: str, body: Any = None) -> Any:
        return await asyncio.to_thread(self._call, "POST", path, body if body is not None else {})


class Line:
    """Frames that nobody has waited for yet are kept in order."""

    @classmethod
    async def open(cls, http: Http) -> "Line":
        self = cls()
        ticket = (await http.post("/ws-tickets"))["ticket"]
        url = http.url.replace("http", "ws", 1) + "/ws"
        self.socket = await connect(url, subprotocols=["cloud-booth.v1", f"ticket.{ticket}"], max_size=1 << 20)
        self.frames: list[dict[str, Any]] = []
        self.heard = asyncio.Condition()
        self.reader = asyncio.create_task(self._read())
        await self.send(type="hello", versions=[1], language="en", client="aiortc")
        await self.until(lambda f: f["type"] == "welcome")
        return self

    async def _read(self) -> None:
        # However it ends: who waits for a frame that does not come says so.
        with contextlib.suppress(ConnectionClosed):
            async for text in self.socket:
                frame = json.loads(text)
                if frame["type"] == "ping":
                    await self.send(type="pong", n=frame["n"])
                    continue
                async with self.heard:
                    self.frames.append(frame)
                    self.heard.notify_all()

    async def send(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        def take() -> dict[str, Any] | None:
            for i, frame in enumerate(self.frames):
                if wanted(frame):
                    return self.frames.pop(i)
            return None

        async with asyncio.timeout(PATIENCE_S), self.heard:
            while (frame := take()) is None:
                await self.heard.wait()
            return frame

    async def command(self, **command: Any) -> dict[str, Any]:
        key = uuid.uuid4().hex
        await self.send(type="command", id=key, command=command)
        reply = await self.until(lambda f: f["type"] == "reply" and f["id"] == key)
        if "problem" in reply:
            raise Refused(reply["problem"])
        return reply["ok"]

    async def close(self) -> None:
        await self.socket.close()
        await self.reader


async def citizen(url: str, hall: str) -> tuple[Http, Line, str]:
    """Somebody on a phone who has taken a number: their doors and their ticket."""
    visit = await Http(url).post("/visits", {"channel": "phone", "hall": hall})
    http = Http(url, visit["access_token"])
    line = await Line.open(http)
    ticket = await http.post("/tickets", {})
    await line.send(type="watch_ticket", ticket=ticket["id"])
    return http, line, ticket["id"]


class Agent:
    """Somebody at a seat of the general desk, ready."""

    def __init__(self, http: Http, line: Line, seat: str, hall: str) -> None:
        self.http, self.line, self.seat, self.hall = http, line, seat, hall

    @classmethod
    async def sit(cls, url: str, account: str, password: str) -> "Agent":
        login = await Http(url).post("/auth/login", {"account": account, "password": password})
        http = Http(url, login["access_token"])
        seats = (await http.get("/seats"))["items"]
        seat = next(s["id"] for s in seats if s["state"] == "offline")
        await http.post(f"/seats/{seat}/open", {"skills": ["general"]})
        line = await Line.open(http)
        await line.send(type="watch_seat", seat=seat)
        return cls(http, line, seat, login["staff"]["hall"])

    async def rung(self) -> dict[str, Any]:
        frame = await self.line.until(lambda f: f["type"] == "seat" and f["seat"].get("offer") is not None)
        return frame["seat"]["offer"]

    async def accept(self, offer: dict[str, Any]) -> str:
        session = (await self.http.post(f"/pairings/{offer['pairing']}/accept"))["session"]
        await self.line.command(kind="join", session=session)
        return session

    async def finish(self, session: str) -> None:
        try:
            await self.http.post(f"/sessions/{session}/end", {"reason": "finished"})
        except Refused as e:
            if e.code != "session_ended":
                raise
        await self.http.post(f"/sessions/{session}/wrap-up", {"disposition": "answered"})
        # What was told of this call is not taken for the next.
        self.line.frames.clear()
