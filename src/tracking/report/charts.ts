/**
 * Line charts as inline SVG. Colours are CSS variables, so that a chart follows the page from light to dark.
 *
 * @module
 */
import type { EChartsOption, LineSeriesOption } from 'echarts';
import { escapeHtml, type Html, html, trusted } from './html';

/** Colours of the style sheet that curves may have. */
export type CurveColor = 'ink' | `c${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8}`;

export interface Curve {
  readonly name: string;
  readonly color: CurveColor;
  readonly points: readonly (readonly [x: number, y: number | null])[];
  readonly strong?: boolean;
}

export interface LineChart {
  /** What is to be seen, in a sentence, for those who cannot see it. */
  readonly label: string;
  readonly xName: string;
  readonly curves: readonly Curve[];
  /** Fixed ends of the vertical axis. Default: the data's. */
  readonly yRange?: readonly [number, number];
  /** As wide as the page where that is wide, not half of it. */
  readonly wide?: boolean;
  /** A point of the first curve to point out, explained in the legend. */
  readonly mark?: { readonly x: number; readonly y: number; readonly text: string };
}

/** Drawn at about the sizes they are seen at, so that text keeps its size. */
const sizes = { half: { width: 500, height: 270 }, wide: { width: 1050, height: 330 } };

/** Stand-ins for CSS variables: echarts computes with colours, so it must be given real ones. */
const standIns: Readonly<Record<CurveColor | 'muted' | 'grid' | 'surface', string>> = {
  ink: '#0a0001',
  c1: '#0a0011',
  c2: '#0a0012',
  c3: '#0a0013',
  c4: '#0a0014',
  c5: '#0a0015',
  c6: '#0a0016',
  c7: '#0a0017',
  c8: '#0a0018',
  muted: '#0a0002',
  grid: '#0a0003',
  surface: '#0a0004',
};
const symbols = ['circle', 'rect', 'triangle', 'diamond'] as const;

/** The chart with a legend below; an explanation instead when there is not a single number. */
export function lineChart(chart: LineChart): Html {
  if (!chart.curves.some(({ points }) => points.some(([, y]) => y !== null))) {
    return html`<p class="quiet">No numbers to plot.</p>`;
  }
  const legend = chart.curves.map(
    ({ name, color, strong }) =>
      html`<li><i style="background:var(--${color});height:${strong ? 4 : 3}px"></i>${name}</li>`,
  );
  const drawing = chart.wide
    ? html`<div class="from-wide">${drawSvg(chart, sizes.wide)}</div><div class="to-wide">${drawSvg(chart, sizes.half)}</div>`
    : drawSvg(chart, sizes.half);
  const mark = chart.mark && html`<li><i class="ring"></i>${chart.mark.text}</li>`;
  return html`${drawing}<ul class="legend">${legend}${mark}</ul>`;
}

/** Loaded at the first chart: it takes a good part of a second, and a run draws when all else is done. */
function echarts(): typeof import('echarts') {
  return require('echarts');
}

function drawSvg(chart: LineChart, { width, height }: (typeof sizes)['wide']): Html {
  const instance = echarts().init(null, null, { renderer: 'svg', ssr: true, width, height });
  instance.setOption(optionsOf(chart));
  const drawn = instance.renderToSVGString();
  instance.dispose();
  // What only a live chart needs goes: styles of hovered parts, clip paths with ids that count charts, data for events.
  const body = drawn
    .slice(drawn.indexOf('>') + 1)
    .replace(/<(style|defs)[\s\S]*?<\/\1>/g, '')
    .replace(/ (class|clip-path|pointer-events|ecmeta_\w+)="[^"]*"/g, '');
  const open = `<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(chart.label)}">`;
  const named = Object.entries(standIns).reduce(
    (svg, [name, color]) => svg.replaceAll(color, `var(--${name})`),
    open + body,
  );
  return trusted(named);
}

function optionsOf({ xName, curves, yRange, mark }: LineChart): EChartsOption {
  const text = { color: standIns.muted, fontSize: 12 };
  const line = { lineStyle: { color: standIns.grid } };
  return {
    animation: false,
    grid: { left: 44, right: 24, top: 20, bottom: 42 },
    xAxis: {
      type: 'value',
      name: xName,
      nameLocation: 'middle',
      nameGap: 26,
      nameTextStyle: text,
      minInterval: 1,
      min: 'dataMin',
      max: 'dataMax',
      axisLabel: text,
      axisLine: line,
      axisTick: { show: false },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      scale: true,
      ...(yRange && { min: yRange[0], max: yRange[1] }),
      axisLabel: text,
      axisLine: { show: false },
      axisTick: { show: false },
      splitLine: line,
    },
    series: curves.map((curve, i) => seriesOf(curve, i, mark)),
  };
}

function seriesOf({ name, color, points, strong }: Curve, index: number, mark: LineChart['mark']): LineSeriesOption {
  const paint = standIns[color];
  return {
    type: 'line',
    name,
    silent: true,
    data: points.map(([x, y]) => [x, y]),
    symbol: symbols[index % symbols.length]!,
    symbolSize: points.length > 40 ? 0 : 7,
    showSymbol: points.length <= 40,
    lineStyle: { color: paint, width: strong ? 3 : 1.75 },
    itemStyle: { color: paint },
    z: strong ? 4 : 3,
    ...(index === 0 && mark ? { markPoint: markOf(mark) } : {}),
  };
}

function markOf({ x, y, text }: NonNullable<LineChart['mark']>): NonNullable<LineSeriesOption['markPoint']> {
  return {
    symbol: 'circle',
    symbolSize: 15,
    itemStyle: { color: 'transparent', borderColor: standIns.ink, borderWidth: 2 },
    label: { show: false },
    data: [{ name: text, coord: [x, y] }],
  };
}
