// A report: the page as one file, with texts inside. `recording` has the lines to show, `before` those
// of an earlier run, `report` everything else: { run, before, doctor, alerts, comparison }.

import { Store } from "./store.js";
import { lines } from "./stream.js";

export const isReport = () => document.getElementById("recording") !== null;

// A text inside the file; null if there is none. Texts are gzip in base 64.
async function embedded(name) {
  const element = document.getElementById(name);
  if (!element) return null;
  const bytes = Uint8Array.from(atob(element.textContent), (it) => it.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(unpacked).text();
}

async function storeOf(name) {
  const text = await embedded(name);
  if (text === null) return null;
  const store = new Store({ keepsAll: true });
  for (const line of lines(`${text}\n`)) store.apply(line);
  return store;
}

// Reads a report: { facts, store, before }, where `before` is the store of an earlier run or null.
export async function readReport() {
  const facts = JSON.parse((await embedded("report")) ?? "{}");
  return { facts, store: await storeOf("recording"), before: await storeOf("before") };
}
