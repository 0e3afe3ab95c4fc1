/** Media of a call. Plain TypeScript: no view library. Everything that was opened is closed by `dispose()`. */
export { LocalMedia, listDevices, type DeviceProblem, type LocalMediaState, type MediaChoice } from "./local.ts";
export { CallPeer, type CallPeerOptions, type PeerState, type PeerEvents, type MemberMedia, type ShareSource } from "./peer.ts";
export { Share, canShareScreen, documentCamera, type ShareState } from "./share.ts";
export { IceSource } from "./ice.ts";
export { judge, ownLine, type LineState, type QualityLevel, type QualitySample } from "./quality.ts";
export type { Reception } from "./reception.ts";
export { isDark, isSpeech, measureLight, LevelProbe } from "./check.ts";
export { WAYS, mediaWay, networkLevel, type CheckApi, type NetworkState, type Way, type WayState } from "./netcheck.ts";
export { DeviceCheck, isUntested, lastCheck, rememberCheck, verdictOf, type CheckResult, type DeviceState, type Verdict } from "./device.ts";
export { browserKind, type Browser } from "./browser.ts";
export { isWeak, onWeak } from "./weak.ts";
