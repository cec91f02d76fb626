/** The style of /docs: light and dark by the reader's setting, and readable at any width. */
export const DOCS_STYLE = `
:root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;--soft:#f4f6f8;--line:#d5dbe1;--link:#0b57d0;--dim:#57606a}
@media (prefers-color-scheme:dark){:root{--fg:#e6e9ed;--bg:#15181c;--soft:#1e2329;--line:#363d45;--link:#8ab4f8;--dim:#9aa4af}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1rem;font:1rem/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg)}
a{color:var(--link)}
a:focus-visible,summary:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem}
code,pre{font:.875rem/1.45 ui-monospace,monospace;background:var(--soft);border-radius:.25rem;padding:.1rem .25rem}
pre{padding:.75rem;overflow:auto}
article{border-top:1px solid var(--line);padding:.5rem 0}
article:target,tr:target{background:var(--soft)}
h2{margin-top:2.5rem}h3{margin:.5rem 0}
.method{font-weight:700}
.dim{color:var(--dim)}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.25rem .5rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
ul.fields{list-style:none;padding-left:1rem;border-left:2px solid var(--line)}
nav ul{list-style:none;padding-left:1rem}
@media (min-width:64rem){body{display:grid;grid-template-columns:16rem 1fr;gap:0 2rem}header{grid-column:1/-1}nav{position:sticky;top:0;height:100vh;overflow:auto}main{min-width:0}}
`
