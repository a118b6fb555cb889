// How pages look: one column of text, light or dark as the reader's system is, plain when printed. Tables that are wider than
// the page scroll by themselves, with a shade where there is more.

import Figures

package enum PageStyle {
  package static let sheet =
    Theme.styleSheet + """
      *{box-sizing:border-box}
      html{-webkit-text-size-adjust:100%}
      body{margin:0 auto;max-width:880px;padding:24px 20px 60px;background:var(--gnd);color:var(--ink);\
      font:15px/1.5 system-ui,"Helvetica Neue",Arial,"Liberation Sans",sans-serif}
      h1{font-size:24px;line-height:1.25;margin:0 0 8px;overflow-wrap:anywhere}
      h2{font-size:19px;margin:40px 0 12px;padding-top:12px;border-top:1px solid var(--fnt)}
      h3{font-size:16px;margin:0 0 6px}
      a{color:var(--s0)}
      nav{margin:14px 0 0}
      nav a{display:inline-block;margin:0 14px 4px 0}
      .facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(230px,1fr));gap:2px 24px;margin:12px 0}
      .facts div{display:flex;gap:10px;justify-content:space-between;border-bottom:1px solid var(--fnt);padding:3px 0}
      .facts dt{color:var(--mut);flex:1 1 0;min-width:6em}
      .facts dd{margin:0;text-align:right;flex:0 1 auto;overflow-wrap:break-word;min-width:0}
      p,figcaption{overflow-wrap:anywhere}
      figure{margin:0 0 36px}
      .drawing svg{display:block;width:100%;height:auto}
      .drawing.narrow{display:none}
      svg.figure image{image-rendering:pixelated}
      figcaption{color:var(--mut);font-size:14px;margin-top:6px;max-width:74ch}
      code{font:.92em ui-monospace,"Liberation Mono",Menlo,monospace;overflow-wrap:anywhere}
      .absent{color:var(--mut);border:1px dashed var(--fnt);padding:14px 16px;margin:0}
      details{margin-top:6px;font-size:14px}
      summary{cursor:pointer;color:var(--mut)}
      .table{overflow:auto;max-height:70vh;margin:6px 0;background:\
      linear-gradient(90deg,var(--gnd) 30%,transparent) left/40px 100% no-repeat local,\
      linear-gradient(-90deg,var(--gnd) 30%,transparent) right/40px 100% no-repeat local,\
      linear-gradient(90deg,var(--fnt),transparent) left/14px 100% no-repeat,\
      linear-gradient(-90deg,var(--fnt),transparent) right/14px 100% no-repeat}
      table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}
      th,td{padding:3px 8px 3px 0;text-align:left;border-bottom:1px solid var(--fnt);white-space:nowrap}
      th{position:sticky;top:0;background:var(--gnd);font-weight:600}
      td.n{text-align:right}
      td:not(.n){white-space:normal}
      td code,time{overflow-wrap:normal;white-space:nowrap}
      .save{margin:6px 0 0;font-size:13px;color:var(--mut)}
      button{font:inherit;color:inherit;background:none;border:1px solid var(--fnt);border-radius:4px;padding:2px 9px;\
      cursor:pointer}
      button:hover{border-color:var(--mut)}
      #tip{position:fixed;z-index:9;pointer-events:none;background:var(--gnd);color:var(--ink);border:1px solid var(--mut);\
      border-radius:4px;padding:5px 9px;font-size:13px;line-height:1.35;white-space:pre-wrap;\
      width:max-content;max-width:min(90vw,64ch);\
      font-variant-numeric:tabular-nums}
      footer{margin-top:48px;color:var(--mut);font-size:13px;overflow-wrap:anywhere}
      @media (max-width:620px){body{padding:16px 14px 40px}.drawing.wide{display:none}.drawing.narrow{display:block}}
      @media print{body{max-width:none;padding:0;font-size:12px}nav,.save,details,#tip,.trail{display:none}\
      .drawing.wide{display:block}.drawing.narrow{display:none}.drawing svg{max-height:220mm}\
      figure,.facts,tr{break-inside:avoid}h2,h3{break-after:avoid}figcaption{max-width:none;font-size:11px}\
      .table{overflow:visible;max-height:none;background:none}table{font-size:9px}th{position:static}\
      th,td{padding:2px 6px 2px 0}}

      """
}
