/* A large file is sent by slices, so that a cut connection, a reload or a new sign-in costs no more
   than the slice under way: the server is asked what it has, and the rest follows. Small files, and
   browsers that cannot work out a digest, send the form as it stands. */
(function () {
  "use strict";
  var form = document.querySelector("form[data-slices]");
  if (!form || !window.crypto || !window.crypto.subtle || !window.fetch) { return; }
  var input = form.querySelector('input[type="file"]');
  var box = form.querySelector("[data-sending]");
  var bar = box.querySelector("progress");
  var line = box.querySelector("[data-sending-line]");
  var words = box.dataset;
  var MOST_SECONDS = 30; // between two tries
  var busy = false;

  function say(text, bad) {
    line.textContent = text;
    line.classList.toggle("wrong", Boolean(bad));
  }

  function filled(text, values) {
    return text.replace(/\{(\w+)\}/g, function (_all, name) { return values[name]; });
  }

  function number(value, digits) {
    return value.toLocaleString(document.documentElement.lang || undefined,
      { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }

  function pause(seconds) {
    return new Promise(function (done) { window.setTimeout(done, seconds * 1000); });
  }

  function hex(buffer) {
    return Array.prototype.map.call(new Uint8Array(buffer), function (byte) {
      return byte.toString(16).padStart(2, "0");
    }).join("");
  }

  async function digest(blob) {
    return hex(await window.crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  }

  /* A refusal ends the sending and says why; anything else is worth another try. */
  function Refused(text) { this.refused = text; }

  async function ask(address, body) {
    var answer = await window.fetch(address, {
      method: "POST",
      body: body,
      credentials: "same-origin",
      headers: { "X-CSRFToken": form.elements.csrf_token.value },
    });
    if (answer.redirected) { throw new Refused(words.signedOut); }
    var kind = answer.headers.get("Content-Type") || "";
    if (answer.ok && kind.indexOf("json") > 0) { return answer.json(); }
    if (answer.status >= 500 || answer.status === 429) { throw new Error("later"); }
    if (kind.indexOf("json") > 0) { throw new Refused((await answer.json()).refused); }
    throw new Refused(words.stopped);
  }

  async function patiently(work) {
    for (var wait = 1; ; wait = Math.min(2 * wait, MOST_SECONDS)) {
      try {
        return await work();
      } catch (problem) {
        if (problem.refused) { throw problem; }
        say(filled(words.cut, { seconds: wait }), true);
        await pause(wait);
      }
    }
  }

  function fields(values) {
    var data = new FormData();
    data.set("key", form.elements.key.value);
    Object.keys(values).forEach(function (name) { data.set(name, values[name]); });
    return data;
  }

  function tell(file, before, sent, since) {
    var seconds = (Date.now() - since) / 1000;
    var speed = seconds > 0.5 ? (sent - before) / seconds : 0;
    bar.max = file.size;
    bar.value = sent;
    var text = filled(words.done, { sent: number(sent / 1e6, 1), all: number(file.size / 1e6, 1) });
    if (speed > 0) {
      text += " · " + filled(words.speed, { speed: number(speed / 1e6, 1) });
      text += " · " + filled(words.left, { seconds: Math.ceil((file.size - sent) / speed) });
    }
    say(before ? filled(words.again, { percent: Math.floor(100 * before / file.size) }) + " " + text : text);
  }

  async function send(file) {
    say(words.looking);
    var whole = await digest(file);
    var known = { name: file.name, size: String(file.size), sha256: whole };
    var state = await patiently(function () { return ask(form.dataset.slices, fields(known)); });
    if (!state.open) { throw new Refused(words.stopped); }
    var before = state.received, sent = before, since = Date.now();
    tell(file, before, sent, since);
    for (var i = 0; i < state.missing.length; i += 1) {
      var place = state.missing[i];
      var part = file.slice(place * state.slice_bytes, (place + 1) * state.slice_bytes);
      var query = "?number=" + place + "&sha256=" + await digest(part);
      await patiently(function () { return ask(state.bring + query, part); });
      sent += part.size;
      tell(file, before, sent, since);
    }
    var done = await patiently(function () { return ask(state.complete, fields({})); });
    window.location.assign(done.href);
  }

  form.addEventListener("submit", function (event) {
    var file = input.files[0];
    if (busy) { event.preventDefault(); return; }
    if (!file || file.size <= Number(form.dataset.sliceBytes)) { return; }
    event.preventDefault();
    busy = true;
    box.hidden = false;
    form.querySelector("button.primary").disabled = true;
    send(file).catch(function (problem) {
      say(problem.refused || words.stopped, true);
    }).then(function () {
      busy = false;
      delete form.dataset.sent;
      form.querySelector("button.primary").disabled = false;
    });
  });
})();
