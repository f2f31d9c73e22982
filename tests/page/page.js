// SPDX-License-Identifier: BSD-2-Clause
//
// node tests/page/page.js CHROMIUM PAGES SHOTS - opens each PAGES/*.html from disk in a headless
// Chromium, driven over a pipe (DevTools protocol, no package needed). Fails on anything the console
// says, any request that leaves the file, script dialogs, a page wider than the phone, text that
// overlaps in a figure, a number that differs from the JSON of the page, a figure that cannot be
// saved as SVG or PNG of 1200 x 675. Screenshots go to SHOTS.

'use strict';
const fs = require('fs'), path = require('path'), {spawn} = require('child_process');
const [chromium, pages, shots] = process.argv.slice(2).map((p, i) => i > 0 ? path.resolve(p) : p);
let passed = 0, failed = 0;

function check(ok, what) {
  if (ok) { passed++; return; }
  failed++;
  console.log('  FAILED ' + what);
}

// --- the browser ------------------------------------------------------------------------------
class Browser {
  constructor() {
    this.profile = fs.mkdtempSync(path.join(require('os').tmpdir(), 'page-'));
    this.process = spawn(chromium, ['--headless=new', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe',
      '--no-first-run', '--disable-extensions', '--disable-background-networking', '--disable-dev-shm-usage',
      '--hide-scrollbars', '--user-data-dir=' + this.profile],
      {stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], env: Object.assign({}, process.env, {HOME: this.profile})});
    this.next = 1;
    this.waiting = new Map();
    this.handlers = [];
    let left = '';
    this.process.stdio[4].setEncoding('utf8');
    this.process.stdio[4].on('data', (text) => {
      const parts = (left + text).split('\0');
      left = parts.pop();
      parts.forEach((p) => this.take(JSON.parse(p)));
    });
  }
  take(m) {
    if (m.id !== undefined) {
      const w = this.waiting.get(m.id);
      this.waiting.delete(m.id);
      if (m.error) w.reject(new Error(w.method + ': ' + m.error.message)); else w.resolve(m.result);
    } else {
      this.handlers.slice().forEach((h) => h(m));
    }
  }
  send(method, params, session) {
    const id = this.next++;
    this.process.stdio[3].write(JSON.stringify({id, method, params: params || {}, sessionId: session}) + '\0');
    return new Promise((resolve, reject) => this.waiting.set(id, {resolve, reject, method}));
  }
  event(name, session) {
    return new Promise((resolve) => {
      const h = (m) => {
        if (m.method !== name || m.sessionId !== session) return;
        this.handlers.splice(this.handlers.indexOf(h), 1);
        resolve(m.params);
      };
      this.handlers.push(h);
    });
  }
  async close() {
    const gone = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill();
    await gone;
    fs.rmSync(this.profile, {recursive: true, force: true, maxRetries: 20, retryDelay: 100});
  }
}

// --- what runs in the page --------------------------------------------------------------------
/* Numbers that name their place in the JSON must be what stands there, rounded as shown. */
function compare_numbers() {
  const data = JSON.parse(document.getElementById('data').textContent), bad = [];
  let n = 0;
  function at(place) {
    return place.split('/').reduce((v, k) => v === undefined || v === null ? undefined : v[k], data);
  }
  function same(text, value, place) {
    n++;
    const m = /^[>+]?(-?[\d.]+)( %)?$/.exec(text.trim());
    if (!m || typeof value !== 'number') { bad.push(place + ': ' + text + ' against ' + value); return; }
    const shown = Number(m[1]), digits = (m[1].split('.')[1] || '').length;
    const want = m[2] ? value * 100 : value, step = Math.pow(10, -digits);
    const off = text.trim()[0] === '>' ? (want > shown ? 0 : 1) : Math.abs(shown - want) / step;
    if (off > 0.5001) bad.push(place + ': ' + text + ' against ' + value);
  }
  document.querySelectorAll('[data-j]').forEach((e) => {
    const row = e.closest('[data-p]'), place = (row ? row.dataset.p + '/' : '') + e.dataset.j;
    same(e.textContent, at(place), place);
  });
  document.querySelectorAll('[data-points]').forEach((body) => {
    const p = data.report.rows[Number(body.dataset.points)].points;
    Array.from(body.rows).slice(1).forEach((row, i) => {
      ['rtt_median_ms', 'rtt_min_ms', 'asked', 'answered'].forEach((k, c) => {
        const v = Array.isArray(p[k]) ? p[k][i] : p[k], text = row.cells[c + 1].textContent;
        if (text.trim() === '-' && v === null) n++; else same(text, v, 'points/' + k + '/' + i);
      });
    });
  });
  return {n, bad: bad.slice(0, 5), more: bad.length};
}

/* Every other number in tables and sentences must be somewhere in the JSON, too. */
function find_numbers() {
  const known = new Set(), data = JSON.parse(document.getElementById('data').textContent);
  const texts = [];
  (function walk(v) {
    if (typeof v === 'number') known.add(v);
    else if (typeof v === 'string') { texts.push(v); (v.match(/\d+(\.\d+)?/g) || []).forEach((x) => known.add(Number(x))); }
    else if (v && typeof v === 'object') Object.values(v).forEach(walk);
  })(data);
  const all = Array.from(known);
  const lost = [];
  document.querySelectorAll('.lead p, td.n, .facts dd').forEach((e) => {
    if (e.closest('#method') || e.querySelector('time, code')) return;
    (e.textContent.replace(/\d{4}-\d\d-\d\d|\d\d:\d\d(:\d\d)?|\d+ [A-Z][a-z]+ \d{4}|AS\d+|95 %|90 %/g, '').match(/\d+(\.\d+)?/g) || [])
      .forEach((text) => {
        const x = Number(text), half = 0.5001 * Math.pow(10, -(text.split('.')[1] || '').length);
        if (!all.some((v) => Math.abs(Math.abs(v) - x) <= half || Math.abs(v * 100 - x) <= half ||
                      Math.abs(v / 60 - x) <= half || Math.abs(v / 3600 - x) <= half))
          lost.push(text + ' in "' + e.textContent.slice(0, 60) + '"');
      });
  });
  return lost.slice(0, 5);
}

/* Texts of one drawing that run into each other. */
function overlaps() {
  const bad = [];
  document.querySelectorAll('svg.chart').forEach((svg) => {
    if (svg.getBoundingClientRect().width === 0) return;
    const frame = svg.getBoundingClientRect();
    const boxes = Array.from(svg.querySelectorAll('text')).map((t) => ({r: t.getBoundingClientRect(), t: t.textContent}));
    boxes.forEach((a, i) => {
      if (a.r.left < frame.left - 1 || a.r.right > frame.right + 1)
        bad.push('"' + a.t + '" leaves its figure');
      boxes.slice(i + 1).forEach((b) => {
        const w = Math.min(a.r.right, b.r.right) - Math.max(a.r.left, b.r.left);
        const h = Math.min(a.r.bottom, b.r.bottom) - Math.max(a.r.top, b.r.top);
        if (w > 2 && h > 4) bad.push('"' + a.t + '" over "' + b.t + '"');
      });
    });
  });
  return {bad: bad.slice(0, 5), more: bad.length};
}

/* What a screen reader needs. */
function access() {
  const bad = [], ids = new Set();
  document.querySelectorAll('[id]').forEach((e) => { if (ids.has(e.id)) bad.push('id twice: ' + e.id); ids.add(e.id); });
  document.querySelectorAll('svg.chart').forEach((s) => {
    if (s.getAttribute('role') !== 'img' || !s.querySelector('title').textContent) bad.push('a figure without a name');
  });
  document.querySelectorAll('table').forEach((t) => {
    if (!t.caption || !t.querySelector('th[scope=col]')) bad.push('a table without caption or column headings');
  });
  document.querySelectorAll('button').forEach((b) => { if (!b.textContent) bad.push('a button without a name'); });
  if (!document.documentElement.lang || document.querySelectorAll('h1').length !== 1) bad.push('language, or one h1');
  const main = document.querySelector('a.skip');
  if (!main || !document.querySelector(main.getAttribute('href'))) bad.push('the skip link leads nowhere');
  return bad.slice(0, 5);
}

// --- one page ---------------------------------------------------------------------------------
const looks = [
  {name: '1200-light', width: 1200, scheme: 'light'}, {name: '1200-dark', width: 1200, scheme: 'dark'},
  {name: '1200-grey', width: 1200, scheme: 'light', grey: true}, {name: '360-light', width: 360, scheme: 'light'},
  {name: '360-dark', width: 360, scheme: 'dark'}];

async function look(browser, s, name, l) {
  await browser.send('Emulation.setDeviceMetricsOverride',
    {width: l.width, height: 900, deviceScaleFactor: 1, mobile: l.width < 600}, s);
  await browser.send('Emulation.setEmulatedMedia', {features: [{name: 'prefers-color-scheme', value: l.scheme}]}, s);
  await browser.send('Emulation.setEmulatedVisionDeficiency', {type: l.grey ? 'achromatopsia' : 'none'}, s);
  const run = async (f) => (await browser.send('Runtime.evaluate', {expression: '(' + f + ')()', returnByValue: true}, s)).result.value;
  const wide = await run(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  check(wide <= 0, name + ' ' + l.name + ': ' + wide + ' pixels wider than the screen');
  const over = await run(overlaps);
  check(over.more === 0, name + ' ' + l.name + ': ' + over.more + ' texts overlap: ' + over.bad.join('; '));
  const size = (await browser.send('Page.getLayoutMetrics', {}, s)).cssContentSize;
  // In pieces that can be looked at.
  for (let i = 0; i * 1400 < Math.min(size.height, 1400 * 5); i++) {
    const shot = await browser.send('Page.captureScreenshot', {format: 'png', captureBeyondViewport: true,
      clip: {x: 0, y: i * 1400, width: l.width, height: Math.min(size.height - i * 1400, 1400), scale: 1}}, s);
    fs.writeFileSync(path.join(shots, name + '-' + l.name + '-' + (i + 1) + '.png'), Buffer.from(shot.data, 'base64'));
  }
}

async function wait_for(what, milliseconds) {
  for (let end = Date.now() + milliseconds; Date.now() < end;) {
    const got = what();
    if (got) return got;
    await new Promise((r) => setTimeout(r, 50));
  }
  return what();
}

/* The first figure, clicked as a reader would. */
async function saving(browser, s, name) {
  const dir = fs.mkdtempSync(path.join(shots, 'saved-'));
  await browser.send('Browser.setDownloadBehavior', {behavior: 'allow', downloadPath: dir});
  for (const kind of ['SVG', 'PNG']) {
    await browser.send('Runtime.evaluate', {userGesture: true, expression:
      'Array.from(document.querySelectorAll("figure button")).find((b) => b.textContent === "Save ' + kind + '").click()'}, s);
    const end = '.' + kind.toLowerCase();
    const file = await wait_for(() => fs.readdirSync(dir).find((f) => f.endsWith(end)), 20000);
    check(file, name + ': "Save ' + kind + '" saves nothing');
    if (!file) continue;
    await wait_for(() => fs.statSync(path.join(dir, file)).size > 0, 5000);
    const bytes = fs.readFileSync(path.join(dir, file));
    if (kind === 'PNG') {
      check(bytes.length > 24 && bytes.readUInt32BE(16) === 1200 && bytes.readUInt32BE(20) === 675,
        name + ': the PNG is not 1200 x 675');
    } else {
      const text = bytes.toString(), title = await browser.send('Runtime.evaluate',
        {expression: 'document.querySelector("figure").dataset.title.split(" ")[0]', returnByValue: true}, s);
      check(text.startsWith('<svg') && text.includes(title.result.value) && text.includes('Source: ') &&
        /\d{4}-\d\d-\d\d/.test(text), name + ': title, window or source missing in the SVG');
    }
    fs.renameSync(path.join(dir, file), path.join(shots, name + '-saved' + end));
  }
  fs.rmSync(dir, {recursive: true});
}

async function page(browser, file) {
  const name = path.basename(file, '.html');
  const {targetId} = await browser.send('Target.createTarget', {url: 'about:blank'});
  const {sessionId: s} = await browser.send('Target.attachToTarget', {targetId, flatten: true});
  const said = [], asked = [];
  const listen = (m) => {
    if (m.sessionId !== s) return;
    if (m.method === 'Runtime.consoleAPICalled') said.push(m.params.type + ': ' + m.params.args.map((a) => a.value).join(' '));
    if (m.method === 'Runtime.exceptionThrown') said.push(m.params.exceptionDetails.text);
    if (m.method === 'Log.entryAdded') said.push(m.params.entry.level + ': ' + m.params.entry.text);
    if (m.method === 'Page.javascriptDialogOpening') said.push('dialog: ' + m.params.message);
    if (m.method === 'Network.requestWillBeSent') asked.push(m.params.request.url);
  };
  browser.handlers.push(listen);
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await browser.send(domain + '.enable', {}, s);
  const loaded = browser.event('Page.loadEventFired', s);
  await browser.send('Page.navigate', {url: 'file://' + file}, s);
  await loaded;
  const run = async (f) => (await browser.send('Runtime.evaluate', {expression: '(' + f + ')()', returnByValue: true}, s)).result.value;
  // The others are made of the same parts: a desk and a phone will do.
  for (const l of looks) {
    if (['report', 'diff'].includes(name) || l.name.endsWith('-light')) await look(browser, s, name, l);
  }
  await browser.send('Emulation.setDeviceMetricsOverride', {width: 1200, height: 900, deviceScaleFactor: 1, mobile: false}, s);
  const numbers = await run(compare_numbers);
  check(numbers && numbers.n > 5 && numbers.more === 0, name + ': ' + JSON.stringify(numbers));
  const lost = await run(find_numbers);
  check(lost && lost.length === 0, name + ': not in the JSON: ' + JSON.stringify(lost));
  const blind = await run(access);
  check(blind && blind.length === 0, name + ': ' + JSON.stringify(blind));
  if (await run(() => document.querySelectorAll('figure button').length > 0)) await saving(browser, s, name);
  const copied = await run(() => {
    const b = Array.from(document.querySelectorAll('.lead button'))[0];
    if (b) b.click();
    return !!b;
  });
  check(copied, name + ': no button to copy the sentences');
  const themed = await run(() => {
    document.querySelector('#theme button').click();
    return document.documentElement.dataset.theme;
  });
  check(themed === 'dark' || themed === 'light', name + ': the theme does not change');
  const opened = await run(() => {
    const b = Array.from(document.querySelectorAll('#tools button')).find((x) => x.textContent.startsWith('Open'));
    b.click();
    return Array.from(document.querySelectorAll('details')).every((d) => d.open);
  });
  check(opened, name + ': "Open all sections" leaves some shut');
  const outside = asked.filter((u) => !u.startsWith('file:') && !u.startsWith('data:') && !u.startsWith('blob:'));
  check(outside.length === 0, name + ' asks the network: ' + outside.slice(0, 3));
  check(said.length === 0, name + ': the console says: ' + said.slice(0, 3).join(' | '));
  browser.handlers.splice(browser.handlers.indexOf(listen), 1);
  await without_script(browser, s, name, file);
  await browser.send('Target.closeTarget', {targetId});
}

/* As in a mail program: everything is said, and no button stands there that does nothing. Then paper. */
async function without_script(browser, s, name, file) {
  await browser.send('Emulation.setScriptExecutionDisabled', {value: true}, s);
  const loaded = browser.event('Page.loadEventFired', s);
  await browser.send('Page.navigate', {url: 'file://' + file + '?plain'}, s);
  await loaded;
  await browser.send('DOM.enable', {}, s);
  const root = (await browser.send('DOM.getDocument', {depth: 1}, s)).root.nodeId;
  const count = async (what) => (await browser.send('DOM.querySelectorAll', {nodeId: root, selector: what}, s)).nodeIds.length;
  check(await count('button') === 0, name + ': buttons without script');
  check(await count('.lead p') > 0 && await count('table') > 0, name + ': nothing is said without script');
  const pdf = await browser.send('Page.printToPDF', {printBackground: true, preferCSSPageSize: true}, s);
  const bytes = Buffer.from(pdf.data, 'base64');
  check(bytes.length > 10000 && bytes.subarray(0, 5).toString() === '%PDF-', name + ': is not printed');
  fs.writeFileSync(path.join(shots, name + '.pdf'), bytes);
}

(async () => {
  const browser = new Browser();
  const guard = setTimeout(() => { console.log('  FAILED the browser does not answer'); browser.process.kill('SIGKILL'); process.exit(1); }, 600000);
  try {
    const only = process.argv[5];
    for (const f of fs.readdirSync(pages).filter((x) => x.endsWith('.html') && (!only || x === only + '.html')).sort())
      await page(browser, path.join(pages, f));
  } catch (e) {
    check(false, e.message);
  }
  clearTimeout(guard);
  await browser.close();
  console.log(passed + ' passed, ' + failed + ' failed');
  process.exitCode = failed > 0 ? 1 : 0;
})();
