// What a script adds: menus that close, keys, dialogs, files that can be dropped. Without it
// every page works by links and plain forms.
(function () {
  "use strict";
  var doc = document, root = doc.documentElement;
  root.classList.add("scripted");

  function all(what, where) { return Array.prototype.slice.call((where || doc).querySelectorAll(what)); }
  function typing(target) {
    return target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName) &&
      !/^(checkbox|radio|button|submit|range)$/i.test(target.type);
  }

  // --- Menus close when one looks elsewhere
  doc.addEventListener("click", function (event) {
    all("details.menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) menu.open = false;
    });
    var opener = event.target.closest("[data-opens]");
    if (opener) {
      var dialog = doc.getElementById(opener.dataset.opens);
      if (dialog && dialog.showModal) { event.preventDefault(); dialog.showModal(); }
    }
    if (event.target.closest("[data-closes]")) event.target.closest("dialog").close();
    if (event.target.closest("[data-keys]")) showKeys();
  });

  // --- Single keys, which a person may switch off (WCAG 2.1.4)
  var OFF = "tributary-keys-off", waits = false;
  function off() { try { return localStorage.getItem(OFF) === "1"; } catch (refused) { return false; } }
  function nameSwitch() {
    all("[data-keys-switch]").forEach(function (button) {
      button.textContent = off() ? button.dataset.on : button.dataset.off;
    });
  }
  function showKeys() {
    var keys = doc.getElementById("keys");
    if (keys && keys.showModal && !keys.open) { nameSwitch(); keys.showModal(); }
  }
  doc.addEventListener("click", function (event) {
    if (!event.target.closest("[data-keys-switch]")) return;
    try { localStorage.setItem(OFF, off() ? "0" : "1"); } catch (refused) { return; }
    nameSwitch();
  });
  function step(by) {
    var rows = all("[data-row], table.stack tbody tr");
    if (!rows.length) return;
    var at = rows.findIndex(function (row) { return row.classList.contains("here"); });
    rows.forEach(function (row) { row.classList.remove("here"); });
    var row = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    row.classList.add("here");
    var way = row.querySelector("a, input, button");
    if (way) way.focus();
  }
  doc.addEventListener("keydown", function (event) {
    if (event.key === "Escape") all("details.menu[open]").forEach(function (menu) { menu.open = false; });
    if (event.ctrlKey || event.metaKey || event.altKey || off()) return;
    if (typing(event.target) || doc.querySelector("dialog[open]")) return;
    var key = event.key.toLowerCase(), found = null;
    if (waits) {
      waits = false;
      found = /^[a-z]$/.test(key) && doc.querySelector('[data-go="' + key + '"]');
      if (found) { event.preventDefault(); window.location = found.href; }
      return;
    }
    if (key === "/") found = doc.getElementById("search");
    if (found) { event.preventDefault(); found.focus(); found.select(); return; }
    if (key === "?") { event.preventDefault(); showKeys(); return; }
    if (key === "g") { waits = true; setTimeout(function () { waits = false; }, 1500); return; }
    if (/^[a-z]$/.test(key)) found = doc.querySelector('[data-key="' + key + '"]');
    if (found && !found.disabled) { event.preventDefault(); found.focus(); found.click(); return; }
    if (key === "j" || key === "k") { event.preventDefault(); step(key === "j" ? 1 : -1); }
  });

  // --- A tick that ticks all others; a slider that fills its field; files dropped on a field
  doc.addEventListener("change", function (event) {
    var target = event.target;
    if (target.matches("[data-all]")) {
      all('input[type="checkbox"][name="' + target.dataset.all + '"]').forEach(function (box) {
        if (box.form === target.form) box.checked = target.checked;
      });
    }
    if (target.matches("[data-fills]")) {
      var field = doc.getElementById(target.dataset.fills);
      var texts = (target.dataset.values || "").split("|");
      if (field && texts[target.value] !== undefined) field.value = texts[target.value];
    }
  });
  ["dragover", "dragleave", "drop"].forEach(function (kind) {
    doc.addEventListener(kind, function (event) {
      var place = event.target.closest && event.target.closest("[data-drop]");
      if (!place) return;
      event.preventDefault();
      place.classList.toggle("over", kind === "dragover");
      if (kind === "drop") {
        var input = place.querySelector('input[type="file"]');
        input.files = event.dataTransfer.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
      }
    });
  });

  // --- Pressing twice sends once; the server would give the first answer again anyway
  doc.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.method !== "post" || form.hasAttribute("hx-post")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    setTimeout(function () { delete form.dataset.sent; }, 5000);
  });
  window.addEventListener("pageshow", function () {
    all("form[data-sent]").forEach(function (form) { delete form.dataset.sent; });
  });

  // --- What went wrong is looked at first
  var errors = doc.getElementById("errors");
  if (errors) errors.focus();
})();
