/** What the server's line tells, handed to whom it concerns. Plain wiring: it decides nothing. */
import type { CallBackView, SessionView, TicketView } from "@cloud-booth/api";
import type { FormPresence } from "@cloud-booth/form";
import type { CallPeer } from "@cloud-booth/rtc";
import type { SignalClient } from "@cloud-booth/signal";
import type { CallState } from "./callstate.ts";
import { addEvent, type Dialogue } from "./chat.ts";

export interface Lines {
  state: CallState;
  presence: FormPresence;
  dialogue: Dialogue;
  peer: () => CallPeer | null;
  /** The session that this page is in. */
  joined: () => string | null;
  ticket: (ticket: TicketView) => void;
  callBack: (view: CallBackView) => void;
  session: (session: SessionView) => void;
  /** A (re)join was answered. */
  entered: () => void;
  over: (reason: string) => void;
}

export function listen(signal: SignalClient, to: Lines): void {
  const { state } = to;
  signal.on("state", (connection) => {
    state.connection = connection;
    if (connection === "signed_out") to.over("signed_out");
  });
  signal.on("ticket", (ticket) => to.ticket(ticket));
  signal.on("frame", (frame) => {
    if (frame.type === "call_back" && "call_back" in frame) to.callBack(frame.call_back as CallBackView);
  });
  // A guest who was asked to go. The citizen's own other page is no end: their visit lives there.
  signal.on("superseded", ({ session }) => {
    if (state.is_guest && session === to.joined()) to.over("guest_out");
  });
  signal.on("session", (session) => to.session(session));
  signal.on("joined", (joined) => {
    to.session(joined.session);
    if (joined.form) state.form = joined.form;
    to.entered();
  });
  signal.on("form", ({ session, form }) => {
    if (session === to.joined() && (!state.form || form.version >= state.form.version || form.item !== state.form.item)) state.form = form;
  });
  signal.on("event", ({ event, replayed }) => {
    const { body } = event;
    if (body.kind === "chat") state.chat = addEvent(state.chat, { ...event, body }, state.session?.me ?? null);
    else if (body.kind === "snapshot_taken" && !replayed) state.snapshots += 1;
    else if (body.kind === "member_left" || body.kind === "member_dropped") to.presence.leave(body.member);
  });
  signal.on("slots", ({ slots }) => to.peer()?.setSlots(slots));
  signal.on("renegotiate", () => void to.peer()?.renegotiate());
  signal.on("ephemeral", ({ from, body }) => {
    if (body.kind === "quality") {
      if (body.member === state.session?.me) state.mine = body.state;
      else if (state.session?.members.find((member) => member.id === body.member)?.part === "agent") state.theirs = body.state;
    } else if (body.kind === "typing" && !body.path) to.dialogue.typing(body.on ? from : null);
    else to.presence.receive(from, body);
  });
}
