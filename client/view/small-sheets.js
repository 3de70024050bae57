import { createChoices } from "./controls.js";
import { h, setAttribute, setText } from "./dom.js";

const MINUTES = [15, 30, 45, 60, 90];

/**
 * The sleep timer.
 *
 * @param {import("../model/session.js").Session} session
 * @returns {import("./sheets.js").Sheet}
 */
export function createTimerSheet(session) {
  const choices = createChoices({
    legend: "Stop after",
    name: "sleep",
    form: "even",
    choices: [{ value: "0", label: "Off" }, ...MINUTES.map((minutes) => ({ value: String(minutes), label: `${minutes} min` }))],
    choose: (value) => session.setSleep(Number(value)),
  });
  const status = h("p", {});
  return {
    name: "timer",
    title: "Sleep timer",
    lead: h("p", {}, "The music fades over its last minutes, on this device only"),
    body: h("div", {}, choices.element, status),
    render(now) {
      choices.render(String(now.sleepMinutes));
      const left = now.sleepInSeconds === null ? null : Math.ceil(now.sleepInSeconds / 60);
      setText(status, left === null ? "" : left === 1 ? "Less than a minute left" : `${left} minutes left`);
    },
  };
}

/**
 * Where the token is entered that lets this page change things.
 *
 * @param {import("../model/session.js").Session} session
 * @param {import("./sheets.js").Sheets} sheets
 * @param {import("./toast.js").Toast} toast
 * @returns {import("./sheets.js").Sheet}
 */
export function createTokenSheet(session, sheets, toast) {
  const input = h("input", {
    id: "token",
    type: "password",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    placeholder: "Token",
    required: true,
    "aria-describedby": "token-problem",
  });
  const problem = h("p", { class: "problem", id: "token-problem" });
  const tell = (/** @type {string} */ text) => {
    setText(problem, text);
    setAttribute(input, "aria-invalid", text === "" ? null : "true");
    if (text !== "") toast.announcer.say(text);
  };
  const form = h("form", { class: "token" }, input, h("button", { class: "chip", type: "submit" }, "Take control"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    tell("");
    const refusal = await session.rights.claim(input.value.trim());
    if (refusal !== null) return tell(refusal);
    input.value = "";
    sheets.close();
    toast.say("You can change the music now");
  });
  return {
    name: "token",
    title: "Control this station",
    lead: h("p", {}, "With the station's token, this page can change the music"),
    body: h(
      "div",
      {},
      h("label", { for: "token" }, "The command ", h("code", {}, "auralisd token"), " shows it where the station runs"),
      form,
      problem,
    ),
    render() {},
  };
}
