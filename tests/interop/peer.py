"""One aiortc peer: publishes a coloured picture and a tone, decodes what comes, and can say whose it is."""

import array
import asyncio
import math
import time

import aioice.ice
from aiortc import (
    AudioStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame

from wire import PATIENCE_S, Line

# The server of the test is on loopback, which the library leaves out by itself.
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]

WIDTH, HEIGHT = 320, 240
RECEIVE_PAIRS = 4
RATE = 8_000
# A decoded picture is not exactly what went in.
COLOUR_WITHIN, TONE_WITHIN_HZ = 12, 40


class Mark:
    """What one peer looks and sounds like."""

    def __init__(self, u: int, v: int, hz: int) -> None:
        self.u, self.v, self.hz = u, v, hz

    def picture(self, n: int) -> VideoFrame:
        """Grey that moves, under a colour that stays."""
        frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane, value in zip(frame.planes, (64 + n * 2 % 128, self.u, self.v)):
            plane.update(bytes([value]) * plane.buffer_size)
        return frame

    def sound(self, first: int, samples: int, rate: int) -> bytes:
        step = 2 * math.pi * self.hz / rate
        return array.array("h", (int(12_000 * math.sin(step * (first + i))) for i in range(samples))).tobytes()


CITIZEN = Mark(u=70, v=190, hz=440)
AGENT = Mark(u=190, v=80, hz=1_000)


class Picture(VideoStreamTrack):
    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark, self.n = mark, 0

    async def recv(self) -> VideoFrame:
        pts, base = await self.next_timestamp()
        frame = self.mark.picture(self.n)
        frame.pts, frame.time_base = pts, base
        self.n += 1
        return frame


class Tone(AudioStreamTrack):
    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark, self.first = mark, 0

    async def recv(self) -> AudioFrame:
        frame = await super().recv()
        frame.planes[0].update(self.mark.sound(self.first, frame.samples, frame.sample_rate))
        self.first += frame.samples
        return frame


class Seen:
    """What was decoded so far, and of what mark."""

    def __init__(self) -> None:
        self.frames: list[tuple[float, int, int]] = []
        self.size = (0, 0)
        self.samples = array.array("h")
        self.rate = 0
        self.sound_frames = 0

    def picture(self, frame: VideoFrame) -> None:
        middle = [bytes(p)[p.buffer_size // 2] for p in frame.planes]
        self.size = (frame.width, frame.height)
        self.frames.append((time.monotonic(), middle[1], middle[2]))

    def sound(self, frame: AudioFrame) -> None:
        assert frame.format.name == "s16", frame.format.name
        channels = len(frame.layout.channels)
        self.rate = frame.sample_rate
        samples = array.array("h")
        samples.frombytes(bytes(frame.planes[0])[: frame.samples * channels * 2])
        self.samples = (self.samples + samples[::channels])[-self.rate :]
        self.sound_frames += 1

    def hz(self) -> float:
        """From the zero crossings of the last second."""
        if len(self.samples) < self.rate or not self.rate:
            return 0.0
        pairs = zip(self.samples, self.samples[1:])
        return sum(a < 0 <= b for a, b in pairs) * self.rate / len(self.samples)

    def is_picture_of(self, mark: Mark, frames: int) -> bool:
        last = self.frames[-frames:]
        near = (abs(u - mark.u) + abs(v - mark.v) <= 2 * COLOUR_WITHIN for _, u, v in last)
        return len(last) == frames and all(near)

    def is_sound_of(self, mark: Mark) -> bool:
        return abs(self.hz() - mark.hz) <= TONE_WITHIN_HZ


class Peer:
    def __init__(self, mark: Mark, video: str = "video/VP8") -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self.seen, self.tasks = Seen(), []
        self.pc.on("track", self._track)
        self.pc.addTrack(Tone(mark))
        self.pc.addTrack(Picture(mark))
        for _ in range(RECEIVE_PAIRS):
            for kind in ("audio", "video"):
                self.pc.addTransceiver(kind, direction="recvonly")
        wanted = [c for c in RTCRtpSender.getCapabilities("video").codecs if c.mimeType == video]
        for t in self.pc.getTransceivers():
            if t.kind == "video":
                t.setCodecPreferences(wanted)

    def _track(self, track) -> None:
        take = self.seen.sound if track.kind == "audio" else self.seen.picture

        async def read() -> None:
            try:
                while True:
                    take(await track.recv())
            except MediaStreamError:
                pass

        self.tasks.append(asyncio.create_task(read()))

    async def enter(self, line: Line, room: str) -> None:
        """One round trip: the offer with all candidates, and the answer."""
        await self.pc.setLocalDescription(await self.pc.createOffer())
        answer = await line.command(kind="media_offer", room=room, sdp=self.pc.localDescription.sdp)
        await self.pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))

    async def decodes(self, mark: Mark, frames: int = 30) -> None:
        """Waits until picture and sound of that mark have been decoded."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not (self.seen.is_picture_of(mark, frames) and self.seen.is_sound_of(mark)):
                    for task in self.tasks:
                        if task.done():
                            task.result()
                    await asyncio.sleep(0.05)
        except TimeoutError:
            s = self.seen
            raise AssertionError(
                f"{self.pc.connectionState}: {len(s.frames)} frames, last {s.frames[-1:]}, "
                f"{s.sound_frames} pieces of sound, {s.hz():.0f} Hz"
            ) from None

    async def close(self) -> None:
        await self.pc.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
