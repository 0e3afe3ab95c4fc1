"""Calls between aiortc and the server, over the same signaling as any page: what one publishes, another decodes."""

import asyncio
import json
import pathlib
import sys
import tempfile
import time

import files
import server
from peer import AGENT, CITIZEN, Peer
from server import Server, binary
from wire import PATIENCE_S, Agent, Line, Refused, citizen


def say(text: str) -> None:
    print(f"  {text}", flush=True)


async def both_ways(url: str, agent: Agent) -> None:
    """Citizen and agent are aiortc; then the agent comes anew with another connection and is shown a keyframe."""
    _, line, ticket = await citizen(url, agent.hall)
    mine, theirs = Peer(CITIZEN), Peer(AGENT)
    await mine.enter(line, ticket)
    offer = await agent.rung()
    await theirs.enter(agent.line, ticket)
    session = await agent.accept(offer)
    await line.command(kind="join", session=session)
    await asyncio.gather(mine.decodes(AGENT), theirs.decodes(CITIZEN))
    assert mine.seen.size == theirs.seen.size == (320, 240), (mine.seen.size, theirs.seen.size)
    say(f"VP8 and Opus, both ways: {len(mine.seen.frames)} and {len(theirs.seen.frames)} frames decoded")

    again = Peer(AGENT)
    began = time.monotonic()
    await again.enter(agent.line, ticket)
    await again.decodes(CITIZEN, frames=5)
    say(f"a connection that comes later: first frame after {(again.seen.frames[0][0] - began) * 1000:.0f} ms")
    await over(agent, line, session, mine, theirs, again)


async def headless(url: str, agent: Agent) -> None:
    """`booth call` plays files that real encoders made; aiortc decodes them, and is heard."""
    with tempfile.TemporaryDirectory() as folder:
        # Encoding beside the line, which must answer its heartbeat meanwhile.
        video, audio = await asyncio.to_thread(files.write, CITIZEN, pathlib.Path(folder))
        call = await asyncio.create_subprocess_exec(
            binary("booth"), "call", "--json", "--server", url, "--hall", agent.hall, "--seconds", "6",
            "--video", video, "--audio", audio, stdout=asyncio.subprocess.PIPE,
        )
        try:
            offer = await agent.rung()
            peer = Peer(AGENT)
            await peer.enter(agent.line, offer["ticket"])
            session = await agent.accept(offer)
            await peer.decodes(CITIZEN)
            out, _ = await asyncio.wait_for(call.communicate(), PATIENCE_S * 2)
        except BaseException:
            if call.returncode is None:
                call.terminate()
            print("the call said:", (await call.communicate())[0].decode(), file=sys.stderr)
            raise
    said = json.loads(out)
    assert call.returncode == 0 and said["outcome"] == "ok", said
    assert said["video_in"]["frames"] > 30 and said["video_in"]["keyframes"] >= 1, said
    say(
        f"booth call: {len(peer.seen.frames)} frames decoded here; there first sound {said['accept_to_audio_ms']} ms "
        f"and first keyframe {said['accept_to_keyframe_ms']} ms after the accept"
    )
    await peer.close()
    await agent.finish(session)


async def beside_h264(url: str, agent: Agent, video: str) -> tuple[Peer, Peer, Line, str, str]:
    """A citizen who speaks H.264 alone is in the room; an agent's peer of this codec is about to enter. With the ticket and the session."""
    _, line, ticket = await citizen(url, agent.hall)
    mine, theirs = Peer(CITIZEN, "video/H264"), Peer(AGENT, video)
    offer = await agent.rung()
    session = await agent.accept(offer)
    await line.command(kind="join", session=session)
    await mine.enter(line, ticket)
    return mine, theirs, line, ticket, session


async def over(agent: Agent, line: Line, session: str, *peers: Peer) -> None:
    await asyncio.gather(*(peer.close() for peer in peers))
    await agent.finish(session)
    await line.close()


async def h264(url: str, agent: Agent) -> None:
    """A room whose both sides speak H.264 alone is one of H.264."""
    mine, theirs, line, ticket, session = await beside_h264(url, agent, "video/H264")
    await theirs.enter(agent.line, ticket)
    await asyncio.gather(mine.decodes(AGENT), theirs.decodes(CITIZEN))
    say(f"H.264 and Opus, both ways: {len(mine.seen.frames)} and {len(theirs.seen.frames)} frames decoded")
    await over(agent, line, session, mine, theirs)


async def no_common_codec(url: str, agent: Agent) -> None:
    """Who decodes nothing of what the room speaks is told which codec it would take."""
    mine, theirs, line, ticket, session = await beside_h264(url, agent, "video/VP8")
    try:
        await theirs.enter(agent.line, ticket)
    except Refused as e:
        assert e.code == "codec_unsupported", e
    else:
        raise AssertionError("a peer of VP8 alone was let into a room of H.264 alone")
    say("H.264 beside VP8: refused, and told why (codec_unsupported)")
    await over(agent, line, session, mine, theirs)


async def main() -> None:
    with Server() as running:
        agent = await Agent.sit(running.url, "agent1", server.PASSWORD)
        for scene in (both_ways, headless, h264, no_common_codec):
            await scene(running.url, agent)
        await agent.line.close()


if __name__ == "__main__":
    began = time.monotonic()
    asyncio.run(main())
    say(f"passed in {time.monotonic() - began:.0f} s")
    sys.exit(0)
