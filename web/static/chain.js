/* Pan, zoom and the partners of a firm; the picture is whole without it. */
(function () {
  "use strict";

  function attach(svg) {
    var world = svg.querySelector("[data-chain-world]");
    var near = svg.querySelector("[data-chain-near]");
    var firms = Array.prototype.slice.call(svg.querySelectorAll(".chain-firm[data-near]"));
    var frame = svg.closest("[data-chain-frame]");
    var at = { x: 0, y: 0, scale: 1 };
    var held = null;

    function draw() {
      world.setAttribute(
        "transform", "translate(" + at.x + " " + at.y + ") scale(" + at.scale + ")");
    }

    function point(event) {
      var spot = svg.createSVGPoint();
      spot.x = event.clientX;
      spot.y = event.clientY;
      return spot.matrixTransform(svg.getScreenCTM().inverse());
    }

    function zoom(factor, about) {
      var scale = Math.min(8, Math.max(1, at.scale * factor));
      at.x = about.x - (about.x - at.x) * (scale / at.scale);
      at.y = about.y - (about.y - at.y) * (scale / at.scale);
      at.scale = scale;
      if (scale === 1) { at.x = at.y = 0; }
      draw();
    }

    svg.addEventListener("wheel", function (event) {
      if (!event.ctrlKey && !event.metaKey) { return; } // the page keeps its own scrolling
      event.preventDefault();
      zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, point(event));
    }, { passive: false });

    svg.addEventListener("pointerdown", function (event) {
      if (at.scale > 1 && event.button === 0) { held = { from: point(event), x: at.x, y: at.y, moved: false }; }
    });
    svg.addEventListener("pointermove", function (event) {
      if (!held) { return; }
      var now = point(event);
      at.x = held.x + now.x - held.from.x;
      at.y = held.y + now.y - held.from.y;
      held.moved = held.moved || Math.abs(now.x - held.from.x) + Math.abs(now.y - held.from.y) > 4;
      draw();
    });
    window.addEventListener("pointerup", function () {
      if (held && held.moved) {
        svg.addEventListener("click", function (event) { event.preventDefault(); }, { once: true, capture: true });
      }
      held = null;
    });
    svg.addEventListener("dragstart", function (event) { event.preventDefault(); });

    if (frame) {
      frame.addEventListener("click", function (event) {
        var button = event.target.closest("[data-chain-zoom]");
        if (!button) { return; }
        var box = svg.viewBox.baseVal;
        var middle = { x: box.width / 2, y: box.height / 2 };
        var kind = button.getAttribute("data-chain-zoom");
        zoom(kind === "in" ? 1.4 : kind === "out" ? 1 / 1.4 : 0, middle);
      });
    }

    function partners(firm) {
      if (!firm) { near.setAttribute("d", ""); return; }
      var x = Number(firm.getAttribute("data-x"));
      var y = Number(firm.getAttribute("data-y"));
      near.setAttribute("d", (firm.getAttribute("data-near") || "").split(" ").filter(Boolean).map(function (place) {
        var other = firms[Number(place)];
        var ox = Number(other.getAttribute("data-x"));
        var oy = Number(other.getAttribute("data-y"));
        var bend = x === ox ? x + 34 : (x + ox) / 2;
        return "M" + x + " " + y + "C" + bend + " " + y + " " + bend + " " + oy + " " + ox + " " + oy;
      }).join(""));
    }

    ["pointerover", "focusin"].forEach(function (name) {
      svg.addEventListener(name, function (event) { partners(event.target.closest(".chain-firm[data-near]")); });
    });
    ["pointerleave", "focusout"].forEach(function (name) {
      svg.addEventListener(name, function () { partners(null); });
    });
  }

  function start(root) {
    Array.prototype.forEach.call(root.querySelectorAll("[data-chain]:not([data-chain-on])"), function (svg) {
      svg.setAttribute("data-chain-on", "");
      attach(svg);
    });
  }

  start(document);
  document.addEventListener("htmx:load", function (event) { start(event.target); });
})();
