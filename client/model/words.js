// What the page says, in a person's words.

const NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/**
 * A key's or a chord's name as it is written: "C♯", "B♭m7", "D add9".
 *
 * @param {string} name such as "C#", "Bbm7" or "Dadd9"
 */
export function withSigns(name) {
  return name.replace(/^([A-G][#b]?m?)(add|sus|maj|quartal)/, "$1 $2").replace(/([A-G])#/g, "$1♯").replace(/([A-G])b/g, "$1♭");
}

/** @param {number} seconds */
export function about(seconds) {
  if (seconds < 1.5) return "any moment now";
  if (seconds < 12.5) return `in about ${NUMBERS[Math.round(seconds)]} seconds`;
  if (seconds < 17.5) return "in about fifteen seconds";
  if (seconds < 25) return "in about twenty seconds";
  if (seconds < 37.5) return "in about half a minute";
  if (seconds < 90) return "in about a minute";
  return "in a while";
}

/**
 * What sounds now: "D dorian, settling".
 *
 * @param {import("../protocol.js").Chord | null} chord
 * @param {import("../protocol.js").Section | null} section
 * @param {import("../protocol.js").Controls | null} controls used while no chord is known
 * @returns {string} empty when nothing is known
 */
export function nowWords(chord, section, controls) {
  const tonic = chord?.tonic ?? controls?.key;
  const mode = chord?.mode ?? controls?.mode;
  if (tonic === undefined || mode === undefined) return "";
  const scale = `${withSigns(tonic)} ${mode}`;
  return section?.words ? `${scale}, ${section.words}` : scale;
}

/**
 * What comes next: "Em add9 next, in about nine seconds".
 *
 * @param {import("../protocol.js").Chord | null} next
 * @param {number | null} seconds
 */
export function nextWords(next, seconds) {
  if (next === null) return "";
  const name = withSigns(next.name);
  return seconds === null ? `${name} next` : `${name} next, ${about(seconds)}`;
}

/** @param {number} seconds "12:41" or "1:12:41" */
export function clockWords(seconds) {
  const whole = Math.floor(seconds);
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** What locked and unlocked sheets say under their title. */
export const FOR_EVERYONE = "Changes are heard by everyone listening";
export const ONLY_LISTENING = "As the station is set just now";

/** What a station says that is not for everybody. */
export const UNINVITED = "This station is for invited listeners";

/** @param {number} listeners */
export function listenersWords(listeners) {
  if (listeners <= 0) return "nobody listening";
  return `${listeners} listening`;
}

/**
 * The line under what sounds, when there is something to say about the connection.
 *
 * @param {import("./snapshot.js").Snapshot} now
 * @returns {string} empty when all is well
 */
export function stateWords(now) {
  const retry = now.retryInSeconds === null ? "" : now.retryInSeconds < 1 ? "trying again now" : `trying again in ${Math.ceil(now.retryInSeconds)} s`;
  switch (now.state) {
    case "connecting":
      return "Connecting";
    case "warming-up":
      return "The server is warming up, music follows in a moment";
    case "rebuffering":
      return "Catching up with the stream";
    case "reconnecting":
      return "Reconnecting, your place is kept";
    case "full":
      return `Too many listeners just now, ${retry || "trying again"}`;
    case "stopped":
      return `The server has stopped for now, ${retry || "trying again"}`;
    case "uninvited":
      return now.hasLink
        ? "Your link has run out, or is for another station; ask for a new one"
        : "Open the link you were given, it lets you in";
    case "unsupported":
      return "Firefox, Chrome, Edge and Safari of the last four years can";
    case "playing":
      return now.station?.state === "bed" || now.station?.state === "warming_up"
        ? "The server is warming up, a quiet bed plays until then"
        : "";
    default:
      return "";
  }
}

/**
 * What a screen reader is told, once per change of state.
 *
 * @param {import("./snapshot.js").Snapshot} now
 */
export function announcement(now) {
  if (now.state === "playing") return "Playing";
  if (now.state === "paused") return "Paused";
  if (now.state === "idle") return "";
  if (now.state === "full") return "Too many listeners just now, the page keeps trying";
  if (now.state === "stopped") return "The server has stopped for now, the page keeps trying";
  if (now.state === "uninvited") return `${UNINVITED}. ${stateWords(now)}`;
  return stateWords(now);
}

/** @param {number | "sent" | null} waiting */
export function waitingWords(waiting) {
  if (waiting === null) return "";
  return waiting === "sent" ? "sent" : `in ${Math.max(1, Math.ceil(waiting))} s`;
}

const SOURCES = { opus: "Opus", wasm: "Opus, decoded by the page", pcm: "Uncompressed" };

/** @param {import("../player/choose.js").PlayerKind} kind */
export function playerWords(kind) {
  if (kind === "none") return "None";
  if (kind === "element") return "The browser's own audio element";
  const [source, output] = /** @type {[keyof typeof SOURCES, string]} */ (kind.split("-"));
  return `${SOURCES[source]}, through the ${output === "worklet" ? "audio worklet" : "simple player"}`;
}
