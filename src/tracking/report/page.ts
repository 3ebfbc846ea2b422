/**
 * The page around a report: it opens offline, and may load nothing and run nothing: its own policy says so.
 *
 * @module
 */
import { type Html, html, trusted } from './html';
import { style } from './style';

export function page(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${title}</title><style>${trusted(style)}</style></head><body><main>
${body}
</main></body></html>
`.html;
}
