const SVG_HEIGHT = 28;

/** A bar for each of the last `count` days: what `value` returns of a day's use. */
function chart(days, count, value, format) {
  const used = new Map(days.map((day) => [day.day, value(day)]));
  const names = Array.from({ length: count }, (_, index) => dayBefore(count - 1 - index));
  const values = names.map((name) => used.get(name) ?? 0);
  const most = Math.max(...values);
  const bars = values.map((amount, index) => {
    const height = amount === 0 ? 1 : Math.max(2, (amount / most) * SVG_HEIGHT);
    const box = { x: index * 4, y: SVG_HEIGHT - height, width: 3, height };
    return svg('rect', { ...box, class: amount === 0 ? 'none' : '' });
  });
  const peak = most === 0 ? 'nothing used' : `most ${format(most)} on ${date(names[values.indexOf(most)])}`;
  const label = `Last ${count} days: ${peak}`;
  const title = svg('title', {});
  title.textContent = label;
  const view = { class: 'chart', viewBox: `0 0 ${count * 4} ${SVG_HEIGHT}`, preserveAspectRatio: 'none' };
  return svg('svg', { ...view, role: 'img', 'aria-label': label }, title, ...bars);
}

/** A bar for what is used of a limit, with the numbers below it. */
function meter(state, showsHolder) {
  const share = Math.min(1, Number(state.used) / Number(state.amount));
  const kind = state.reached ? 'bad' : share >= 0.8 ? 'warn' : '';
  const text = limitText(state, showsHolder);
  const bar = svg('svg', { viewBox: '0 0 100 6', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('rect', { width: share * 100, height: 6 }));
  const resets = state.resetsAt && state.reached ? ` · starts again ${date(state.resetsAt)}` : '';
  return el('div', { class: `meter ${kind}` }, bar, el('span', { class: kind }, text, resets));
}

const meters = (states, showsHolder = false) => states.map((state) => meter(state, showsHolder));
