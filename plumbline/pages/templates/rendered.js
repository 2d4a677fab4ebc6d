"use strict";
// Shows LaTeX and Markdown as they are meant, next to the raw text: a small reader that makes elements and MathML, never markup from text.
// Links and pictures stay text. What it does not know stays as it is written. `rendered(text)` is null if there is nothing to render.
const rendered = (() => {
  const MATH = "http://www.w3.org/1998/Math/MathML";
  const MAX_CHARACTERS = 40_000; // more would hold up the page; the raw text is there anyway
  const MAX_DEPTH = 60;
  const HINT = /\$[^$\s]|\\[(\[a-zA-Z]|\*\*\S|`|^ {0,3}#{1,6} |^\s*(?:[-*+]|\d{1,3}[.)]) |^\s*>|^\s*\|.*\|/m;
  const SYMBOLS = {
    alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ϵ", varepsilon: "ε", zeta: "ζ", eta: "η", theta: "θ", vartheta: "ϑ", iota: "ι", kappa: "κ",
    lambda: "λ", mu: "μ", nu: "ν", xi: "ξ", pi: "π", rho: "ρ", varrho: "ϱ", sigma: "σ", tau: "τ", upsilon: "υ", phi: "ϕ", varphi: "φ", chi: "χ", psi: "ψ",
    omega: "ω", Gamma: "Γ", Delta: "Δ", Theta: "Θ", Lambda: "Λ", Xi: "Ξ", Pi: "Π", Sigma: "Σ", Upsilon: "Υ", Phi: "Φ", Psi: "Ψ", Omega: "Ω",
    hbar: "ℏ", ell: "ℓ", Re: "ℜ", Im: "ℑ", infty: "∞", partial: "∂", nabla: "∇", emptyset: "∅", degree: "°", circ: "∘", prime: "′", angle: "∠",
    ldots: "…", dots: "…", cdots: "⋯", vdots: "⋮",
  };
  const OPERATORS = {
    times: "×", cdot: "⋅", div: "÷", pm: "±", mp: "∓", ast: "∗", star: "⋆", leq: "≤", le: "≤", geq: "≥", ge: "≥", neq: "≠", ne: "≠", approx: "≈", equiv: "≡",
    sim: "∼", simeq: "≃", cong: "≅", propto: "∝", ll: "≪", gg: "≫", in: "∈", notin: "∉", subset: "⊂", subseteq: "⊆", cup: "∪", cap: "∩", setminus: "∖",
    to: "→", rightarrow: "→", leftarrow: "←", Rightarrow: "⇒", Leftarrow: "⇐", leftrightarrow: "↔", Leftrightarrow: "⇔", implies: "⟹", iff: "⟺", mapsto: "↦",
    forall: "∀", exists: "∃", neg: "¬", land: "∧", wedge: "∧", lor: "∨", vee: "∨", parallel: "∥", perp: "⊥", mid: "∣", therefore: "∴", because: "∵", oplus: "⊕",
    otimes: "⊗", sum: "∑", prod: "∏", int: "∫", iint: "∬", oint: "∮", langle: "⟨", rangle: "⟩", lfloor: "⌊", rfloor: "⌋", lceil: "⌈", rceil: "⌉", vert: "|",
    Vert: "‖", lbrace: "{", rbrace: "}", backslash: "\\",
  };
  const NAMES = new Set("sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh ln log lg exp max min lim sup inf det dim ker deg gcd arg".split(" "));
  const LIMITS = new Set(["sum", "prod", "lim", "max", "min"]);
  const SPACES = { ",": 0.17, ":": 0.22, ";": 0.28, "!": 0, " ": 0.3, quad: 1, qquad: 2, thinspace: 0.17, enspace: 0.5 };
  const TEXTS = { text: "", textrm: "", mathrm: "", operatorname: "", mbox: "", textbf: "bold", mathbf: "bold", boldsymbol: "bold", textit: "italic" };
  const ACCENTS = { vec: "→", hat: "^", bar: "¯", overline: "¯", dot: "˙", ddot: "¨", tilde: "~" };
  const IGNORED = new Set(["displaystyle", "textstyle", "limits", "nolimits", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "boxed", "mathit", "mathcal", "mathbb"]);

  const made = (name, text, children = []) => {
    const element = document.createElementNS(MATH, name);
    if (text !== undefined) element.textContent = text;
    element.append(...children);
    return element;
  };
  const rowOf = (nodes) => (nodes.length === 1 ? nodes[0] : made("mrow", undefined, nodes));

  // ---- LaTeX: a reader of tokens; anything unknown becomes its own text
  const tokens = (source) => source.match(/\\[a-zA-Z]+\*?|\\[\s\S]|\d+(?:[.,]\d+)*|\s+|[\s\S]/gu) ?? [];

  const mathOf = (source, block) => {
    const words = tokens(source);
    let at = 0;
    let depth = 0;
    const peek = () => words[at];
    const skip = () => {
      while (at < words.length && /^\s+$/.test(words[at])) at += 1;
    };
    // The text of a group as it is written, for \text and the name of an environment.
    const rawGroup = () => {
      skip();
      if (peek() !== "{") return words[at++] ?? "";
      let open = 0;
      let text = "";
      for (; at < words.length; at += 1) {
        if (words[at] === "{" && ++open === 1) continue;
        if (words[at] === "}" && --open === 0) break;
        text += words[at];
      }
      at += 1;
      return text;
    };
    const argument = () => {
      skip();
      if (peek() === "{") {
        at += 1;
        const inner = sequence((word) => word === "}");
        at += 1;
        return rowOf(inner);
      }
      return atom() ?? made("mrow");
    };
    const delimiter = () => {
      skip();
      const word = words[at++] ?? "";
      return word === "." ? "" : word.startsWith("\\") ? (OPERATORS[word.slice(1)] ?? word.slice(1)) : word;
    };
    const fenced = (text, stretchy) => {
      const fence = made("mo", text);
      fence.setAttribute("stretchy", stretchy);
      return fence;
    };
    const table = (name) => {
      const rows = [];
      let cells = [];
      if (name === "array") rawGroup();
      while (at < words.length) {
        cells.push(made("mtd", undefined, sequence((word) => word === "&" || word === "\\\\" || word === "\\end")));
        const word = words[at++];
        if (word === "&") continue;
        rows.push(made("mtr", undefined, cells));
        cells = [];
        if (word !== "\\\\") break;
      }
      rawGroup(); // the name that ends it
      const grid = made("mtable", undefined, rows);
      if (/^(?:align|aligned|split|gather|eqnarray)/.test(name)) grid.classList.add("aligned");
      const [left, right] = { pmatrix: ["(", ")"], bmatrix: ["[", "]"], vmatrix: ["|", "|"], cases: ["{", ""] }[name.replace("*", "")] ?? ["", ""];
      return rowOf([...(left ? [fenced(left, true)] : []), grid, ...(right ? [fenced(right, true)] : [])]);
    };
    const command = (name) => {
      if (name in SYMBOLS) return made("mi", SYMBOLS[name]);
      if (name in OPERATORS) return made("mo", OPERATORS[name]);
      if (NAMES.has(name)) return made("mi", name);
      if (name in SPACES) {
        const space = made("mspace");
        space.setAttribute("width", `${SPACES[name]}em`);
        return space;
      }
      if (name in TEXTS) {
        const text = made("mtext", rawGroup().replace(/\\([%$&#_{} ])/g, "$1").replaceAll(" ", "\u00a0"));
        if (TEXTS[name]) text.setAttribute("class", TEXTS[name]);
        return text;
      }
      if (name === "frac" || name === "dfrac" || name === "tfrac") return made("mfrac", undefined, [argument(), argument()]);
      if (name === "binom") {
        const stack = made("mfrac", undefined, [argument(), argument()]);
        stack.setAttribute("linethickness", "0");
        return rowOf([fenced("(", true), stack, fenced(")", true)]);
      }
      if (name === "sqrt") {
        skip();
        if (peek() !== "[") return made("msqrt", undefined, [argument()]);
        at += 1;
        const degree = rowOf(sequence((word) => word === "]"));
        at += 1;
        return made("mroot", undefined, [argument(), degree]);
      }
      if (name in ACCENTS) {
        const accent = made("mover", undefined, [argument(), made("mo", ACCENTS[name])]);
        accent.setAttribute("accent", "true");
        return accent;
      }
      if (name === "left") {
        const left = delimiter();
        const inner = sequence((word) => word === "\\right");
        at += 1;
        return rowOf([fenced(left, true), ...inner, fenced(delimiter(), true)]);
      }
      if (name === "begin") return table(rawGroup());
      if (IGNORED.has(name)) return made("mrow");
      if ("%$&#_{}".includes(name)) return made("mo", name);
      return made("mtext", `\\${name}`);
    };
    const atom = () => {
      skip();
      const word = words[at++];
      if (word === undefined) return null;
      if (word === "{") {
        at -= 1;
        return argument();
      }
      if (word.startsWith("\\")) return command(word.slice(1));
      if (/^\d/.test(word)) return made("mn", word);
      if (/^\p{L}/u.test(word)) return made("mi", word);
      return fenced(word === "-" ? "−" : word === "'" ? "′" : word, "()[]|{}".includes(word) ? "false" : "true");
    };
    function sequence(ends) {
      if (++depth > MAX_DEPTH) throw new RangeError("nested too deeply");
      const nodes = [];
      for (skip(); at < words.length && !ends(peek()); skip()) {
        if (peek() === "}") {
          at += 1; // one too many: left out, as TeX would complain
          continue;
        }
        if (peek() !== "^" && peek() !== "_") {
          const isLimit = LIMITS.has(peek().slice(1));
          const node = atom();
          if (isLimit) node.dataset.limits = "yes";
          if (node) nodes.push(node);
          continue;
        }
        const base = nodes.pop() ?? made("mrow");
        const parts = {};
        while (peek() === "^" || peek() === "_") {
          const place = words[at++];
          parts[place] = argument();
          skip();
        }
        const [under, over] = base.dataset.limits && block ? ["munder", "mover"] : ["msub", "msup"];
        if (parts._ && parts["^"]) nodes.push(made(under === "munder" ? "munderover" : "msubsup", undefined, [base, parts._, parts["^"]]));
        else nodes.push(made(parts._ ? under : over, undefined, [base, parts._ ?? parts["^"]]));
      }
      depth -= 1;
      return nodes;
    }
    const math = made("math", undefined, [rowOf(sequence(() => false))]);
    if (block) math.setAttribute("display", "block");
    return math;
  };

  // ---- Markdown: blocks, then what stands in a line
  const element = (name, children = [], className) => {
    const node = document.createElement(name);
    if (className) node.className = className;
    node.append(...children);
    return node;
  };
  // Code first, then formulas, then bold and italic: a star in a formula is not emphasis, and $5 and $6 are money.
  const INLINE =
    /(`+)([\s\S]+?)\1(?!`)|\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\]|\\\(([\s\S]+?)\\\)|\$(?![\s$])((?:\\.|[^$\\\n])+?)(?<!\s)\$(?!\d)|\*\*(?=\S)([\s\S]+?)(?<=\S)\*\*|(?<![\w*])\*(?=[^\s*])([^*\n]+?)(?<=\S)\*(?![\w*])|(?<!\w)__(?=\S)([\s\S]+?)(?<=\S)__(?!\w)/g;
  const inline = (text, depth = 0) => {
    const nodes = [];
    let end = 0;
    for (const match of depth > 5 ? [] : text.matchAll(INLINE)) {
      if (match.index > end) nodes.push(text.slice(end, match.index));
      end = match.index + match[0].length;
      const [, , code, display, square, round, dollar, bold, italic, strong] = match;
      const block = display ?? square;
      if (code !== undefined) nodes.push(element("code", [code.trim()]));
      else if (block !== undefined) nodes.push(element("span", [mathOf(block, true)], "formula"));
      else if (round !== undefined || dollar !== undefined) nodes.push(mathOf(round ?? dollar, false));
      else if (bold !== undefined || strong !== undefined) nodes.push(element("strong", inline(bold ?? strong, depth + 1)));
      else nodes.push(element("em", inline(italic, depth + 1)));
    }
    if (end < text.length) nodes.push(text.slice(end));
    return nodes;
  };

  const cellsOf = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
  const LIST = /^(\s*)([-*+]|\d{1,3}[.)])\s+(.*)$/;
  const ENVIRONMENT = /^\s*\\begin\{(?:align|equation|gather|eqnarray|cases|[pbv]?matrix)\*?\}/;

  const blocks = (text) => {
    const lines = text.split("\n");
    const out = [];
    let at = 0;
    const isBlank = (line) => line === undefined || !line.trim();
    const gather = (goesOn) => {
      const taken = [];
      while (at < lines.length && goesOn(lines[at], taken.length)) taken.push(lines[at++]);
      return taken;
    };
    const listOf = (indent) => {
      const first = LIST.exec(lines[at]);
      const list = element(/\d/.test(first[2]) ? "ol" : "ul");
      if (list.tagName === "OL") list.start = parseInt(first[2], 10);
      for (let match; at < lines.length && (match = LIST.exec(lines[at])) && match[1].length >= indent; ) {
        if (match[1].length > indent + 1 && list.lastChild) {
          list.lastChild.append(listOf(match[1].length));
          continue;
        }
        at += 1;
        const more = gather((line) => !isBlank(line) && !LIST.test(line) && /^\s{2,}/.test(line)).map((line) => line.trim());
        list.append(element("li", inline([match[3], ...more].join("\n"))));
        if (isBlank(lines[at]) && LIST.test(lines[at + 1] ?? "")) at += 1;
      }
      return list;
    };
    while (at < lines.length) {
      const line = lines[at];
      const heading = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/.exec(line);
      const fence = /^\s*(```+|~~~+)/.exec(line);
      if (isBlank(line)) at += 1;
      else if (fence) {
        at += 1;
        out.push(element("pre", [gather((next) => !next.trim().startsWith(fence[1])).join("\n")]));
        at += 1;
      } else if (heading) {
        at += 1;
        out.push(element("p", inline(heading[2]), "heading"));
      } else if (/^\s*(?:[-*_]\s*){3,}$/.test(line)) {
        at += 1;
        out.push(element("hr"));
      } else if (line.includes("|") && /^\s*\|?\s*:?-{2,}/.test(lines[at + 1] ?? "")) {
        const [head, , ...rows] = gather((next) => next.includes("|"));
        const rowIn = (name, row) => element("tr", cellsOf(row).map((cell) => element(name, inline(cell))));
        out.push(element("table", [element("thead", [rowIn("th", head)]), element("tbody", rows.map((row) => rowIn("td", row)))]));
      } else if (/^\s*>/.test(line)) out.push(element("blockquote", inline(gather((next) => /^\s*>/.test(next)).map((one) => one.replace(/^\s*> ?/, "")).join("\n"))));
      else if (LIST.test(line)) out.push(listOf(LIST.exec(line)[1].length));
      else if (ENVIRONMENT.test(line)) {
        const taken = gather((next, number) => number === 0 || !/\\end\{/.test(lines[at - 1]));
        out.push(element("p", [element("span", [mathOf(taken.join("\n").replace(/\\(?:begin|end)\{equation\*?\}/g, ""), true)], "formula")]));
      } else {
        const opens = (next) => /^ {0,3}#{1,6}\s|^\s*(?:```|~~~|>)/.test(next) || LIST.test(next) || ENVIRONMENT.test(next);
        // A displayed formula may run over lines that look like anything.
        let isOpen = false;
        const taken = gather((next, number) => {
          if (!isOpen && (isBlank(next) || (number > 0 && opens(next)))) return false;
          for (const mark of next.match(/\$\$|\\\[|\\\]/g) ?? []) isOpen = mark === "\\[" ? true : mark === "\\]" ? false : !isOpen;
          return true;
        });
        out.push(element("p", inline(taken.join("\n"))));
      }
    }
    return out;
  };

  return (text) => {
    if (text.length > MAX_CHARACTERS || !HINT.test(text)) return null;
    try {
      const box = element("div", blocks(text), "rendered");
      box.dir = "auto";
      // Only if it shows something else than the raw text.
      return box.querySelector("math, strong, em, code, pre, ul, ol, table, blockquote, .heading, hr") ? box : null;
    } catch (error) {
      if (error instanceof RangeError) return null;
      throw error;
    }
  };
})();
