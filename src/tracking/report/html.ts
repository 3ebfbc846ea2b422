/**
 * HTML as a value. Whatever is put into the template is escaped, unless it is HTML itself.
 *
 * @module
 */
export interface Html {
  readonly html: string;
}

export type HtmlPart = Html | string | number | undefined | false | readonly HtmlPart[];

/** ``html`<p>${text}</p>` ``: strings and numbers are escaped, lists joined, `undefined` and `false` left out. */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return { html: strings.map((text, i) => text + (i < parts.length ? render(parts[i]) : '')).join('') };
}

/** Text that is HTML already: our own style sheet or drawing, never anything from outside. */
export function trusted(text: string): Html {
  return { html: text };
}

function render(part: HtmlPart): string {
  if (part === undefined || part === false) return '';
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part));
  return 'html' in part ? part.html : part.map(render).join('');
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => escapes[character]!);
}
