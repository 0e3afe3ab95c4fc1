/** A call with a second connection in this page in the server's place: answers in one go with its candidates, sends a picture
 * back, and tells what reached it. For the browser test of `@cloud-booth/rtc`. */
import { CallPeer, LocalMedia } from "@cloud-booth/rtc";

function gathered(peer: RTCPeerConnection): Promise<void> {
  if (peer.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((done) => peer.addEventListener("icegatheringstatechange", () => peer.iceGatheringState === "complete" && done()));
}
async function framesSent(peer: RTCPeerConnection): Promise<number> {
  let frames = 0;
  (await peer.getStats()).forEach((entry: Record<string, unknown>) => {
    if (entry.type === "inbound-rtp" && entry.kind === "video") frames += Number(entry.framesDecoded ?? 0);
  });
  return frames;
}
async function until(test: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await test())) await new Promise((done) => requestAnimationFrame(done));
}

export async function callMyself() {
  const servers: RTCPeerConnection[] = [];
  const theirs = new LocalMedia();
  await theirs.open();
  const peer = new CallPeer({
    negotiate: async (sdp) => {
      const server = new RTCPeerConnection();
      servers.push(server);
      await server.setRemoteDescription({ type: "offer", sdp });
      const lines = server.getTransceivers();
      for (const [index, track] of [[2, theirs.audio], [3, theirs.video]] as const) {
        const line = lines[index];
        if (line && track) {
          line.direction = "sendonly";
          await line.sender.replaceTrack(track);
        }
      }
      await server.setLocalDescription(await server.createAnswer());
      await gathered(server);
      return server.localDescription?.sdp ?? "";
    },
  });
  const media = new LocalMedia();
  const state = await media.open();
  peer.connect();
  await until(() => peer.state === "connected");
  const server = servers[0];
  if (!server) throw new Error("no server side");
  const before = await framesSent(server);
  const offers = servers.length;
  await peer.goLive(media);
  await until(async () => (await framesSent(server)) > 2);
  peer.setSlots([{ mid: "2", member: "mem_1", media: "audio", source: "camera", paused: false }, { mid: "3", member: "mem_1", media: "video", source: "camera", paused: false }]);
  const stream = peer.members()[0]?.sources.camera ?? null;
  const video = document.createElement("video");
  video.muted = true;
  video.srcObject = stream;
  await video.play();
  await new Promise((done) => video.requestVideoFrameCallback(done));
  const width = video.videoWidth;
  const offersWhenLive = servers.length;
  // The far end dies without a word: a new connection takes over and the same stream goes on.
  peer.rejoin();
  await until(() => servers.length === 2 && peer.state === "connected");
  const rejoined = servers[1];
  if (!rejoined) throw new Error("no second server side");
  await until(async () => (await framesSent(rejoined)) > 2);
  const sameStream = peer.members()[0]?.sources.camera === stream;
  const tracks = [...media.stream.getTracks(), ...theirs.stream.getTracks()];
  peer.dispose();
  media.dispose();
  theirs.dispose();
  servers.forEach((one) => one.close());
  return { state, before, offers, offersWhenLive, width, sameStream, live: tracks.filter((track) => track.readyState === "live").length };
}
