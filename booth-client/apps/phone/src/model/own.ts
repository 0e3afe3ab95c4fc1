/** Own camera and microphone during a call: opening again after a reload, another lens, another device. */
import { ref } from "vue";
import { listDevices, LocalMedia } from "@cloud-booth/rtc";
import { call } from "./app.ts";
import { unlockSound } from "./ring.ts";

export function useOwnMedia() {
  const isOpening = ref(false);
  const devices = ref<{ cameras: MediaDeviceInfo[]; microphones: MediaDeviceInfo[] }>({ cameras: [], microphones: [] });

  /** In a tap. */
  async function open(with_camera: boolean): Promise<void> {
    unlockSound();
    isOpening.value = true;
    const media = new LocalMedia();
    await media.open({ no_camera: !with_camera });
    isOpening.value = false;
    if (call.isLive) call.setMedia(media);
    else media.dispose();
  }
  async function look(): Promise<void> {
    const found = await listDevices();
    devices.value = { cameras: found.cameras, microphones: found.microphones };
  }
  async function flip(): Promise<void> {
    await look();
    const { cameras } = devices.value;
    const used = call.media?.video?.getSettings().deviceId;
    const next = cameras[(cameras.findIndex((one) => one.deviceId === used) + 1) % Math.max(1, cameras.length)];
    if (next && next.deviceId !== used) await call.media?.replace("video", next.deviceId);
  }
  function setMic(on: boolean): void {
    if (call.media) call.media.setMic(on);
    else if (on) void open(false);
  }
  async function setCamera(on: boolean): Promise<void> {
    if (call.media) await call.media.setCamera(on);
    else if (on) await open(true);
  }
  return { isOpening, devices, open, look, flip, setMic, setCamera };
}
