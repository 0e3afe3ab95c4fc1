/** What a browser gives for a call, as far as the tests of this package need it. Only tests import it. */

export class Track extends EventTarget {
  enabled = true;
  readyState = "live";
  contentHint = "";
  kind: string;
  readonly #device: string;
  constructor(kind: string, device = "") {
    super();
    this.kind = kind;
    this.#device = device;
  }
  getSettings = () => ({ deviceId: this.#device });
  stop(): void {
    this.readyState = "ended";
  }
}
export class Stream extends EventTarget {
  tracks: Track[];
  constructor(tracks: Track[] = []) {
    super();
    this.tracks = [...tracks];
  }
  getTracks = (): Track[] => [...this.tracks];
  getAudioTracks = (): Track[] => this.tracks.filter((track) => track.kind === "audio");
  getVideoTracks = (): Track[] => this.tracks.filter((track) => track.kind === "video");
  addTrack = (track: Track): void => void this.tracks.push(track);
  removeTrack = (track: Track): void => void (this.tracks = this.tracks.filter((one) => one !== track));
}
export class Peer {
  static all: Peer[] = [];
  lines: { kind: string; direction: string; mid: string | null; sender: { track: Track | null; replaceTrack: (t: Track | null) => Promise<void> }; receiver: { track: Track } }[] = [];
  connectionState = "new";
  localDescription: { sdp: string } | null = null;
  onconnectionstatechange: (() => void) | null = null;
  ontrack: (() => void) | null = null;
  isClosed = false;
  constructor() {
    Peer.all.push(this);
  }
  addTransceiver(kind: string, init: { direction: string }) {
    const sender = { track: null as Track | null, replaceTrack: async (track: Track | null) => void (sender.track = track) };
    const line = { kind, direction: init.direction, mid: null as string | null, sender, receiver: { track: new Track(kind) } };
    this.lines.push(line);
    return line;
  }
  getTransceivers = () => this.lines;
  createOffer = async () => ({ type: "offer", sdp: `offer-${Peer.all.indexOf(this)}` });
  setLocalDescription = async (offer: { sdp: string }) => {
    this.localDescription = offer;
    this.lines.forEach((line, index) => (line.mid = String(index)));
  };
  setRemoteDescription = async () => undefined;
  getStats = async () => new Map();
  configuration: RTCConfiguration = {};
  getConfiguration = () => this.configuration;
  setConfiguration = (next: RTCConfiguration) => void (this.configuration = next);
  close(): void {
    this.isClosed = true;
  }
  become(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}
