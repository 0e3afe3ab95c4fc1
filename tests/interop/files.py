"""A real picture and a real sound for the headless caller: VP8 in IVF, Opus in Ogg, encoded by libvpx and libopus."""

import fractions
import pathlib

import av
from av import AudioFrame

from peer import HEIGHT, WIDTH, Mark

FPS, SECONDS, RATE = 15, 4, 48_000
# So that a keyframe that was asked for has somewhere to come from.
KEYFRAME_EVERY = 30


def write(mark: Mark, to: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    video, audio = to / "call.ivf", to / "call.ogg"
    with av.open(str(video), "w", format="ivf") as out:
        stream = out.add_stream("libvpx", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.gop_size = KEYFRAME_EVERY
        stream.options = {"deadline": "realtime", "lag-in-frames": "0", "b": "300k"}
        for n in range(FPS * SECONDS):
            frame = mark.picture(n)
            frame.pts, frame.time_base = n, fractions.Fraction(1, FPS)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with av.open(str(audio), "w", format="ogg") as out:
        stream = out.add_stream("libopus", rate=RATE, layout="mono")
        samples = RATE // 50
        for n in range(50 * SECONDS):
            frame = AudioFrame(format="s16", layout="mono", samples=samples)
            frame.planes[0].update(mark.sound(n * samples, samples, RATE))
            frame.sample_rate, frame.pts = RATE, n * samples
            frame.time_base = fractions.Fraction(1, RATE)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return video, audio
