import { it } from 'vitest';
import { simulate } from './simulate.js';
it('many', { timeout: 600000 }, async () => {
  const first = Number(process.env['FCS_SEED'] ?? 1), n = Number(process.env['FCS_N2'] ?? 200);
  let bad = 0; let steps = 0; const t = Date.now(); const kinds = new Map<string, number[]>();
  for (let s = first; s < first + n; s++) {
    try { const r = await simulate(s); steps += r.steps; if (r.violations.length) { bad++; for (const v of r.violations) { const k = v.split('\n')[0]!.replace(/<.*?>/g, '<>').replace(/m\d/g, 'm').slice(0, 110); kinds.set(k, [...(kinds.get(k) ?? []), s]); } if (n === 1) console.log(r.violations.join('\n'), r.recent.slice(-60).join('\n')); } }
    catch (e) { bad++; const k = 'THROW ' + String((e as Error).stack).slice(0, 900); kinds.set(k, [...(kinds.get(k) ?? []), s]); }
  }
  console.log(`${bad} bad of ${n}, ${steps} steps, ${Date.now() - t} ms`);
  for (const [k, v] of [...kinds].sort((a, b) => b[1].length - a[1].length).slice(0, 20)) console.log(v.length, k, v.slice(0, 5).join(','));
});
