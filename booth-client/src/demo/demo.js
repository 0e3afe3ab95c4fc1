// The simulator's page: draws the cards, presses them, shows whether the booth's page is asking for one.
"use strict";

const cards = document.getElementById("cards");
const state = document.getElementById("state");
const toggle = document.getElementById("reader");
let reader = "ready";
let said = "";
let saidUntil = 0;

function line(text, kind, lang) {
  const span = document.createElement("span");
  span.className = kind;
  if (lang) span.lang = lang;
  span.textContent = text;
  return span;
}
function say(text) {
  said = text;
  saidUntil = Date.now() + 3000;
  state.textContent = text;
}

function draw(list) {
  if (cards.childElementCount === list.length) return;
  cards.replaceChildren(
    ...list.map((card) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.testid = `card-${card.id}`;
      button.append(line(card.name, "name"), line(card.number, "number"), line(card.note.zh, "note"), line(card.note.en, "note", "en"));
      button.addEventListener("click", () => swipe(card));
      const item = document.createElement("li");
      item.append(button);
      return item;
    }),
  );
}

async function swipe(card) {
  const answer = await fetch(`/demo/swipe/${encodeURIComponent(card.id)}`, { method: "POST" }).catch(() => null);
  say(answer?.ok ? `✓ 已刷 ${card.name} 的卡 · swiped` : "■ 读卡器没有接上 · the reader is unplugged");
}

toggle.addEventListener("click", async () => {
  await fetch(`/demo/reader/${reader === "ready" ? "absent" : "ready"}`, { method: "POST" }).catch(() => null);
  void look();
});

async function look() {
  try {
    const now = await (await fetch("/demo/state")).json();
    reader = now.reader;
    toggle.textContent = reader === "ready" ? "拔掉读卡器 · Unplug the reader" : "接上读卡器 · Plug the reader in";
    draw(now.cards);
    const asking = now.armed ? "● 页面正在等刷卡 · the page is waiting for a card" : "○ 页面没有在等刷卡 · the page is not asking";
    state.textContent = Date.now() < saidUntil ? said : reader === "ready" ? asking : "■ 读卡器没有接上 · the reader is unplugged";
  } catch {
    state.textContent = "■ 设备程序没有在运行 · the booth host is not running";
  }
}
setInterval(look, 1000);
void look();
