/**
 * Draws openapi.json: chapters, operations, their fields and answers, and a curl line for each.
 * Everything is set as text, so nothing in the document can become markup.
 */

/** @typedef {Record<string, any>} Json */

const METHODS = ["get", "post", "patch", "put", "delete"];

const answer = await fetch("/openapi.json");
if (answer.ok) {
  draw(await answer.json());
} else {
  main().replaceChildren(element("p", `The server did not hand out its description (${answer.status}).`));
}
main().removeAttribute("aria-busy");

/** @returns {HTMLElement} */
function main() {
  return /** @type {HTMLElement} */ (document.getElementById("operations"));
}

/** @param {Json} api */
function draw(api) {
  const summary = document.getElementById("summary");
  if (summary) summary.textContent = `${api.info.summary} Version ${api.info.version}.\n\n${api.info.description}`;
  const chapters = api.tags.map((/** @type {Json} */ tag) => chapter(api, tag.name));
  main().replaceChildren(...chapters);
  const list = document.getElementById("chapters");
  list?.replaceChildren(...api.tags.map((/** @type {Json} */ tag) => entry(tag.name)));
  openNamed();
  addEventListener("hashchange", openNamed);
}

/** Opens the operation that the address names. */
function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named instanceof HTMLDetailsElement) named.open = true;
  named?.scrollIntoView();
}

/** @param {string} tag */
function entry(tag) {
  const link = element("a", tag);
  link.setAttribute("href", `#${anchor(tag)}`);
  return element("li", link);
}

/** @param {Json} api @param {string} tag */
function chapter(api, tag) {
  const heading = element("h2", tag);
  heading.id = anchor(tag);
  const section = element("section", heading);
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const method of METHODS) {
      const operation = methods[method];
      if (operation?.tags.includes(tag)) section.append(drawOperation(api, method, path, operation));
    }
  }
  return section;
}

/** @param {Json} api @param {string} method @param {string} path @param {Json} operation */
function drawOperation(api, method, path, operation) {
  const body = operation.requestBody?.content["application/json"]?.schema;
  const inside = element("div");
  inside.className = "inside";
  if (operation.description) inside.append(element("p", operation.description));
  if (operation.security.length > 0) inside.append(element("p", needsToken(operation.security)));
  if (operation.parameters) {
    inside.append(element("h3", "Parameters"), table(["Name", "In", "Takes", ""], operation.parameters.map(parameterRow)));
  }
  if (body) inside.append(element("h3", "Body"), fields(api, body));
  inside.append(element("h3", "Try it"), element("pre", curl(api, method, path, operation, body)));
  inside.append(element("h3", "Answers"), table(["Status", "", ""], answers(api, operation)));
  const schema = success(operation)?.content?.["application/json"]?.schema;
  if (schema) inside.append(element("h3", "Fields of the answer"), fields(api, schema));

  const heading = element("summary");
  heading.append(
    classed("span", "method", method.toUpperCase()),
    classed("span", "path", path),
    classed("span", "words", operation.summary),
  );
  const details = element("details", heading, inside);
  details.className = "operation";
  details.id = operation.operationId;
  return details;
}

/** @param {Json[]} security */
function needsToken(security) {
  const free = security.some((scheme) => Object.keys(scheme).length === 0);
  return free ? "From another machine this needs the token." : "Needs the token.";
}

/** @param {Json} parameter */
function parameterRow(parameter) {
  return [code(parameter.name), parameter.in, takes(parameter.schema), parameter.description ?? ""];
}

/** @param {Json} operation */
function success(operation) {
  const status = Object.keys(operation.responses).find((each) => each.startsWith("2"));
  return status === undefined ? undefined : operation.responses[status];
}

/** @param {Json} api @param {Json} operation */
function answers(api, operation) {
  return Object.entries(operation.responses).map(([status, response]) => {
    const full = resolved(api, response);
    const headers = Object.keys(full.headers ?? {});
    return [code(status), full.description, headers.length > 0 ? `with ${headers.join(", ")}` : ""];
  });
}

/** @param {Json} api @param {Json} schema */
function fields(api, schema) {
  const full = resolved(api, schema);
  const rows = fieldRows(api, full, "");
  if (rows.length === 0) return element("p", full.description ?? takes(full));
  return table(["Field", "Takes", ""], rows);
}

/**
 * One row a field; objects inside are unfolded with dotted names.
 *
 * @param {Json} api @param {Json} schema @param {string} prefix
 * @returns {(string | Node)[][]}
 */
function fieldRows(api, schema, prefix) {
  if (prefix.split(".").length > 4) return [];
  return Object.entries(schema.properties ?? {}).flatMap(([name, given]) => {
    const full = inner(api, given);
    const list = full.type === "array";
    const below = list ? inner(api, full.items) : full;
    const shown = prefix + name + (list ? "[]" : "");
    const words = given.description ?? full.description ?? "";
    const row = [code(shown), takes(full) + (schema.required?.includes(name) ? ", required" : ""), words];
    return [row, ...fieldRows(api, below, `${shown}.`)];
  });
}

/** What a field holds when it is not null. @param {Json} api @param {Json} schema @returns {Json} */
function inner(api, schema) {
  const full = resolved(api, schema);
  const real = full.anyOf?.filter((/** @type {Json} */ each) => each.type !== "null");
  return real?.length === 1 ? { ...full, ...resolved(api, real[0]), nullable: true } : full;
}

/** @param {Json} api @param {Json} schema @returns {Json} */
function resolved(api, schema) {
  if (!schema.$ref) return schema;
  const found = schema.$ref.slice(2).split("/").reduce((/** @type {Json} */ at, /** @type {string} */ key) => at[key], api);
  return { ...resolved(api, found), ...(schema.description && { description: schema.description }) };
}

/** A schema in a few words. @param {Json} schema @returns {string} */
function takes(schema) {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((/** @type {unknown} */ each) => JSON.stringify(each)).join(" | ");
  if (schema.anyOf && !schema.nullable) return schema.anyOf.map(takes).join(" or ");
  const bounds = [schema.minimum, schema.maximum];
  const range = bounds.some((bound) => bound !== undefined) ? ` ${bounds[0] ?? "…"} to ${bounds[1] ?? "…"}` : "";
  const length = schema.maxLength ? ` of ${schema.minLength ?? 0} to ${schema.maxLength} characters` : "";
  const usual = schema.default === undefined || schema.default === null ? "" : `, usually ${JSON.stringify(schema.default)}`;
  return `${schema.type ?? "anything"}${range}${length}${schema.nullable ? " or null" : ""}${usual}`;
}

/** @param {Json} api @param {string} method @param {string} path @param {Json} operation @param {Json} [body] */
function curl(api, method, path, operation, body) {
  const lines = [`curl ${location.origin}${path.replace("{id}", "main")}`];
  if (method !== "get") lines[0] = `curl -X ${method.toUpperCase()} ${location.origin}${path.replace("{id}", "main")}`;
  if (operation.security.length > 0) lines.push(`  -H "Authorization: Bearer $TOKEN"`);
  if (body) {
    lines.push(`  -H "Content-Type: application/json"`, `  -d '${JSON.stringify(example(api, body))}'`);
  }
  return lines.join(" \\\n");
}

/** The schema's own example, or its required fields. @param {Json} api @param {Json} schema @returns {any} */
function example(api, schema) {
  const full = inner(api, schema);
  if (full.examples) return full.examples[0];
  if (full.type === "object") {
    const wanted = full.required ?? Object.keys(full.properties ?? {}).slice(0, 1);
    return Object.fromEntries(wanted.map((/** @type {string} */ name) => [name, example(api, full.properties[name])]));
  }
  if (full.default !== undefined && full.default !== null) return full.default;
  return { string: "Night", integer: 1, number: full.minimum ?? 0, boolean: true }[String(full.type)] ?? null;
}

/** @param {string[]} heads @param {(string | Node)[][]} rows */
function table(heads, rows) {
  const head = element("tr", ...heads.map((each) => element("th", each)));
  const lines = rows.map((row) => element("tr", ...row.map((each) => element("td", each))));
  return element("table", element("thead", head), element("tbody", ...lines));
}

/** @param {string} text */
function code(text) {
  return element("code", text);
}

/** @param {string} name @param {string} className @param {string} text */
function classed(name, className, text) {
  const made = element(name, text);
  made.className = className;
  return made;
}

/** @param {string} name @param {(string | Node)[]} children */
function element(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

/** @param {string} words */
function anchor(words) {
  return words.toLowerCase().replaceAll(" ", "-");
}
