// SPDX-License-Identifier: BSD-2-Clause
// Comforts of a page that says everything without them: copy, save, theme, open all. Asks no network.
(function () {
  'use strict';
  var doc = document, root = doc.documentElement;

  function button(text, label, act) {
    var b = doc.createElement('button');
    b.type = 'button';
    b.textContent = text;
    if (label) b.setAttribute('aria-label', label);
    b.addEventListener('click', act);
    return b;
  }

  function bar(into) {
    var d = doc.createElement('div');
    d.className = 'buttons';
    into.appendChild(d);
    return d;
  }

  function save(blob, name) {
    var a = doc.createElement('a');
    a.href = URL.createObjectURL(blob);
    a.download = name;
    doc.body.appendChild(a);
    a.click();
    a.remove();
    setTimeout(function () { URL.revokeObjectURL(a.href); }, 10000);
  }

  function slug(text) {
    return text.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 60) || 'figure';
  }

  // Without a clipboard (a page opened from disk may have none) the text is selected instead.
  function copy(text, from, done) {
    function by_hand() {
      var area = doc.createElement('textarea');
      area.value = text;
      area.setAttribute('readonly', '');
      area.style.position = 'fixed';
      area.style.opacity = '0';
      doc.body.appendChild(area);
      area.select();
      var ok = doc.execCommand('copy');
      area.remove();
      if (!ok) getSelection().selectAllChildren(from);
      done(ok ? 'Copied' : 'Selected');
    }
    if (navigator.clipboard && navigator.clipboard.writeText)
      navigator.clipboard.writeText(text).then(function () { done('Copied'); }, by_hand);
    else
      by_hand();
  }

  // --- figures -------------------------------------------------------------------------------
  var NS = 'http://www.w3.org/2000/svg', W = 1200, H = 675;

  function words(text, most) {
    var lines = [''];
    text.split(/\s+/).forEach(function (w) {
      var last = lines.length - 1;
      if ((lines[last] + ' ' + w).length > most && lines[last]) lines.push(w);
      else lines[last] += (lines[last] ? ' ' : '') + w;
    });
    return lines;
  }

  function element(name, attributes, text) {
    var e = doc.createElementNS(NS, name);
    Object.keys(attributes).forEach(function (k) { e.setAttribute(k, attributes[k]); });
    if (text) e.textContent = text;
    return e;
  }

  // The wide drawing, in light colours, with title, window and source around it.
  function compose(figure) {
    var from = figure.querySelector('svg.wide'), box = from.viewBox.baseVal;
    var out = element('svg', {xmlns: NS, width: W, height: H, viewBox: '0 0 ' + W + ' ' + H, class: 'chart'});
    var title = words(figure.dataset.title, 78), y = 46, inner, room, scale;
    out.appendChild(element('style', {}, doc.getElementById('figure-css').textContent));
    out.appendChild(element('rect', {width: W, height: H, fill: '#fff'}));
    title.slice(0, 2).forEach(function (line) {
      out.appendChild(element('text', {x: 40, y: y, style: 'font-size:25px;font-weight:700'}, line));
      y += 31;
    });
    out.appendChild(element('text', {x: 40, y: y - 3, style: 'font-size:15.5px;fill:#59626d'}, figure.dataset.window));
    y += 16;
    room = H - y - 46;
    scale = Math.min((W - 80) / box.width, room / box.height);
    inner = from.cloneNode(true);
    inner.removeAttribute('aria-labelledby');
    inner.setAttribute('class', 'chart');
    inner.setAttribute('x', 40 + ((W - 80) - box.width * scale) / 2);
    inner.setAttribute('y', y + Math.min((room - box.height * scale) / 2, 90));
    inner.setAttribute('width', box.width * scale);
    inner.setAttribute('height', box.height * scale);
    out.appendChild(inner);
    out.appendChild(element('text', {x: 40, y: H - 20, style: 'font-size:13px;fill:#59626d'}, figure.dataset.source));
    return new XMLSerializer().serializeToString(out);
  }

  function save_png(figure) {
    var image = new Image();
    image.onload = function () {
      var canvas = doc.createElement('canvas');
      canvas.width = W;
      canvas.height = H;
      canvas.getContext('2d').drawImage(image, 0, 0, W, H);
      canvas.toBlob(function (blob) { save(blob, slug(figure.dataset.title) + '.png'); }, 'image/png');
    };
    image.src = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(compose(figure));
  }

  doc.querySelectorAll('figure[data-title]').forEach(function (figure) {
    var b = bar(figure), name = figure.dataset.title;
    b.appendChild(button('Save SVG', 'Save the figure "' + name + '" as SVG', function () {
      save(new Blob([compose(figure)], {type: 'image/svg+xml'}), slug(name) + '.svg');
    }));
    b.appendChild(button('Save PNG', 'Save the figure "' + name + '" as PNG', function () { save_png(figure); }));
  });

  // --- sentences, data, theme ----------------------------------------------------------------
  doc.querySelectorAll('[data-copy]').forEach(function (lead) {
    var b = button('Copy the sentences', '', function () {
      var text = Array.prototype.map.call(lead.querySelectorAll('p'), function (p) { return p.textContent; }).join('\n');
      copy(text, lead, function (said) {
        b.textContent = said;
        setTimeout(function () { b.textContent = 'Copy the sentences'; }, 2000);
      });
    });
    b.setAttribute('aria-live', 'polite');
    bar(lead).appendChild(b);
  });

  var data = doc.getElementById('data'), tools = doc.getElementById('tools');
  if (tools) {
    var t = bar(tools), all = false;
    if (data)
      t.appendChild(button('Download the data (JSON)', '', function () {
        save(new Blob([data.textContent], {type: 'application/json'}), slug(doc.title) + '.json');
      }));
    var opener = button('Open all sections', '', function () {
      all = !all;
      doc.querySelectorAll('details').forEach(function (d) { d.open = all; });
      opener.textContent = all ? 'Close all sections' : 'Open all sections';
    });
    t.appendChild(opener);
  }

  var corner = doc.getElementById('theme');
  if (corner) {
    var dark = function () {
      return root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    };
    var says = function () { return dark() ? 'Light' : 'Dark'; };
    var toggle = button(says(), 'Switch between light and dark', function () {
      root.dataset.theme = dark() ? 'light' : 'dark';
      toggle.textContent = says();
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', function () { toggle.textContent = says(); });
    corner.appendChild(toggle);
  }
})();
