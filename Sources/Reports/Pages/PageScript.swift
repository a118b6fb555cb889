// The few lines of script of a page: values under the pointer, tables, saving. Without script everything is still there but
// these.
//
// It reads what drawings carry for it: `data-plot`, `data-x` and `data-y` of a panel, `data-v` of a line (and `data-steps` where
// it goes in steps), `data-text` of a table whose columns of these numbers are words, `data-cells` of a picture of cells, whose
// levels are the bytes of its PNG (Sources/Figures/Raster.swift), and the titles of dots, bars and cells.

import Figures

package enum PageScript {
  package static let text = #"""
    (() => {
      "use strict";
      const tip = document.createElement("div");
      tip.id = "tip"; tip.hidden = true; document.body.append(tip);

      const say = v => {
        const a = Math.abs(v);
        if (a === 0) return "0";
        if (a >= 1e7 || a < 1e-3) return v.toExponential(3).replace(/\.?0+e/, "e").replace("e+", "e");
        if (a >= 1000) return Math.round(v).toLocaleString("en-US");
        return String(Number(v.toPrecision(4)));
      };
      const axis = text => {
        const [kind, low, high] = text.split(" ");
        return {log: kind === "log", low: Number(low), high: Number(high)};
      };
      const at = (a, share) => a.log
        ? 10 ** (Math.log10(a.low) + share * (Math.log10(a.high) - Math.log10(a.low)))
        : a.low + share * (a.high - a.low);

      /* Vertices of a line: [x, y, x, y, …]. */
      const known = new WeakMap();
      const once = (element, make) => {
        if (!known.has(element)) known.set(element, make());
        return known.get(element);
      };

      const linesAt = (panel, shareX) => {
        /* A line has no value beyond its ends, but for what a hand cannot point at more exactly. */
        const a = axis(panel.dataset.x), x = at(a, shareX), from = at(a, shareX - .015), to = at(a, shareX + .015);
        const found = [];
        let nearest = null;
        for (const path of panel.querySelectorAll("path[data-v]")) {
          const v = once(path, () => path.dataset.v.split(" ").map(Number));
          let best = -1;
          for (let i = 0; i + 1 < v.length; i += 2)
            if (best < 0 || Math.abs(v[i] - x) < Math.abs(v[best] - x)) best = i;
          if (best < 0 || v[0] > to || v[v.length - 2] < from) continue;
          if ("steps" in path.dataset) {
            /* Holds its value until the next vertex. */
            best = 0;
            for (let i = 0; i + 1 < v.length; i += 2) if (v[i] <= x) best = i;
            found.push([path.dataset.label, null, v[best + 1]]);
            continue;
          }
          if (nearest === null || Math.abs(v[best] - x) < Math.abs(nearest - x)) nearest = v[best];
          found.push([path.dataset.label, v[best], v[best + 1]]);
        }
        if (found.length === 0) return null;
        const title = panel.dataset.xTitle || "x", head = nearest ?? Number(x.toPrecision(3));
        const own = place => place === null || place === head ? "" : ` (at ${say(place)})`;
        return [`${title} ${say(head)}`, ...found.map(([label, place, value]) => `${label}: ${say(value)}${own(place)}`)]
          .join("\n");
      };

      /* A level stands for all values up to the next one: no more digits than tell the two apart. */
      const about = (a, level) => {
        const value = at(a, level / 254), step = Math.abs(at(a, (level + 1) / 254) - value);
        if (!(step > 0)) return say(value);
        const grain = 10 ** Math.floor(Math.log10(step));
        return `≈ ${say(Math.round(value / grain) * grain)}`;
      };

      const cellAt = (panel, shareX, shareY) => {
        const image = panel.querySelector("image[data-cells]");
        if (!image) return null;
        const [columns, rows] = image.dataset.cells.split(" ").map(Number);
        const column = Math.min(columns - 1, Math.floor(shareX * columns));
        const row = Math.min(rows - 1, Math.floor((1 - shareY) * rows));
        const bytes = once(image, () => atob(image.getAttribute("href").split(",")[1]));
        const place = row * (columns + 1) + 1 + column;
        const level = bytes.charCodeAt(OFFSET + place + 5 * Math.floor(place / BLOCK));
        const value = level === 0 ? "–" : about(axis(image.dataset.value), level - 1);
        const name = (title, place, names) => names ? `${title}: ${names.split("|")[place]}` : `${title} = ${place}`;
        return [name(panel.dataset.xTitle, column, image.dataset.columns),
          name(panel.dataset.yTitle, rows - 1 - row, image.dataset.rows),
          `${image.dataset.valueTitle}: ${value}`].join("\n");
      };

      /* What a dot, a bar, a cell or a shade says of itself, kept where browsers do not show it a second time. */
      const said = (event, svg) => {
        for (const under of document.elementsFromPoint(event.clientX, event.clientY))
          for (let element = under; svg.contains(element) && element !== svg; element = element.parentElement) {
            const title = element.querySelector(":scope > title");
            if (title) { element.dataset.said = title.textContent; title.remove(); }
            if (element.dataset.said) return element.dataset.said;
          }
        return null;
      };

      const show = (event, svg) => {
        const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
        let values = null;
        for (const panel of svg.querySelectorAll("g.panel")) {
          const [x, y, width, height] = panel.dataset.plot.split(" ").map(Number);
          const shareX = (point.x - x) / width, shareY = 1 - (point.y - y) / height;
          if (shareX < 0 || shareX > 1 || shareY < 0 || shareY > 1) continue;
          values = cellAt(panel, shareX, shareY) ?? linesAt(panel, shareX);
        }
        const text = [values, said(event, svg)].filter(words => words).join("\n");
        tip.hidden = text === "";
        if (tip.hidden) return;
        tip.textContent = text;
        const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
        const above = event.clientY - tip.offsetHeight - 12;
        tip.style.left = `${Math.max(8, left)}px`;
        tip.style.top = `${above < 8 ? event.clientY + 18 : above}px`;
      };

      const rowsOf = csv => {
        const rows = [[]];
        let field = "", quoted = false;
        for (let i = 0; i < csv.length; i++) {
          const c = csv[i];
          if (quoted) {
            if (c !== '"') field += c;
            else if (csv[i + 1] === '"') { field += c; i++; }
            else quoted = false;
          } else if (c === '"') quoted = true;
          else if (c === "," || c === "\n") {
            rows[rows.length - 1].push(field); field = "";
            if (c === "\n") rows.push([]);
          } else if (c !== "\r") field += c;
        }
        rows.pop();
        return rows;
      };

      const fill = (box, csv) => {
        const words = (box.dataset.text ?? "").split(" ");
        const [head, ...rows] = rowsOf(csv), table = document.createElement("table");
        const add = (parent, cells, tag) => {
          const row = document.createElement("tr");
          for (const [place, text] of cells.entries()) {
            const cell = document.createElement(tag), isWords = words.includes(String(place));
            const number = !isWords && text !== "" && isFinite(text);
            cell.textContent = tag === "td" && number ? say(Number(text)) : text === "" ? "–" : text;
            if (tag === "td" && (number || text === "")) cell.className = "n";
            row.append(cell);
          }
          parent.append(row);
        };
        add(table.createTHead(), head, "th");
        const body = table.createTBody();
        for (const row of rows.slice(0, 500)) add(body, row, "td");
        box.replaceChildren(table);
        if (rows.length > 500) box.append(`… and ${(rows.length - 500).toLocaleString("en-US")} more rows, in the CSV.`);
      };

      const save = (name, type, text) => {
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob([text], {type}));
        link.download = name; link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 10000);
      };

      const savedSVG = svg => {
        const copy = svg.cloneNode(true);
        const [, , width, height] = copy.getAttribute("viewBox").split(" ");
        const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        ground.setAttribute("width", width); ground.setAttribute("height", height); ground.setAttribute("fill", "#fff");
        copy.prepend(ground);
        for (const node of copy.querySelectorAll("[data-said]")) {
          const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
          title.textContent = node.dataset.said;
          node.prepend(title);
        }
        for (const node of copy.querySelectorAll("[data-v],[data-plot],[data-cells],[data-said]"))
          for (const key of Object.keys(node.dataset)) delete node.dataset[key];
        return new XMLSerializer().serializeToString(copy);
      };

      /* Browsers would show the drawing's own title over every value. */
      const quiet = svg => {
        const title = svg.querySelector(":scope > title");
        if (title) { svg.setAttribute("aria-label", title.textContent); svg.removeAttribute("aria-labelledby"); title.remove(); }
      };
      /* Of the document: drawings of a live page come and go. */
      document.addEventListener("pointermove", event => {
        const svg = event.target.closest?.("svg.figure");
        if (!svg) { tip.hidden = true; return; }
        quiet(svg);
        show(event, svg);
      });
      document.addEventListener("pointerleave", () => { tip.hidden = true; });
      document.addEventListener("toggle", event => {
        const box = event.target.querySelector?.(".table"), figure = event.target.closest?.("figure");
        const csv = figure?.querySelector("pre.csv");
        if (event.target.open && box && csv && !box.firstChild) fill(box, csv.textContent);
      }, true);
      document.addEventListener("click", event => {
        const kind = event.target.dataset?.save, figure = event.target.closest?.("figure");
        if (!kind || !figure) return;
        if (kind === "csv") save(`${figure.dataset.name}.csv`, "text/csv", figure.querySelector("pre.csv").textContent.replace(/\r?\n/g, "\r\n"));
        else save(`${figure.dataset.name}.svg`, "image/svg+xml", savedSVG(figure.querySelector("svg.figure")));
      });
    })();

    """#
    .replacing("OFFSET", with: "\(Raster.rowsOffset)").replacing("BLOCK", with: "\(Raster.blockSize)")
}
