// What the dashboard's pages add to the style and the script of reports. Both are served as files of their own, so that pages
// may forbid everything that is written into them.

import Reports

package enum DashboardAssets {
  package static let style =
    PageStyle.sheet + """
      .trail{margin:0 0 6px;font-size:13px;color:var(--mut)}
      #live{margin:4px 0 0;font-size:13px;color:var(--mut)}
      #live::before{content:"";display:inline-block;width:8px;height:8px;border-radius:4px;margin-right:6px;\
      background:var(--fnt)}
      #live.on::before{background:var(--s2)}
      #live.lost::before{background:var(--s1)}
      #points .table{max-height:none}
      .quiet{color:var(--mut);margin:6px 0;max-width:74ch}
      .bad{border-left:3px solid var(--s1);padding-left:10px}
      th.n{text-align:right}
      .table+figure,.table+h3{margin-top:20px}
      td{vertical-align:top}
      .reason{display:inline-block;min-width:14em;max-width:46em}
      progress{width:110px;height:10px;vertical-align:middle;accent-color:var(--s0)}
      .wide-bar progress{width:100%;height:14px}
      form{display:flex;flex-wrap:wrap;gap:8px;align-items:center}
      input,select{font:inherit;color:inherit;background:none;border:1px solid var(--mut);border-radius:4px;padding:2px 8px}
      @media print{#live,form{display:none}}

      """

  package static let script =
    PageScript.text + #"""
      (() => {
        "use strict";
        const since = text => {
          const seconds = (Date.now() - Date.parse(text)) / 1000;
          if (!(seconds >= 0)) return null;
          if (seconds < 60) return `${Math.floor(seconds)} s ago`;
          if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
          if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
          return `${Math.floor(seconds / 86400)} d ago`;
        };
        const tell = () => {
          for (const time of document.querySelectorAll("time[data-ago]")) {
            time.title = time.dateTime;
            time.textContent = since(time.dateTime) ?? time.textContent;
          }
        };
        tell();
        setInterval(tell, 1000);

        const line = document.getElementById("live");
        if (!line) return;
        const say = (kind, text) => { line.className = kind; line.textContent = text; };
        let source = null, seen = null, retry = 0;

        const put = ({name, html}) => {
          const section = document.getElementById(name);
          if (!section || section.contains(document.activeElement)) return;
          const places = [...section.querySelectorAll(".table")].map(box => [box.scrollLeft, box.scrollTop]);
          const opened = [...section.querySelectorAll("details")].map(box => box.open);
          section.innerHTML = html;
          section.querySelectorAll(".table").forEach((box, i) => { if (places[i]) [box.scrollLeft, box.scrollTop] = places[i]; });
          section.querySelectorAll("details").forEach((box, i) => { box.open = opened[i] ?? false; });
          tell();
        };

        const close = () => { if (source) { source.close(); source = null; } };
        const open = () => {
          clearTimeout(retry);
          if (source || document.hidden) return;
          const url = new URL(line.dataset.events, location.href);
          if (seen) url.searchParams.set("seen", seen);
          source = new EventSource(url);
          source.onopen = () => say("on", "Live: this page follows the store.");
          source.onerror = () => {
            say("lost", "The dashboard does not answer: what stands here may be old. Trying again.");
            if (source && source.readyState === EventSource.CLOSED) { close(); retry = setTimeout(open, 5000); }
          };
          source.addEventListener("part", event => {
            if (event.lastEventId) seen = event.lastEventId;
            put(JSON.parse(event.data));
          });
          source.addEventListener("again", () => { close(); location.reload(); });
        };
        /* Browsers keep few connections to one server: pages that nobody sees give theirs back. */
        document.addEventListener("visibilitychange", () => {
          if (document.hidden) { close(); say("", "Not followed while hidden."); } else open();
        });
        addEventListener("pagehide", close);
        open();
      })();

      """#
}
