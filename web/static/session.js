/* Two minutes before the session ends, say so, and let the person stay. Any page that is opened or
   loaded in part renews the session, in every tab of this browser. */
(function () {
  "use strict";
  var box = document.querySelector("[data-session-seconds]");
  if (!box) {
    return;
  }
  var WARNING = 120;
  var seconds = Number(box.dataset.sessionSeconds);
  var timers = [];

  function wait(after, act) {
    timers.push(window.setTimeout(act, Math.max(0, after) * 1000));
  }

  function begin() {
    timers.forEach(window.clearTimeout);
    timers = [];
    box.hidden = true;
    wait(seconds - WARNING, function () { box.hidden = false; });
    wait(seconds, function () { box.hidden = true; });
  }

  function renewed() {
    begin();
    try {
      window.localStorage.setItem("session-renewed", String(Date.now()));
    } catch (closed) {
      /* a browser without storage: each tab counts by itself */
    }
  }

  window.addEventListener("storage", function (event) {
    if (event.key === "session-renewed") {
      begin();
    }
  });
  document.addEventListener("htmx:afterRequest", renewed);
  box.querySelector("form").addEventListener("submit", function (event) {
    event.preventDefault();
    fetch(event.target.action, { method: "POST", body: new FormData(event.target) })
      .then(function (answer) {
        if (answer.status === 204) {
          renewed();
        } else {
          window.location.reload();
        }
      });
  });
  renewed();
})();
