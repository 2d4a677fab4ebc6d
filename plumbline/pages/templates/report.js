"use strict";
// Shows the questions: filters, search, keyboard. All text from models enters by textContent, never as markup.
(() => {
  const { arms: ARMS, rows: entries } = JSON.parse(document.getElementById("entries").textContent);
  const PAGE = 40; // rows added at a time: thousands at once would freeze a phone
  const KINDS = { mcq: "multiple choice", numeric: "numeric", explanation: "explanation" };
  const ALL = ARMS.length > 2 ? "all" : "both";
  const CHANGES = { gained: "▲ gained", lost: "▼ lost", right: `${ALL} right`, wrong: `${ALL} wrong`, same: "same", mixed: "mixed", open: "no verdict" };
  const field = (name) => document.getElementById(name);
  const list = field("list");
  const more = field("more");
  const form = field("filters");
  let shown = [];
  let drawn = 0;

  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const searchable = (entry) =>
    (entry.words ??= [entry.i, entry.g, entry.q, entry.a, ...ARMS.map((arm) => entry[arm.key].t)].join("\n").toLowerCase());

  // ---- one question
  const points = (score) => (score === null ? "–" : String(Math.round(score * 100) / 100));

  const verdictLabel = (entry, arm) => {
    const answer = entry[arm];
    return entry.k === "explanation" && answer.s !== null ? points(answer.s) : answer.o;
  };

  const pill = (entry, arm) => element("span", `pill ${entry[arm].o}`, verdictLabel(entry, arm));

  const answerText = (answer) => {
    if (!answer.t) return element("p", "text empty", "(empty answer)");
    const text = element("p", "text");
    if (answer.m) {
      const [start, end] = answer.m;
      text.append(answer.t.slice(0, start), element("mark", "", answer.t.slice(start, end)), answer.t.slice(end));
    } else {
      text.textContent = answer.t;
    }
    return text;
  };

  const howRead = (entry, answer) => {
    const parts = [];
    if (answer.x !== undefined) parts.push(`read: ${answer.x}`);
    if (answer.r) parts.push(`by rule: ${answer.r}`);
    if (answer.rd) parts.push({ none: "no answer could be read", multiple: "several answers", conflict: "contradicts itself" }[answer.rd] ?? answer.rd);
    if (answer.f) parts.push(`flags: ${answer.f.join(", ")}`);
    if (answer.l) parts.push(`most probable letter: ${answer.l}`);
    if (answer.c && answer.c !== "scored") parts.push(`judge: ${answer.c.replaceAll("_", " ")}`);
    if (answer.cut) parts.push("cut off at the token limit");
    return parts.join(" · ");
  };

  const findings = (answer) => {
    const list = element("ul", "findings");
    for (const [point, finding, quote] of answer.p) {
      const line = element("li", finding);
      line.append(element("b", "", finding), ` ${point}`);
      if (quote !== null) line.append(element("q", "", quote));
      list.append(line);
    }
    return list;
  };

  const fill = (item, entry) => {
    const body = element("div", "body");
    body.append(element("h4", "", `Prompt · ${entry.i} · topic ${entry.g}${entry.near ? " · overlaps the training rows" : ""}`));
    body.append(element("p", "text", entry.q), element("h4", "", "Expected"), element("p", "text", entry.a));
    if (entry.p) {
      const list = element("ul", "points");
      for (const point of entry.p) list.append(element("li", "", point));
      body.append(element("h4", "", "Key points"), list);
    }
    const arms = element("div", "arms");
    for (const { key, label } of ARMS) {
      const answer = entry[key];
      const side = element("div", key);
      const title = element("h4", "", `${label} `);
      title.append(pill(entry, key));
      side.append(title, answerText(answer));
      const how = howRead(entry, answer);
      if (how) side.append(element("p", "how", how));
      if (answer.p) side.append(findings(answer));
      if (answer.w) side.append(element("p", "reason", `Judge: ${answer.w}`));
      arms.append(side);
    }
    body.append(arms);
    item.append(body);
  };

  const row = (entry) => {
    const item = element("details", `item ${entry.h}`);
    item.dataset.id = entry.i;
    const summary = element("summary");
    const outcomes = element("span", ARMS.length > 2 ? "outcomes many" : "outcomes");
    for (const { key } of ARMS) outcomes.append(...(outcomes.childNodes.length ? ["→"] : []), pill(entry, key));
    summary.append(
      element("span", "change", CHANGES[entry.h]),
      element("span", "kind", KINDS[entry.k]),
      element("span", "what", entry.q.split("\n", 1)[0]),
      outcomes,
    );
    item.append(summary);
    item.addEventListener("toggle", () => item.open && item.children.length === 1 && fill(item, entry));
    return item;
  };

  // ---- the list
  const draw = () => {
    const rows = document.createDocumentFragment();
    for (const entry of shown.slice(drawn, drawn + PAGE)) rows.append(row(entry));
    drawn = Math.min(drawn + PAGE, shown.length);
    list.append(rows);
    more.hidden = drawn === shown.length;
    more.textContent = `Show ${Math.min(PAGE, shown.length - drawn)} more of ${shown.length}`;
  };

  const ORDERS = {
    worst: (matches) => matches, // as written
    best: (matches) => matches.toReversed(),
    benchmark: (matches) => matches.toSorted((left, right) => left.n - right.n),
  };

  const filter = () => {
    const words = field("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = { k: field("kind").value, h: field("change").value, g: field("topic").value };
    const outcomes = ARMS.map(({ key }) => [key, field(key)?.value]).filter(([, wanted]) => wanted);
    const matches = entries.filter(
      (entry) =>
        Object.entries(wanted).every(([key, value]) => !value || entry[key] === value) &&
        outcomes.every(([key, value]) => entry[key].o === value) &&
        words.every((word) => searchable(entry).includes(word)),
    );
    shown = ORDERS[field("order").value](matches);
    drawn = 0;
    list.replaceChildren();
    draw();
    const of = shown.length === entries.length ? `${entries.length}` : `${shown.length} of ${entries.length}`;
    field("count").textContent = shown.length ? `${of} questions` : "No question matches. Clear a filter.";
  };

  const choose = (name, value) => {
    form.reset();
    field(name).value = value;
    filter();
    field("questions").scrollIntoView();
  };

  // ---- topics
  const topics = [...new Set(entries.map((entry) => entry.g))].sort();
  if (topics.length > 1 && topics.length <= 400) {
    for (const topic of topics) field("topic").append(new Option(topic, topic));
  } else {
    field("topic-field").hidden = true;
  }

  // ---- events
  let waiting = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 80);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  for (const button of document.querySelectorAll("[data-change]")) button.addEventListener("click", () => choose("change", button.dataset.change));
  for (const button of document.querySelectorAll("[data-topic]")) button.addEventListener("click", () => choose("topic", button.dataset.topic));
  more.addEventListener("click", draw);

  const step = (by) => {
    const items = [...list.children];
    const at = items.indexOf(document.activeElement?.closest(".item"));
    if (at + by >= items.length && drawn < shown.length) {
      draw();
      return step(by);
    }
    const next = items[at < 0 ? 0 : Math.max(0, at + by)];
    next?.firstChild.focus();
    next?.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "Escape" && typing) event.target.blur();
    if (typing) return;
    if (event.key === "/") {
      event.preventDefault();
      field("search").focus();
    } else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
  });
  filter();
  performance.mark("ready");
  document.documentElement.dataset.ready = "yes";
})();
