// Where the page is put together.
import { Invitation } from "./model/invitation.js";
import { Session } from "./model/session.js";
import { Settings } from "./model/settings.js";
import { Api } from "./net/api.js";
import { Announcer } from "./view/announcer.js";
import { byId, setText } from "./view/dom.js";
import { createMediaSession } from "./view/media-session.js";
import { createPage } from "./view/page.js";
import { Toast } from "./view/toast.js";

const invitation = Invitation.take(new URL(location.href), (address) => history.replaceState(history.state, "", address));
const settings = Settings.open();
const asked = new URLSearchParams(location.search);
const kiosk = asked.get("kiosk") === "1";
const toast = new Toast(new Announcer((text) => setText(byId("announcer"), text)));

/** @type {((now: import("./model/snapshot.js").Snapshot) => void)[]} */
const watchers = [];

const session = new Session({
  settings,
  api: new Api(() => settings.token),
  stationId: asked.get("station"),
  invitation,
  onChange: (now) => watchers.forEach((watch) => watch(now)),
  say: (text) => toast.say(text),
});

const staysAwake = () => kiosk || settings.awake === "on";
/** Loaded for who wants it. @type {Promise<(now: import("./model/snapshot.js").Snapshot) => void> | null} */
let wakeLock = null;

/** @param {import("./model/snapshot.js").Snapshot} now */
function keepAwake(now) {
  if (wakeLock === null && !staysAwake()) return;
  wakeLock ??= import("./view/wake-lock.js").then(({ createWakeLock }) => createWakeLock(staysAwake));
  wakeLock.then((keep) => keep(now), () => (wakeLock = null));
}

watchers.push(createPage(session, toast, kiosk), createMediaSession(session), keepAwake);
session.begin();
// On a wall nobody taps: music begins by itself where the browser lets it.
if (kiosk) void session.ready.then(() => (session.mayStartByItself() ? session.listen() : undefined));
