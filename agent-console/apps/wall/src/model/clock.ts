/** 14:30:05 in China, whatever this machine's zone. */
const format = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

export const clockOf = (at: number): string => format.format(at);
