/**
 * The report's style sheet: one column, light and dark, and on paper.
 *
 * @module
 */
export const style = `
:root{color-scheme:light dark;--page:#f6f7f9;--surface:#fff;--ink:#17202b;--muted:#5c6875;--grid:#e3e7ec;--line:#dde2e8;--accent:#0b6e8f;
--c1:#0b6e8f;--c2:#d1495b;--c3:#b7791f;--c4:#6a4c93;--c5:#2a7f4f;--c6:#3f5bd4;--c7:#a23b80;--c8:#7a5c43;
--good:#1d6b41;--good-bg:#e2f3e9;--warn:#7a4d00;--warn-bg:#fdf0d5;--bad:#9b1c2e;--bad-bg:#fbe4e6;--plain:#3d4a58;--plain-bg:#e9edf1}
@media (prefers-color-scheme:dark){:root{--page:#10151b;--surface:#182029;--ink:#e8edf2;--muted:#9aa7b4;--grid:#2a3541;--line:#2a3541;--accent:#5cc3e4;
--c1:#5cc3e4;--c2:#ff8a97;--c3:#f0b95b;--c4:#b99be8;--c5:#6fcf97;--c6:#93a7ff;--c7:#ee8fd0;--c8:#cbaa8b;
--good:#8be0b0;--good-bg:#17382a;--warn:#f5cd83;--warn-bg:#3d2f12;--bad:#ffa3ad;--bad-bg:#461d24;--plain:#c3ced9;--plain-bg:#26313c}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1120px;margin:0 auto;padding:40px 24px 64px}
h1{font-size:30px;line-height:1.2;letter-spacing:-.02em;margin:0 0 6px;overflow-wrap:anywhere}
h2{font-size:20px;letter-spacing:-.01em;margin:0 0 4px}
h3{font-size:15px;margin:0 0 10px;font-weight:600}
p{margin:0 0 12px;max-width:76ch}
section{margin-top:44px}
.quiet,.lead{color:var(--muted)}
.eyebrow{font-size:12px;font-weight:600;letter-spacing:.08em;text-transform:uppercase;color:var(--accent);margin:0 0 8px}
.badges{display:flex;flex-wrap:wrap;gap:8px;margin:14px 0 0;padding:0;list-style:none}
.badge{display:inline-block;padding:3px 11px;border-radius:99px;font-size:13px;font-weight:600;white-space:nowrap}
.good{color:var(--good);background:var(--good-bg)}.warn{color:var(--warn);background:var(--warn-bg)}
.bad{color:var(--bad);background:var(--bad-bg)}.plain{color:var(--plain);background:var(--plain-bg)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin-top:28px}
.tile,.card{background:var(--surface);border:1px solid var(--line);border-radius:12px}
.tile{padding:14px 16px}
.tile dt{font-size:13px;color:var(--muted)}.tile dd{margin:2px 0 0;font-size:26px;font-weight:650;letter-spacing:-.02em;line-height:1.25}
.tile small{display:block;font-size:12.5px;font-weight:400;letter-spacing:0;color:var(--muted)}
.card{padding:20px;margin-top:16px}
.pair{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:16px;margin-top:16px}.pair .card{margin:0}.pair .card:only-child{grid-column:1/-1}
.chart{display:block;width:100%;height:auto}.chart text{font-family:inherit!important}
.to-wide{display:none}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin:8px 0 0;padding:0;list-style:none;font-size:13px;color:var(--muted)}
.legend li{display:flex;align-items:center;gap:7px}.legend i{width:18px;border-radius:2px}.legend i.ring{width:13px;height:13px;border:2px solid var(--ink);border-radius:50%}.legend i.dot{width:12px;height:12px;border-radius:3px}
.scroll{overflow:auto;max-height:460px;border:1px solid var(--line);border-radius:12px;background:var(--surface);margin-top:14px}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{padding:8px 14px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
tr:last-child td{border-bottom:0}
th{position:sticky;top:0;background:var(--surface);color:var(--muted);font-weight:600;font-size:12.5px;box-shadow:inset 0 -1px var(--line)}
th.text,td.text{text-align:left}td.wrap{white-space:normal;min-width:220px}
tr.best td{background:var(--good-bg)}
.verdict{border-left:4px solid currentColor;border-radius:0 12px 12px 0;padding:14px 18px;margin:14px 0}
.verdict p{margin:0;color:var(--ink)}.verdict strong{display:block;margin-bottom:2px}
.case+.case{margin-top:20px}
.case header{display:flex;flex-wrap:wrap;justify-content:space-between;gap:4px 16px;align-items:baseline;margin-bottom:12px}
.case h3{margin:0;overflow-wrap:anywhere}.case header span{font-size:13px;color:var(--muted)}
.slices{display:grid;gap:6px;grid-template-columns:22px repeat(var(--columns),minmax(0,1fr));font-size:12.5px;color:var(--muted)}
.slices b{font-weight:600;text-align:center}.slices .row{text-align:center;writing-mode:vertical-rl;transform:rotate(180deg)}
.slices svg{display:block;width:100%;height:auto;background:#000;border-radius:8px}
.slices .caption{grid-column:2/-1;max-width:none;margin:0 0 12px;text-align:center}
.labels path{fill-opacity:.36;stroke-width:1.6px;vector-effect:non-scaling-stroke;stroke-linejoin:round;fill-rule:evenodd}
body:has(#overlays:not(:checked)) .overlay{display:none}
.toggle{display:inline-flex;gap:8px;align-items:center;font-size:13.5px;color:var(--muted);cursor:pointer}
.between{display:flex;flex-wrap:wrap;gap:8px 24px;justify-content:space-between;align-items:center;margin-top:10px}.between .legend{margin:0}
.facts{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:7px 24px;margin:0;font-size:14px}
.facts dt{color:var(--muted)}.facts dd{margin:0;overflow-wrap:anywhere}
code{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
footer{margin-top:48px;padding-top:16px;border-top:1px solid var(--line);font-size:13px;color:var(--muted)}
@media screen and (max-width:760px){.from-wide{display:none}.to-wide{display:block}main{padding:24px 16px 48px}.pair{grid-template-columns:minmax(0,1fr)}.facts{grid-template-columns:1fr;gap:0}.facts dd{margin-bottom:8px}.card{padding:14px}}
@media print{:root{color-scheme:light;--page:#fff;--surface:#fff;--ink:#17202b;--muted:#4b5763;--grid:#e3e7ec;--line:#d5dbe1;--accent:#0b6e8f;
--c1:#0b6e8f;--c2:#d1495b;--c3:#b7791f;--c4:#6a4c93;--c5:#2a7f4f;--c6:#3f5bd4;--c7:#a23b80;--c8:#7a5c43;
--good:#1d6b41;--good-bg:#e2f3e9;--warn:#7a4d00;--warn-bg:#fdf0d5;--bad:#9b1c2e;--bad-bg:#fbe4e6;--plain:#3d4a58;--plain-bg:#e9edf1}
body{font-size:12px;print-color-adjust:exact;-webkit-print-color-adjust:exact}main{max-width:none;padding:0}.tiles{grid-template-columns:repeat(5,1fr)}.tile dd{font-size:19px}section{margin-top:26px}
.scroll{max-height:none;overflow:visible}th{position:static}.toggle{display:none}.card,.case,tr,.tile,.verdict{break-inside:avoid}h2,h3{break-after:avoid}table{font-size:11px}td,th{padding:4px 7px}}
`;
