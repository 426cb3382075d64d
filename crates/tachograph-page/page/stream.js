// The connection to the server: the live stream, which reconnects with growing pauses, and single
// requests.

// The address of a path of the endpoint, which may be mounted below another path. This file is at
// `page/stream.js` below that.
const at = (path) => new URL(`..${path}`, import.meta.url).href;

const PAUSES_MS = [500, 1_000, 2_000, 5_000, 10_000];

export class Live {
  // Calls on `on`: line(line), lost(frames), state("connecting" | "live" | "locked" | "disconnected").
  constructor(on) {
    this.on = on;
    // The paths that the server has; the page requests no others.
    this.paths = [];
    this.tries = 0;
    this.state = "connecting";
    this.retryAt = 0;
  }

  async start() {
    const { status, told } = await ask("/page/paths.json");
    if (status !== 200) return this.retry(status === 401 ? "locked" : "disconnected");
    this.paths = told;
    return this.listen();
  }

  listen() {
    const source = new EventSource(at("/live"));
    for (const name of ["meta", "series", "frame"]) {
      source.addEventListener(name, (event) => {
        this.tries = 0;
        this.tell("live");
        this.on.line(JSON.parse(event.data));
      });
    }
    source.addEventListener("lost", (event) => this.on.lost(JSON.parse(event.data).frames));
    source.addEventListener("error", () => {
      source.close();
      this.retry("disconnected");
    });
  }

  retry(state) {
    this.tell(state);
    const pause = PAUSES_MS[Math.min(this.tries, PAUSES_MS.length - 1)];
    this.tries += 1;
    this.retryAt = Date.now() + pause;
    setTimeout(() => this.start(), pause);
  }

  // When the next try is, in words.
  retryText() {
    const seconds = Math.ceil((this.retryAt - Date.now()) / 1000);
    return seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again now.";
  }

  tell(state) {
    if (state === this.state) return;
    this.state = state;
    this.on.state(state);
  }
}

// Requests a document: { status, told }. The status is 0 if the server does not answer.
async function ask(path) {
  try {
    const answer = await fetch(at(path), { cache: "no-store" });
    return { status: answer.status, told: answer.ok ? await answer.json() : null };
  } catch {
    return { status: 0, told: null };
  }
}

// Requests a document; null if there is none or the server does not answer.
export const read = async (path) => (await ask(path)).told;

// Requests the lines of a range, with frames of about `step` milliseconds.
export async function history(from, to, step) {
  const seconds = (ms) => (ms / 1000).toFixed(3);
  const query = new URLSearchParams({ from: seconds(from), to: seconds(to), step: seconds(step) });
  try {
    const answer = await fetch(at(`/history?${query}`), { cache: "no-store" });
    return answer.ok ? lines(await answer.text()) : null;
  } catch {
    return null;
  }
}

// The complete lines of a recording. An incomplete last line is left out.
export function lines(text) {
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return whole.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}
