// Where the page is put together.
import { Session } from "./model/session.js";
import { Settings } from "./model/settings.js";
import { Api } from "./net/api.js";
import { createMediaSession } from "./view/media-session.js";
import { createPage } from "./view/page.js";
import { Toast } from "./view/toast.js";

const settings = Settings.open();
const toast = new Toast();

/** @type {((now: import("./model/snapshot.js").Snapshot) => void)[]} */
const watchers = [];

const session = new Session({
  settings,
  api: new Api(() => settings.token),
  stationId: new URLSearchParams(location.search).get("station"),
  onChange: (now) => watchers.forEach((watch) => watch(now)),
  say: (text) => toast.say(text),
});

watchers.push(createPage(session, toast), createMediaSession(session));
session.begin();
