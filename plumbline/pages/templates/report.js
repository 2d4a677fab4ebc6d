"use strict";
// Shows the questions: filters, search, keyboard. All text from models enters by textContent, never as markup.
(() => {
  const page = JSON.parse(document.getElementById("entries").textContent);
  const { arms: ARMS, rows: entries, pairs: PAIRS = [], contexts: CONTEXTS = [] } = page;
  const PAGE = 40; // rows added at a time: thousands at once would freeze a phone
  const KINDS = { mcq: "multiple choice", numeric: "numeric", explanation: "explanation" };
  const MANY = ARMS.length > 2;
  const ALL = MANY && !PAIRS.length ? "all" : "both";
  const LONG = 700; // an answer with so many characters is folded
  const LONG_LINES = 14;
  const SIGNS = { correct: "✓", incorrect: "✗", unparsed: "?", unjudged: "–" };
  const CHANGES = { gained: "▲ gained", lost: "▼ lost", right: `${ALL} right`, wrong: `${ALL} wrong`, same: "same", mixed: "mixed", open: "no verdict" };
  const field = (name) => document.getElementById(name);
  const list = field("list");
  const more = field("more");
  const form = field("filters");
  let shown = [];
  let drawn = 0;
  let ordered = entries; // worst first in the chosen comparison; the first one's order is that of the file
  let pair = PAIRS[0];

  const WRITTEN = new Set(["text", "text line", "text empty", "what", "reason", "source", "point"]);

  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    if (WRITTEN.has(className)) made.dir = "auto"; // a text may be written from right to left
    return made;
  };

  // A text as it is written, then, if it holds LaTeX or Markdown, as it is meant.
  const meant = (text) => {
    const shown = rendered(text);
    if (!shown) return [];
    const figure = element("div", "meant");
    figure.append(element("p", "how", "rendered"), shown);
    return [figure];
  };
  const written = (text) => [element("p", "text", text), ...meant(text)];

  // If an earlier arm has the same text, the place of that arm stands for it.
  const textOf = (entry, text, key) => (typeof text === "number" ? entry[ARMS[text].key][key] : text);

  // An arm's answer to a question, or its samples.
  const answersOf = (answer) => answer.many ?? [answer];

  const searchable = (entry) =>
    (entry.words ??= [entry.i, entry.g, entry.q, entry.a, ...ARMS.flatMap(({ key }) => answersOf(entry[key]).map((answer) => answer.t)).filter((text) => typeof text === "string")]
      .join("\n")
      .toLowerCase());

  // ---- one question
  const points = (score) => (score === null ? "–" : String(Math.round(score * 100) / 100));

  const verdictLabel = (entry, arm) => {
    const answer = entry[arm];
    return (entry.k === "explanation" || answer.many) && answer.s !== null ? points(answer.s) : answer.o;
  };

  const pill = (entry, arm) => element("span", `pill ${entry[arm].o}`, verdictLabel(entry, arm));

  // The outcomes of all arms in their order: a sign each, above the colour of the arm.
  const strip = (entry) => {
    const signs = element("span", "strip");
    for (const arm of ARMS) {
      const sign = element("span", `pill ${entry[arm.key].o} ${arm.style}`, SIGNS[entry[arm.key].o]);
      sign.title = `${arm.label}: ${verdictLabel(entry, arm.key)}`;
      signs.append(sign);
    }
    signs.role = "img";
    signs.ariaLabel = [...signs.children].map((sign) => sign.title).join(", ");
    return signs;
  };

  const leftOut = (number) => (number ? [element("span", "how", ` … ${number} more characters`)] : []);

  const marked = (className, said, start, end) => {
    const text = element("p", className);
    text.append(said.slice(0, start), element("mark", "", said.slice(start, end)), said.slice(end));
    return text;
  };

  // The line in which the rule read the answer, shortened around the mark.
  const lineRead = (answer, said) => {
    if (!answer.m) return [];
    const [start, end] = answer.m;
    const from = Math.max(said.lastIndexOf("\n", start - 1) + 1, start - 160);
    const stop = said.indexOf("\n", end);
    const line = said.slice(from, Math.min(stop < 0 ? said.length : stop, end + 160));
    return [marked("text line", line, start - from, end - from)];
  };

  const answerText = (answer, said) => {
    if (!said) return [element("p", "text empty", "(empty answer)")];
    const text = answer.m ? marked("text", said, ...answer.m) : element("p", "text", said);
    text.append(...leftOut(answer.more));
    const whole = [text, ...meant(said)];
    if (said.length < LONG && said.split("\n", LONG_LINES + 1).length <= LONG_LINES) return whole;
    const folded = element("details", "long");
    const length = (said.length + (answer.more ?? 0)).toLocaleString("en");
    folded.append(element("summary", "", `The whole answer, ${length} characters`), ...whole);
    return [...lineRead(answer, said), folded];
  };

  // ---- what stood before the question: once, for all arms that saw it
  const contextTitle = (name, given) => {
    const who = ARMS.filter((arm) => arm.context === CONTEXTS.indexOf(name)).map((arm) => arm.name);
    const parts = [];
    if (given.p) parts.push(`${given.p.length} passage${given.p.length === 1 ? "" : "s"}`);
    if (given.e !== undefined) parts.push(`${page.examples[given.e].length} examples, the same for all questions of this kind`);
    if (given.r !== undefined) parts.push(`with ${Math.round(100 * given.r)} % of what the answer needs`);
    return `Context of ${who.join(", ")}: ${parts.join(", ")}`;
  };

  const contextOf = (name, given) => {
    const folded = element("details", "context");
    folded.dataset.context = name;
    folded.append(element("summary", "", contextTitle(name, given)));
    for (const place of given.p ?? []) {
      const [source, said, more] = page.passages[place];
      const [text, ...shown] = written(said);
      text.append(...leftOut(more));
      folded.append(element("p", "source", source), text, ...shown);
    }
    for (const [asked, answered] of given.e === undefined ? [] : page.examples[given.e]) {
      folded.append(element("p", "source", "Question"), ...written(asked), element("p", "source", "Answer"), ...written(answered));
    }
    return folded;
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
      line.append(element("b", "", finding), " ", element("span", "point", point));
      if (quote !== null) line.append(Object.assign(element("q", "", quote), { dir: "auto" }));
      list.append(line);
    }
    return list;
  };

  // One answer: how it was read, what it says, and what the judge says about it.
  const answerParts = (entry, answer) => {
    const parts = [];
    const how = howRead(entry, answer);
    if (how) parts.push(element("p", "how", how));
    parts.push(...answerText(answer, textOf(entry, answer.t, "t")));
    if (answer.p) parts.push(findings(answer));
    const reason = textOf(entry, answer.w, "w");
    if (reason) parts.push(element("p", "reason", `Judge: ${reason}`));
    return parts;
  };

  // Several samples: their outcomes in a line, each answer folded below it.
  const sampleParts = (entry, { many, s }) => {
    const signs = element("p", "how", `${many.length} samples, mean ${points(s)}: ${many.map(({ o }) => SIGNS[o]).join(" ")}`);
    return [
      signs,
      ...many.map((answer, place) => {
        const folded = element("details", "long");
        const verdict = entry.k === "explanation" && answer.s !== null ? points(answer.s) : answer.o;
        folded.append(element("summary", "", `Sample ${place + 1}: ${verdict}`), ...answerParts(entry, answer));
        return folded;
      }),
    ];
  };

  const fill = (item, entry) => {
    const body = element("div", "body");
    body.append(element("h4", "", `Prompt · ${entry.i} · topic ${entry.g}${entry.near ? " · overlaps the training rows" : ""}`));
    body.append(...written(entry.q), element("h4", "", "Expected"), ...written(entry.a));
    if (entry.p) {
      const list = element("ul", "points");
      for (const point of entry.p) list.append(element("li", "point", point));
      body.append(element("h4", "", "Key points"), list);
    }
    const arms = element("div", "arms");
    for (const [place, { key, label, style }] of ARMS.entries()) {
      const answer = entry[key];
      const side = element("div", style ?? (place ? "w-adapter" : "w-base"));
      const title = element("h4", "");
      title.append(...(MANY && style ? [element("span", `dot ${style}`)] : []), `${label} `, pill(entry, key));
      side.append(title);
      side.append(...(answer.many ? sampleParts(entry, answer) : answerParts(entry, answer)));
      arms.append(side);
    }
    body.append(arms);
    for (const [place, given] of (entry.x ?? []).entries()) if (given) body.append(contextOf(CONTEXTS[place], given));
    item.append(body);
  };

  // Answers that cannot be read score 0, as wrong ones do; "wrong" would say that they were read.
  const changeLabel = (entry) => {
    const outcomes = (pair ? pair.map((place) => ARMS[place]) : ARMS).map(({ key }) => entry[key].o);
    if (entry.h !== "wrong" || !outcomes.includes("unparsed")) return CHANGES[entry.h];
    return outcomes.every((outcome) => outcome === "unparsed") ? `${ALL} unparsed` : ALL === "all" ? "none right" : "neither right";
  };

  const row = (entry) => {
    const item = element("details", `item ${entry.h}`);
    item.dataset.id = entry.i;
    const summary = element("summary");
    const outcomes = element("span", MANY ? "outcomes many" : "outcomes");
    for (const { key } of pair ? pair.map((place) => ARMS[place]) : ARMS) outcomes.append(...(outcomes.childNodes.length ? ["→"] : []), pill(entry, key));
    if (MANY && pair) outcomes.append(strip(entry));
    summary.append(
      element("span", "change", changeLabel(entry)),
      element("span", "kind", KINDS[entry.k]),
      element("span", "what", entry.q.split("\n", 1)[0]),
      outcomes,
    );
    item.append(summary);
    item.addEventListener("toggle", () => item.open && item.children.length === 1 && fill(item, entry));
    return item;
  };

  // ---- the chosen comparison: what it gained and lost, and its order
  const changeOf = (first, second) => {
    if (first === null || second === null) return "open";
    if (first !== second) return second > first ? "gained" : "lost";
    return second === 0 ? "wrong" : second === 1 ? "right" : "same";
  };

  const compare = (place) => {
    pair = PAIRS[place];
    const [first, second] = pair.map((arm) => ARMS[arm]);
    const ranks = new Map();
    const counts = { gained: 0, lost: 0 };
    for (const entry of entries) {
      const [before, after] = [entry[first.key].s, entry[second.key].s];
      entry.h = changeOf(before, after);
      counts[entry.h] += 1;
      ranks.set(entry, [before === null || after === null ? 0 : after - before, after ?? 2, entry.n]);
    }
    const apart = (left, right) => left[0] - right[0] || left[1] - right[1] || left[2] - right[2];
    ordered = entries.toSorted((left, right) => apart(ranks.get(left), ranks.get(right)));
    field("num-gained").textContent = counts.gained;
    field("num-lost").textContent = counts.lost;
    field("gained-by").textContent = `by ${second.name} against ${first.name}`;
    field("worst-first").textContent = `what ${first.name} could answer and ${second.name} cannot`;
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
    worst: (matches) => matches, // as ordered
    best: (matches) => matches.toReversed(),
    benchmark: (matches) => matches.toSorted((left, right) => left.n - right.n),
  };

  const filter = () => {
    const words = field("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = { k: field("kind").value, h: field("change").value, g: field("topic").value };
    const place = Number(field("pair")?.value ?? 0);
    if (pair && pair !== PAIRS[place]) compare(place);
    const outcomes = ARMS.map(({ key }) => [key, field(key)?.value]).filter(([, wanted]) => wanted);
    const outcome = field("outcome")?.value;
    const asked = field("arm")?.value ? [field("arm").value] : ARMS.map(({ key }) => key);
    const matches = ordered.filter(
      (entry) =>
        Object.entries(wanted).every(([key, value]) => !value || entry[key] === value) &&
        outcomes.every(([key, value]) => entry[key].o === value) &&
        (!outcome || asked.some((key) => entry[key].o === outcome)) &&
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
    const compared = field("pair")?.value;
    form.reset();
    if (compared) field("pair").value = compared;
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
